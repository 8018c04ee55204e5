"""What the evidence is, what the fit makes of it, and what it can't tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...evidence import load
from ...fitting.fit import MEDIAN_MACHINE
from ...fitting.rows import fit_rows
from ...fitting.store import current_fit, current_summary
from ...fitting.summary import Estimate, RowFit
from ...fitting.sums import known_sums
from ...whatif.scoring import score
from .. import charts
from ..conflicts import said_first
from ..display import Figure, Table, figure, table
from ..imports import YOURS, machine_label, own_machines
from ..numbers import percent, quantity_text
from .frames import cell

if TYPE_CHECKING:
    import pandas as pd

Folders = Sequence[str]


def _folders(evidence: Folders) -> list[Path]:
    return [Path(folder) for folder in evidence]


def own_evidence(evidence: Folders = ()) -> Table:
    """What the user's own evidence says against the packaged fit, and whether it is fitted alone."""
    import pandas as pd

    said = said_first(_folders(evidence)) or ("None is added; `mmiocost report --evidence DIR` adds it.",)
    frame = pd.DataFrame({"finding": said})
    return table(frame, "Your own evidence against the packaged fit")


def sources(evidence: Folders = ()) -> Table:
    """Every source with the number of its observations and how many of them are fitted."""
    import pandas as pd

    known = load(_folders(evidence))
    rows = []
    for source in known.sources.values():
        found = [row for row in known.observations if row.source_id == source.id]
        fitted = sum(row.use == "fit" for row in found)
        rows.append((source.id, source.author, source.date, source.quality, len(found), fitted, source.path))
    columns = ["source", "author", "date", "quality", "observations", "fitted", "address"]
    return table(pd.DataFrame(rows, columns=columns), "Sources of the evidence")


def machines(evidence: Folders = ()) -> Table:
    """Machines of the joint fit with their states; the user's own are marked and come first."""
    import pandas as pd

    known = load(_folders(evidence))
    own = own_machines(known)
    count: dict[tuple[str, str, str, str], int] = {}
    for row in known.observations:
        if row.use == "fit":
            key = (
                machine_label(row.machine, own),
                row.state,
                row.cpu or "not named",
                row.generation or MISSING_GENERATION,
            )
            count[key] = count.get(key, 0) + 1
    ordered = sorted(count.items(), key=lambda item: not item[0][0].endswith(YOURS))
    frame = pd.DataFrame([(*key, number) for key, number in ordered])
    frame.columns = pd.Index(["machine", "state", "CPU", "generation", "rows"])
    return table(frame, "Machines and states whose costs are fitted")


MISSING_GENERATION = "any"


def excluded_kinds(evidence: Folders = ()) -> Table:
    """How many observations have which use, and the reasons given most often."""
    import pandas as pd

    count: dict[tuple[str, str], int] = {}
    for row in load(_folders(evidence)).observations:
        key = (row.use, row.use_why or "row of the joint cost fit")
        count[key] = count.get(key, 0) + 1
    rows = sorted(((*key, number) for key, number in count.items()), key=lambda row: -row[2])
    return table(pd.DataFrame(rows, columns=["use", "reason", "rows"]), "What each observation is used for")


def _costs(evidence: Folders) -> list[RowFit]:
    return [row for row in current_summary(_folders(evidence)).rows if row.unit == "cycle"]


def measured_against_fitted(evidence: Folders = ()) -> Figure:
    """Every cost row of the fit, measured against fitted, with the ratio below; the user's own machines come first."""
    import pandas as pd

    own = own_machines(load(_folders(evidence)))
    rows = sorted(_costs(evidence), key=lambda row: row.machine not in own)
    frame = pd.DataFrame(
        {
            "label": [f"{row.id}: {row.quantity}" for row in rows],
            "machine": [machine_label(row.machine, own) for row in rows],
            "measured": [row.measured for row in rows],
            "fitted": [row.fitted for row in rows],
            "low": [row.low for row in rows],
            "high": [row.high for row in rows],
            "ratio": [row.measured / row.fitted for row in rows],
        }
    )
    worst = max(rows, key=lambda row: abs(row.residual))
    see = (
        f"Points on the line are reproduced. The farthest is {worst.id} ({worst.quantity}), which the fit misses by"
        f" {percent(round(abs(worst.residual), 2))}; robust fitting left it {percent(round(worst.weight, 3))} of its"
        f" weight."
    )
    chart = charts.measured_against_fitted(frame, unit="cycles", group="machine")
    return figure(chart, title="Measured against fitted costs", see=see)


