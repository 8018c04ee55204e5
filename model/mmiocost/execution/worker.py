"""A process that executes notebooks through papermill, one after another.

Tasks come as JSON lines on standard input and results leave as JSON lines on standard output. The process ends
as soon as its input does, in the middle of a notebook too, and takes its kernels along: then the run that started
it is gone.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import sys
import threading
import time
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from mmiocost.execution.recorded import content_of, recorded_values
from mmiocost.execution.stopped import describe
from mmiocost.startup import block_slow_imports

PRIVATE = "MMIOCOST_PRIVATE_FOLDER"  # names the folder of the run, which goes with it
KERNELS = Path(__file__).resolve().parent / "jupyter" / "kernels"
WARM, _FRESH = "mmiocost-warm", "mmiocost"
_START_TIMEOUT_S = 60
# Some kernels do not answer the request to end; half of this is waited before they are terminated.
_SHUTDOWN_WAIT_S = 1.0


def main() -> NoReturn:
    """Serve tasks until standard input ends, which ends the process."""
    block_slow_imports()
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    signal.signal(signal.SIGTERM, lambda *_: _leave(143))
    tasks: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(tasks,), daemon=True).start()
    while True:
        print(json.dumps(execute(**json.loads(tasks.get()))), file=results, flush=True)


def _receive(tasks: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        tasks.put(line)
    _leave(0)


def _leave(status: int) -> NoReturn:
    """End at once, with all processes below this one and the files that they shared."""
    import psutil

    try:
        below = psutil.Process().children(recursive=True)
    except psutil.Error:
        below = []
    for process in below:
        try:
            process.kill()
        except psutil.Error:
            continue  # it has ended meanwhile
    private = os.environ.get(PRIVATE)
    if private and status == 0:
        shutil.rmtree(private, ignore_errors=True)
    os._exit(status)


@cache
def kernel_name() -> str:
    """The kernel that notebooks run in: a warm one on Linux, where the package is installed and not only imported."""
    from importlib.metadata import entry_points

    from mmiocost.execution.warm import linux

    found = entry_points(group="jupyter_client.kernel_provisioners").names
    return WARM if linux.supported() and WARM in found else _FRESH


def execute(
    source: str, output: str, parameters: dict[str, object], cell_timeout: float, timeout: float
) -> dict[str, Any]:
    """Execute the notebook ``source`` into the file ``output``, in ``timeout`` seconds, ``cell_timeout`` a cell.

    Returns ``seconds``, ``error`` (the fields of a CellError or None), ``content`` and ``values`` (see results).
    Never raises for what a notebook does.
    """
    import nbformat
    import papermill
    from traitlets.config import Config

    from mmiocost.execution.engine import NAME, LimitedEngine

    begin = time.perf_counter()
    raised: Exception | None = None
    LimitedEngine.running = None
    try:
        notebook = nbformat.read(source, as_version=4)  # type: ignore[no-untyped-call]
        papermill.execute_notebook(
            notebook,
            None,
            parameters=parameters,
            engine_name=NAME,
            kernel_name=kernel_name(),
            language="python",
            progress_bar=False,
            start_timeout=_START_TIMEOUT_S,
            execution_timeout=cell_timeout,
            notebook_timeout=timeout,
            config=Config({"KernelManager": {"shutdown_wait_time": _SHUTDOWN_WAIT_S}}),
        )
    except Exception as error:
        raised = error
    seconds = time.perf_counter() - begin
    limits = {"cell": cell_timeout, "notebook": timeout, "ran": seconds}
    return {"seconds": round(seconds, 3), **_finish(LimitedEngine.running, output, raised, limits)}


def _finish(notebook: Any, output: str, raised: Exception | None, limits: dict[str, float]) -> dict[str, Any]:
    """Make the executed notebook tell what happened, write it, and say it as the fields of a NotebookRun."""
    if notebook is None:
        error = describe(None, raised, limits) if raised else None
        return {"error": error, "content": "", "values": []}
    # papermill's own marks would shift the cells; the report says where a notebook stopped.
    notebook.cells = [
        cell for cell in notebook.cells if "papermill-error-cell-tag" not in cell.metadata.get("tags", ())
    ]
    for key in ("input_path", "output_path"):
        notebook.metadata.papermill[key] = Path(output).name
    error = describe(notebook, raised, limits) if raised else None
    Path(output).write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    values = [] if error else [asdict(value) for value in recorded_values(notebook)]
    return {"error": error, "content": content_of(notebook), "values": values}


if __name__ == "__main__":
    main()
