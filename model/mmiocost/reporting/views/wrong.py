"""Where the model is wrong, computed: sources, rows, quantities and workloads that it misses, intervals too narrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ...fitting.score import Scored
from ...fitting.store import current_summary
from ...fitting.validation_result import read_validation
from ..display import Table, table
from ..held_out import LeftOutRow, by_source, left_out_rows
from ..numbers import percent, quantity_text
from .validation import scored_unseen

Folders = Sequence[str]

FAR = 1.0  # mean z beyond which a source as a whole is off, since its rows share one machine
OUTLIER = 4.0  # standard deviations of a row, as the summary of the fit counts outliers
_WORST = 8


def where_wrong(evidence: Folders = ()) -> Iterator[Table]:
    """Five tables, each with what it says in its caption; a table without a finding says so."""
    rows = left_out_rows(read_validation())
    unseen = scored_unseen(evidence)[1].observations
    yield _sources()
    yield _outliers(evidence)
    yield _quantities(rows, unseen)
    yield _workloads(unseen)
    yield _narrow()


def _table(rows: Sequence[tuple[object, ...]], columns: Sequence[str], caption: str) -> Table:
    import pandas as pd

    shown = rows or [("none", *[""] * (len(columns) - 1))]
    return table(pd.DataFrame(shown, columns=list(columns)), caption)


def _sources() -> Table:
    held = by_source(read_validation())
    groups = sorted(held.groups if held else (), key=lambda group: -abs(group.mean_z))
    off = [group for group in groups if abs(group.mean_z) > FAR]
    rows = [
        (
            group.source, quantity_text(round(group.mean_z, 1)), f"{group.inside} of {group.rows}",
            "dearer than predicted" if group.mean_z > 0 else "cheaper than predicted",
        )
        for group in off
    ]  # fmt: skip
    caption = (
        f"Machines unlike the others: {len(off)} of {len(groups)} sources are off by more than {FAR:g} standard"
        f" deviation on average when left out"
    )
    return _table(rows, ["source", "mean z", "inside the 95 % interval", "its rows are"], caption)


def _outliers(evidence: Folders) -> Table:
    fitted = current_summary([Path(folder) for folder in evidence]).rows
    out = sorted(
        (row for row in fitted if abs(row.residual) > OUTLIER * row.sd), key=lambda row: -abs(row.residual / row.sd)
    )
    rows = [
        (
            row.id, row.quantity, f"{row.machine}/{row.state}", percent(round(float(np.expm1(row.residual)), 3)),
            percent(round(row.sd, 4)), percent(round(row.weight, 3)),
        )
        for row in out
    ]  # fmt: skip
    caption = f"Rows that contradict their own table: {len(out)} of {len(fitted)} stay off although they were fitted"
    columns = ["observation", "quantity", "machine", "fitted less measured", "its own error", "weight left"]
    return _table(rows, columns, caption)


def _quantities(rows: Sequence[LeftOutRow], unseen: Sequence[Scored]) -> Table:
    """Quantities by how far their rows are predicted off; a factor and its inverse are equally far."""
    found: dict[str, list[tuple[float, bool]]] = {}
    for item in rows:
        found.setdefault(item.row.quantity, []).append((item.factor, item.inside))
    for other in unseen:
        if other.kind != "workload":
            found.setdefault(other.quantity, []).append((other.predicted / other.measured, other.inside))
    ranked = sorted(found.items(), key=lambda pair: -_distance(pair[1]))
    shown = [
        (
            quantity, len(pairs), quantity_text(float(f"{np.exp(_distance(pairs)):.2g}")),
            f"{sum(factor < 1 for factor, _ in pairs)} of {len(pairs)}",
            f"{sum(inside for _, inside in pairs)} of {len(pairs)}",
        )
        for quantity, pairs in ranked[:_WORST]
    ]  # fmt: skip
    columns = ["quantity", "rows", "off by a factor (median)", "predicted too low", "inside the 95 % interval"]
    return _table(shown, columns, f"Quantities missed by most, of {len(found)} with rows that the fit had not seen")


def _distance(pairs: Sequence[tuple[float, bool]]) -> float:
    return float(np.median([abs(np.log(factor)) for factor, _ in pairs]))


def _workloads(unseen: Sequence[Scored]) -> Table:
    results = [item for item in unseen if item.kind == "workload"]
    missed = [item for item in results if not item.inside]
    rows = [
        (
            item.id, item.quantity, quantity_text(item.measured, unit=_unit(item)),
            quantity_text(item.predicted, item.low, item.high, _unit(item)), item.assumed,
        )
        for item in missed
    ]  # fmt: skip
    caption = f"Workload results outside their interval: {len(missed)} of {len(results)}, under the values assumed"
    return _table(rows, ["observation", "quantity", "published", "predicted", "assumed"], caption)


def _unit(item: Scored) -> str:
    return "%" if item.unit == "percent" else item.unit


def _narrow() -> Table:
    notes = read_validation().notes
    narrow = sum("too narrow" in note for note in notes)
    return _table([(note,) for note in notes], ["finding"], f"Intervals that cover too little: {narrow} findings")
