"""Rows of a batch that never ran, for the tests of its summary."""

from __future__ import annotations

from pathlib import Path

from samples import HOSTILE, code, prose, write_notebook

from mmiocost.execution import CellError, NotebookRun, Recorded
from mmiocost.reporting.batch_table import Row
from mmiocost.whatif.scenario import Scenario

ABOUT = {"version": "0.1.0", "evidence": "ab" * 8, "grid": "grid.yaml"}
_FAILED = CellError(2, "1 / 0", "ValueError", HOSTILE, "")


def rows(folder: Path, count: int, name: str = "s") -> list[Row]:
    """So many scenarios over slots and mode, the last one failed, with executed notebooks in ``folder``."""
    notebook = write_notebook(folder / "run.ipynb", prose("# A scenario"), code("1"))
    return [_row(number, number == count - 1 > 0, notebook, f"{name}{number}") for number in range(count)]


def _row(number: int, failed: bool, notebook: Path, name: str) -> Row:
    scenario = Scenario(name, mode=("ept", "shadow")[number % 2], counts={"slots": 1 + number // 2})
    values = (
        Recorded("saving:fast_mmio", 10.0 * number, 10.0 * number - 10, 10.0 * number + 12, "cycle"),
        Recorded("regression:bypass_guest_pf", None, None, 5e6, "cycle/s"),
    )
    error = _FAILED if failed else None
    status = "failed" if failed else "executed"
    run = NotebookRun(f"s{number}.run", status, 1.0, notebook, error, "new", "", () if failed else values)
    return Row(name, "run", scenario, run)
