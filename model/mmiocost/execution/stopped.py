"""Where and why an executed notebook stopped, in the notebook itself and as plain data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Codes that colour a traceback in a terminal (ECMA-48, control sequences).
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def describe(notebook: Any, raised: Exception, limits: Mapping[str, float]) -> dict[str, Any]:
    """The fields of a CellError for what was ``raised``; the cell to blame is marked in ``notebook``.

    ``notebook`` is None where nothing was executed; ``limits`` are the seconds that a ``cell`` and the whole
    ``notebook`` were given and those that it ``ran``.
    """
    number, cell = _stopped_at(notebook) if notebook is not None else (0, None)
    if cell is None:
        return _error(0, "", raised, "")
    reason = _reason(raised, limits)
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
    started = [n for n, cell in enumerate(code, start=1) if cell.metadata.get("papermill", {}).get("start_time")]
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


def _reason(raised: Exception, limits: Mapping[str, float]) -> str:
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    if isinstance(raised, CellTimeoutError):
        if limits["ran"] >= limits["notebook"]:
            return f"the notebook ran longer than {limits['notebook']:g} s and was stopped in this cell"
        return f"the cell ran longer than {limits['cell']:g} s and was stopped"
    if isinstance(raised, DeadKernelError):
        return "the kernel died while it ran this cell"
    return ""


def _error(number: int, source: str, raised: Exception, text: str) -> dict[str, Any]:
    text = text or _plain(str(raised))
    return {"number": number, "source": source, "ename": type(raised).__name__, "evalue": text, "traceback": text}


def _plain(text: str) -> str:
    return _COLOURS.sub("", text)
