"""``report``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from .options import Commands, add_command, evidence_option, positive
from .output import envelope, print_json, quantity_text

_ROWS = 4  # of an answer on the terminal; the page has all


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "report", report)
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="names or files; default: all")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: reports/latest")
    parser.add_argument("--jobs", type=positive, metavar="N", help="notebooks at once")
    evidence_option(parser)


def report(notebooks: list[str], out: Path | None, jobs: int | None, evidence: list[Path], json: bool) -> int:
    """Fit the evidence, run the notebooks, write the pages; ends with the two answers."""
    from ..evidence import evidence_hash
    from ..reporting.conflicts import said_first
    from ..reporting.report import report as make

    found = make(notebooks, out, jobs=jobs, evidence=evidence, on_progress=_say, on_notebook=_say_notebook)
    if json:
        runs = [
            {"name": run.name, "status": run.status, "seconds": run.seconds, "html": str(found.page(run))}
            for run in found.runs
        ]
        print_json({"index": str(found.index), "notebooks": runs, **envelope(evidence_hash(evidence))})
    else:
        print("\n".join([*said_first(evidence, plain=True), _text(found)]))
    return 1 if found.failed else 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _say_notebook(run: Any) -> None:
    told = {"executed": f"{run.seconds:.1f} s", "unchanged": "unchanged, not executed", "failed": "FAILED"}
    _say(f"  {run.name}: {told[run.status]}")
    if run.error is not None:
        where = f"cell {run.error.number}" if run.error.number else "kernel"
        _say(f"    {where}: {run.error.ename}: {run.error.evalue}")
        for line in run.error.source.splitlines()[:20]:
            _say(f"    | {line}")


def _text(found: Any) -> str:
    lines = []
    for answer in found.answers:
        lines += ["", answer.question, f"  {answer.sentence}"]
        for row in answer.rows[:_ROWS]:
            value = row.note if row.value is None else quantity_text(row.value, row.low, row.high, row.unit)
            lines.append(f"    {row.label}: {value}")
        lines.append(f"  {answer.widest}")
    return "\n".join([*lines, "", f"The report: {found.index}"])
