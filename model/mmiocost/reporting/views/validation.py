"""Predicted against published: rows and sources that a fit has not seen, and how far its intervals can be trusted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ...evidence import Observation, load
from ...fitting.calibration import Coverage
from ...fitting.score import Score
from ...fitting.validation_result import read_validation
from ...whatif.scoring import score
from .. import charts
from ..display import Figure, Table, figure, table
from ..held_out import LeftOutRow, left_out_rows
from ..numbers import percent, quantity_text
from .frames import MISSING, fit_of

Folders = Sequence[str]


def scored_unseen(evidence: Folders) -> tuple[tuple[Observation, ...], Score]:
    """All observations that are not fitted, and how the present fit predicts those that it can."""
    known = load([Path(folder) for folder in evidence])
    unseen = tuple(row for row in known.observations if row.use != "fit")
    return unseen, score(unseen, known, fit_of(evidence))


def made() -> str:
    """When the kept result of the long checks was made, and whether it is out of date."""
    found = read_validation()
    return f"made {found.made[:10]}" + (f"; {found.why_not_current}" if found.why_not_current else "")


def held_out_figure() -> Figure:
    """Every cost of the joint fit as a fit predicts it that has not seen its source."""
    import pandas as pd

    rows = [item for item in left_out_rows(read_validation()) if not item.row.per]
    frame = pd.DataFrame(
        {
            "label": [f"{item.row.id}: {item.row.quantity}" for item in rows],
            "source": [item.row.source for item in rows],
            "measured": [item.measured for item in rows],
            "predicted": [item.predicted for item in rows],
            "low": [_edge(item, -1) for item in rows],
            "high": [_edge(item, 1) for item in rows],
            "ratio": [1 / item.factor for item in rows],
        }
    )
    within = sum(0.5 <= item.factor <= 2 for item in rows)
    see = (
        f"{sum(item.inside for item in rows)} of {len(rows)} costs lie in their 95 % interval and {within} within a"
        f" factor 2 of the prediction. Bars are intervals of 68 %. Points of one source share their machine, so they"
        f" move together: count sources rather than points."
    )
    chart = charts.measured_against_fitted(frame, unit="cycles", group="source", fitted="predicted")
    return figure(chart, title="Measured against predicted, each source by a fit without it", see=see)


def _edge(item: LeftOutRow, side: int) -> float:
    return item.predicted * math.exp(side * (item.half or 0.0))


def held_out_table() -> Table:
    """The same rows with their numbers, shares of a profile among them."""
    import pandas as pd

    rows = [
        (
            item.row.source, item.row.id, item.row.quantity, f"{item.row.machine}/{item.row.state}",
            quantity_text(item.measured, unit=_unit(item)),
            quantity_text(item.predicted, _edge(item, -1), _edge(item, 1), _unit(item)),
            quantity_text(round(item.z, 1)), "inside" if item.inside else "outside",
        )
        for item in left_out_rows(read_validation())
    ]  # fmt: skip
    columns = ["source left out", "observation", "quantity", "machine", "measured", "predicted [68 %]", "z", "95 %"]
    return table(pd.DataFrame(rows, columns=columns), f"Rows of the fit predicted without their source ({made()})")


def _unit(item: LeftOutRow) -> str:
    return "1" if item.row.per else "cycle"


def source_table(evidence: Folders = ()) -> Table:
    """Every source: its fitted rows predicted without it, its other rows predicted by the fit, and the rest."""
    import pandas as pd

    known = load([Path(folder) for folder in evidence])
    unseen, found = scored_unseen(evidence)
    held: dict[str, list[LeftOutRow]] = {}
    for item in left_out_rows(read_validation()):
        held.setdefault(item.row.source, []).append(item)
    reasons = dict(found.not_scored)
    rows = []
    for source in known.sources:
        scored = [item for item in found.observations if item.source == source]
        why = Counter(reasons[row.id] for row in unseen if row.source_id == source and row.id in reasons)
        rows.append(
            (
                source, *_left_out_cells(held.get(source, [])), _inside(scored), why.total(),
                why.most_common(1)[0][0] if why else MISSING,
            )
        )  # fmt: skip
    columns = [
        "source", "fitted rows inside, left out", "mean z", "median error", "other rows inside", "not predicted",
        "most frequent reason",
    ]  # fmt: skip
    return table(pd.DataFrame(rows, columns=columns), "Every source: rows inside their 95 % interval when predicted")


def _left_out_cells(rows: Sequence[LeftOutRow]) -> tuple[str, str, str]:
    if not rows:
        return MISSING, MISSING, MISSING
    mean = float(np.mean([item.z for item in rows]))
    error = float(np.median([abs(item.factor - 1) for item in rows]))
    return _inside(rows), quantity_text(round(mean, 1)), percent(round(error, 2))


def _inside(rows: Sequence[object]) -> str:
    return f"{sum(item.inside for item in rows)} of {len(rows)}" if rows else MISSING  # type: ignore[attr-defined]


def coverage_tables() -> Iterator[Table]:
    """Coverage by simulation and of rows left out, and the fit's intervals against those of refits by source."""
    import pandas as pd

    found = read_validation()
    rows = [
        (study.variant.name, item.cost, *_covered(item.coverage)) for study in found.studies for item in study.costs
    ]
    columns = ["truth", "cost", "50 %", "80 %", "95 %", "data sets"]
    yield table(pd.DataFrame(rows, columns=columns), f"Simulated data sets whose interval holds the truth ({made()})")
    held = [
        (
            item.scheme.left_out, item.scheme.known, counted, *_covered(coverage),
            percent(round(item.median_relative_error, 2)),
        )
        for item in found.held_out
        for counted, coverage in (("every row", item.coverage), ("every source once", item.by_source))
    ]  # fmt: skip
    columns = ["left out", "known of the machine", "counted", "50 %", "80 %", "95 %", "of", "median error"]
    yield table(pd.DataFrame(held, columns=columns), "Real rows predicted by fits that have not seen them")
    refits = [
        (
            item.cost, quantity_text(None, item.low, item.high, "cycle"),
            quantity_text(None, item.fit_low, item.fit_high, "cycle"), quantity_text(round(item.width_ratio, 2)),
            percent(round(item.lost, 2)),
        )
        for item in found.bootstrap
    ]  # fmt: skip
    columns = ["cost", "by refits", "of the fit", "width by refits over the fit's", "refits without a source for it"]
    caption = "Refits of sources drawn with replacement, a cross-check that needs no distribution of machines"
    yield table(pd.DataFrame(refits, columns=columns), caption)


def _covered(coverage: Sequence[Coverage]) -> tuple[str | int, ...]:
    return (*(percent(round(item.covered, 3)) for item in coverage), coverage[0].count)
