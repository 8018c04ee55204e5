"""A process that executes notebooks through papermill, one after another.

Tasks come as JSON lines on standard input and results leave as JSON lines on standard output. The process ends
as soon as its input does, in the middle of a notebook too: then the report that started it is gone, and the
kernel, which watches its parent, follows within a second or so.
"""

from __future__ import annotations

import json
import os
import queue
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

from mmiocost.startup import block_slow_imports

_KERNEL = "mmiocost"
_START_TIMEOUT_S = 60
# Some kernels do not answer the request to end; half of this is waited before they are terminated.
_SHUTDOWN_WAIT_S = 1.0
# Codes that colour a traceback in a terminal (ECMA-48, control sequences).
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def main() -> NoReturn:
    """Serve tasks until standard input ends, which ends the process."""
    block_slow_imports()
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    tasks: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(tasks,), daemon=True).start()
    while True:
        print(json.dumps(execute(**json.loads(tasks.get()))), file=results, flush=True)


def _receive(tasks: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        tasks.put(line)
    os._exit(0)


def execute(source: str, output: str, parameters: dict[str, object], timeout: float) -> dict[str, Any]:
    """Execute the notebook ``source`` into the file ``output``, ``timeout`` seconds a cell at most.

    Returns ``seconds`` and ``error``, the fields of a CellError or None. Never raises for what a notebook does.
    """
    import nbformat
    import papermill
    from traitlets.config import Config

    begin = time.perf_counter()
    raised: Exception | None = None
    try:
        notebook = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]
        papermill.execute_notebook(
            notebook,
            output,
            parameters=parameters,
            kernel_name=_KERNEL,
            language="python",
            progress_bar=False,
            start_timeout=_START_TIMEOUT_S,
            execution_timeout=timeout,
            config=Config({"KernelManager": {"shutdown_wait_time": _SHUTDOWN_WAIT_S}}),
        )
    except Exception as error:
        raised = error
    return {"seconds": round(time.perf_counter() - begin, 3), "error": _finish(output, raised, timeout)}


def _finish(output: str, raised: Exception | None, timeout: float) -> dict[str, Any] | None:
    """Make the executed notebook tell what happened, and say it as the fields of a CellError."""
    if not Path(output).exists():
        return _error(0, "", raised, "") if raised else None
    import nbformat

    notebook = nbformat.read(output, as_version=4)  # type: ignore[no-untyped-call]
    # papermill's own marks would shift the cells; the report says where a notebook stopped.
    notebook.cells = [cell for cell in notebook.cells if "papermill-error-cell-tag" not in _tags(cell)]
    for key in ("input_path", "output_path"):
        notebook.metadata.papermill[key] = Path(output).name
    error = _describe(notebook, raised, timeout) if raised else None
    nbformat.write(notebook, output)  # type: ignore[no-untyped-call]
    return error


def _describe(notebook: Any, raised: Exception, timeout: float) -> dict[str, Any]:
    number, cell = _stopped_at(notebook)
    if cell is None:
        return _error(0, "", raised, "")
    reason = _reason(raised, timeout)
    errors = [found for found in cell.outputs if found.output_type == "error"]
    if errors and not reason:
        text = _plain("\n".join(errors[0].traceback))
        error = _error(number, cell.source, raised, _plain(errors[0].evalue))
        return {**error, "ename": errors[0].ename, "traceback": text}
    # papermill marks every cell "completed" when the kernel dies or the time is over.
    error = _error(number, cell.source, raised, reason)
    _mark_failed(notebook, cell, error)
    return error


def _stopped_at(notebook: Any) -> tuple[int, Any]:
    """The last code cell that was started, with its number from 1; (0, None) if none was."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    started = [number for number, cell in enumerate(code, start=1) if cell.metadata.papermill.get("start_time")]
    return (started[-1], code[started[-1] - 1]) if started else (0, None)


def _mark_failed(notebook: Any, cell: Any, error: dict[str, Any]) -> None:
    from nbformat.v4 import new_output

    told = {"ename": error["ename"], "evalue": error["evalue"], "traceback": [error["evalue"]]}
    said = new_output("error", **told)  # type: ignore[no-untyped-call]
    # An interrupted cell holds a KeyboardInterrupt, which names the means and not the cause.
    cell.outputs = [found for found in cell.outputs if found.output_type != "error"] + [said]
    cell.metadata.papermill.update(status="failed", exception=True)
    notebook.metadata.papermill["exception"] = True
    for later in notebook.cells[notebook.cells.index(cell) + 1 :]:
        later.metadata.papermill.update(status="pending")


def _reason(raised: Exception, timeout: float) -> str:
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    if isinstance(raised, CellTimeoutError):
        return f"the cell ran longer than {timeout:g} s and was stopped"
    if isinstance(raised, DeadKernelError):
        return "the kernel died while it ran this cell"
    return ""


def _error(number: int, source: str, raised: Exception, text: str) -> dict[str, Any]:
    text = text or _plain(str(raised))
    return {"number": number, "source": source, "ename": type(raised).__name__, "evalue": text, "traceback": text}


def _tags(cell: Any) -> list[str]:
    return cell.metadata.get("tags") or []


def _plain(text: str) -> str:
    return _COLOURS.sub("", text)


if __name__ == "__main__":
    main()
