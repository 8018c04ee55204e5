"""``fit`` and ``score``."""

from __future__ import annotations

import json as json_text
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..cache import write_atomically
from ..errors import InvalidInput
from .options import Commands, add_command, evidence_option
from .output import envelope, in_columns, percent, print_json, quantity_text


def register(commands: Commands) -> None:
    """Add the commands."""
    fitted = add_command(commands, "fit", fit)
    fitted.add_argument("--out", type=Path, metavar="FILE", help="write the JSON document to a file too")
    evidence_option(fitted)
    scored = add_command(commands, "score", score)
    scored.add_argument("file", type=Path, metavar="FILE.csv", help="rows in the schema of data/observations.csv")
    evidence_option(scored)


def fit(out: Path | None, evidence: list[Path], json: bool) -> None:
    """Parameters of the joint fit with their intervals, and how well it reproduces its rows."""
    from ..evidence import Folders, evidence_hash
    from ..fitting.conflict import conflicts
    from ..fitting.identifiability import current_identifiability
    from ..fitting.store import current_summary
    from ..fitting.validation_result import read_validation
    from ..reporting.identifiability import identifiability_document, statements

    told = current_identifiability(evidence)
    found = current_summary(evidence)
    document = {
        "parameters": [asdict(item) for item in found.parameters],
        "validation": {**found.validation, "kept_checks": read_validation().document()},
        "scatter": found.scatter,
        **identifiability_document(told),
        "conflicts": [
            {"host": item.host, **asdict(item), "outside": len(item.outside)} for item in conflicts(evidence)
        ],
        "notes": Folders.of(evidence).notes,
        **envelope(evidence_hash(evidence)),
    }
    if out is not None:
        _write(out, document)
    if json:
        print_json(document)
    else:
        from ..reporting.conflicts import said_first

        said = statements(told, plain=True)
        print("\n".join([*said_first(evidence, plain=True), _fit_text(found), *(["", *said] if said else [])]))


def _write(out: Path, document: dict[str, Any]) -> None:
    try:
        write_atomically(out, json_text.dumps(document, indent=1) + "\n")
    except OSError as error:
        raise InvalidInput.one(str(out), "", "", f"can't be written: {error.strerror}") from error


def _fit_text(found: Any) -> str:
    rows = [("cost on the median machine", "95 % interval", "")]
    for item in found.parameters:
        if item.machine == "median machine":
            verdict = (
                "identified"
                if item.identified
                else "assumed, no row informs it"
                if item.prior_bounded
                else "bounded above"
            )
            value = item.value if item.low is not None else None
            rows.append((item.name, quantity_text(value, item.low, item.high, item.unit), verdict))
    quality = found.validation
    return (
        f"{in_columns(rows)}\n\n{quality['rows']} rows of {quality['machines']} machines in {quality['states']} states;"
        f" median residual {percent(quality['median_abs_log_residual'])},"
        f" largest {percent(quality['largest_abs_log_residual'])}, {quality['outliers']} outliers"
    )


def score(file: Path, evidence: list[Path], json: bool) -> None:
    """The fit held against other observations: every row is scored or listed with the reason why not."""
    from ..evidence import evidence_hash, load, read_measurements
    from ..fitting.store import current_fit
    from ..whatif.scoring import score as held_against

    rows, notices = read_measurements(file)
    for line in notices:
        print(line, file=sys.stderr)
    found = held_against(rows, load(evidence), current_fit(evidence))
    if json:
        print_json(
            {
                "observations": [vars(item) for item in found.observations],
                "scored": len(found.observations),
                "not_scored": [{"id": id_, "why": why} for id_, why in found.not_scored],
                "coverage": found.coverage,
                "median_relative_error": found.median_relative_error,
                "kinds": [asdict(item) for item in found.kinds()],
                **envelope(evidence_hash(evidence)),
            }
        )
    else:
        print(_score_text(found))


def _score_text(found: Any) -> str:
    lines = []
    for item in found.observations:
        mark = " " if item.inside else "!"
        unit = "%" if item.unit == "percent" else item.unit
        predicted = quantity_text(item.predicted, item.low, item.high, unit)
        lines.append(
            (f"{mark} {item.id}", quantity_text(item.measured, unit=unit), f"predicted {predicted}", item.machine)
        )
    parts = [in_columns(lines)] if lines else []
    parts += [f"- {id_}: not scored: {why}" for id_, why in found.not_scored]
    assumed = dict.fromkeys(item.assumed for item in found.observations if item.assumed)
    parts += [f"workload rows assume {text}" for text in assumed]
    parts += [_kind_text(kind) for kind in found.kinds()]
    if found.observations:
        parts.append(
            f"{len(found.observations)} scored, {len(found.not_scored)} not; {percent(found.coverage)} inside the 95 %"
            f" interval, median relative error {percent(found.median_relative_error)}"
        )
    else:
        parts.append(f"no row could be scored; {len(found.not_scored)} listed with the reason")
    return "\n".join(parts)


def _kind_text(kind: Any) -> str:
    seen = f", {kind.seen} of them seen by the fit" if kind.seen else ""
    return (
        f"{kind.kind}: {kind.scored} rows{seen}; {percent(kind.coverage)} inside, median relative error"
        f" {percent(kind.median_relative_error)}"
    )
