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
    parser.add_argument("--single-file", action="store_true", help="write the whole as DIR/report.html too, for mail")
    other = "say which answers moved since the report in OTHER, a folder, and what differs"
    parser.add_argument("--compare", type=Path, metavar="OTHER", help=other)
    evidence_option(parser)


def report(
    notebooks: list[str],
    out: Path | None,
    jobs: int | None,
    single_file: bool,
    compare: Path | None,
    evidence: list[Path],
    json: bool,
) -> int:
    """Fit the evidence, run the notebooks, write the pages; ends with the two answers."""
    from ..evidence import evidence_hash
    from ..reporting.conflicts import said_first
    from ..reporting.report import report as make
    from .reference import reference

    found = make(
        notebooks,
        out,
        jobs=jobs,
        evidence=evidence,
        reference=reference(),
        single_file=single_file,
        compare_with=compare,
        on_progress=_say,
        on_notebook=_say_notebook,
    )
    if json:
        runs = [
            {"name": run.name, "status": run.status, "seconds": run.seconds, "html": str(found.page(run))}
            for run in found.runs
        ]
        asked = _asked(found)
        print_json({"index": str(found.index), "notebooks": runs, **asked, **envelope(evidence_hash(evidence))})
    else:
        print("\n".join([*said_first(evidence, plain=True), _text(found)]))
    return 1 if found.failed else 0


def _asked(found: Any) -> dict[str, Any]:
    """What is in the document only when it was asked for."""
    from ..reporting.comparison import comparison_document

    single = {"single_file": str(found.single)} if found.single else {}
    return single | ({"comparison": comparison_document(found.comparison)} if found.comparison else {})


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
    if found.comparison:
        from ..reporting.comparison import comparison_text

        lines += ["", comparison_text(found.comparison)]
    single = [f"As one file: {found.single}"] if found.single else []
    return "\n".join([*lines, "", f"The report: {found.index}", *single])
