"""How far the intervals can be trusted: the kept result of the long checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...fitting.calibration import Coverage
from ...fitting.validation_result import read_validation
from ..display import Table, table
from ..numbers import percent, quantity_text


def coverage_tables() -> Iterator[Table]:
    """Coverage by simulation, of rows left out, and by source; then what under-covers, in words."""
    import pandas as pd

    found = read_validation()
    made = f"made {found.made[:10]}" + (f"; {found.why_not_current}" if found.why_not_current else "")
    rows = [
        (study.variant.name, item.cost, *_covered(item.coverage)) for study in found.studies for item in study.costs
    ]
    columns = ["truth", "cost", "50 %", "80 %", "95 %", "data sets"]
    yield table(pd.DataFrame(rows, columns=columns), f"Simulated data sets whose interval holds the truth ({made})")
    rows = [
        (
            item.scheme.left_out,
            item.scheme.known,
            *_covered(item.coverage),
            percent(round(item.median_relative_error, 2)),
        )
        for item in found.held_out
    ]
    columns = ["left out", "known of the machine", "50 %", "80 %", "95 %", "rows", "median error"]
    yield table(pd.DataFrame(rows, columns=columns), "Real rows predicted by fits that have not seen them")
    groups = [(group.source, group.rows, group.inside, group.mean_z) for group in found.held_out[0].groups]
    frame = pd.DataFrame(groups, columns=["source left out", "rows", "inside the 95 % interval", "mean z"])
    frame["mean z"] = [quantity_text(round(value, 1)) for value in frame["mean z"]]
    yield table(frame, "The same by source, nothing known of its machine; rows of one source share their error")
    yield table(pd.DataFrame({"note": found.notes}), "What this says against the intervals")


def _covered(coverage: Sequence[Coverage]) -> tuple[str | int, ...]:
    return (*(percent(round(item.covered, 3)) for item in coverage), coverage[0].count)