def residual_tables(evidence: Folders = ()) -> Iterator[Table]:
    """For each published table, its rows measured against fitted."""
    by_source: dict[str, list[RowFit]] = {}
    for row in current_summary(_folders(evidence)).rows:
        by_source.setdefault(row.source, []).append(row)
    for source, rows in by_source.items():
        yield table(_residual_frame(rows), f"{source}: measured against fitted")


def _residual_frame(rows: Sequence[RowFit]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "observation": [row.id for row in rows],
            "state": [row.state for row in rows],
            "quantity": [row.quantity for row in rows],
            "path": [row.path or "sum of events" for row in rows],
            "published": [quantity_text(row.published, unit=_shown(row.published_unit)) for row in rows],
            "harness": [quantity_text(row.harness) for row in rows],
            "measured": [quantity_text(row.measured, unit=row.unit) for row in rows],
            "fitted": [quantity_text(row.fitted, row.low, row.high, row.unit) for row in rows],
            "fitted/measured": [percent(round(row.fitted / row.measured - 1, 4)) for row in rows],
            "weight kept": [percent(round(row.weight, 2)) for row in rows],
        }
    )


def _shown(unit: str) -> str:
    return "%" if unit == "percent" else unit


def checked_rows(evidence: Folders = ()) -> Table:
    """Rows that the fit has not seen (use: check), predicted as new measurements."""
    import pandas as pd

    known = load(_folders(evidence))
    found = score((row for row in known.observations if row.use == "check"), known, current_fit(_folders(evidence)))
    rows = [
        (
            item.id,
            item.quantity,
            item.machine,
            quantity_text(item.measured, unit=_shown(item.unit)),
            quantity_text(item.predicted, item.low, item.high, _shown(item.unit)),
            "inside" if item.inside else "outside",
        )
        for item in found.observations
    ]
    columns = ["observation", "quantity", "predicted for", "measured", "predicted", "95 % interval"]
    inside = f"{sum(item.inside for item in found.observations)} of {len(rows)} inside their interval"
    return table(pd.DataFrame(rows, columns=columns), f"Rows kept out of the fit: {inside}")


def _median(evidence: Folders) -> list[Estimate]:
    return [item for item in current_summary(_folders(evidence)).parameters if item.machine == MEDIAN_MACHINE]


def _verdict(item: Estimate) -> str:
    if item.identified:
        return "identified"
    return "assumed: no row informs it" if item.prior_bounded else "bounded above"


def parameter_figure(evidence: Folders = ()) -> Figure:
    """Costs of the median machine with their intervals, by what the evidence says of them."""
    import pandas as pd

    found = [item for item in _median(evidence) if item.high is not None]
    edge = min(item.low for item in found if item.low is not None)  # a bound's bar reaches the edge of the chart
    frame = pd.DataFrame(
        {
            "name": [item.name for item in found],
            "verdict": [_verdict(item) for item in found],
            "value": [item.value if item.low is not None else None for item in found],
            "low": [item.low if item.low is not None else edge for item in found],
            "high": [item.high for item in found],
        }
    )
    identified = sum(item.identified for item in found)
    see = (
        f"{identified} of {len(found)} costs are identified by the evidence; a bar without a point is a bound; the"
        f" rest are assumptions with their width, which no row informs."
    )
    chart = charts.parameter_intervals(frame, unit="cycles", kind="verdict")
    return figure(chart, title="Cost of each event on the median machine", see=see)


def parameter_table(evidence: Folders = ()) -> Table:
    """The same as a table, with how far the rows narrowed each prior and the sources."""
    import pandas as pd

    fit = current_fit(_folders(evidence))
    found = _median(evidence)
    frame = pd.DataFrame(
        {
            "cost": [item.name for item in found],
            "cycles": [
                quantity_text(item.value if item.low is not None else None, item.low, item.high) for item in found
            ],
            "verdict": [_verdict(item) for item in found],
            "width left of the prior's": [percent(round(min(1.0, fit.width_left(item.name)), 2)) for item in found],
            "sources": [", ".join(item.sources) for item in found],
        }
    )
    return table(frame, "Costs of the median machine, 95 % confidence intervals")


def identified_sums(evidence: Folders = ()) -> Table:
    """Sums that are known although their parts are not: what can't be told apart by this evidence."""
    import pandas as pd

    sums = known_sums(current_fit(_folders(evidence)), fit_rows(load(_folders(evidence))))
    rows = [(item.machine, item.state, _named(item.parts), cell(item.cycles)) for item in sums]
    columns = ["machine", "state", "can't be told apart", "together"]
    return table(pd.DataFrame(rows, columns=columns), "Known only as sums")


def _named(parts: Sequence[tuple[str, float]]) -> str:
    named = (name if count == 1 else f"{count:g} {name}" for name, count in parts)
    return " + ".join(named).replace("+ -", "− ")
