"""Slot searches and dependent reads in user space, as the live probe measures them beside the VMs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import charts
from ..display import Figure, Table, figure, table
from ..numbers import quantity_text
from .probe import runs_of

if TYPE_CHECKING:
    import pandas as pd

Folders = Sequence[str]


def _searches(evidence: Folders) -> pd.DataFrame:
    import pandas as pd

    rows = [
        (item["size"], f"{item['structure']}, {run.name}", item["value"], item["low"], item["high"])
        for run in runs_of(evidence)
        for item in run.benchmarks
        if item["benchmark"] == "slot_search"
    ]
    return pd.DataFrame(rows, columns=["slots", "structure", "value", "low", "high"])


def slot_search_benchmarks(evidence: Folders = ()) -> Figure:
    """User-space searches over as many records as there are slots, by structure."""
    frame = _searches(evidence)
    chart = charts.saving_vs_slots(frame, unit="ns", case="structure", quantity="One search that finds nothing")
    most = frame[frame["slots"] == frame["slots"].max()]
    told = "; ".join(
        f"{name} {quantity_text(float(f'{value:.3g}'), unit='ns')}"
        for name, value in zip(most["structure"], most["value"], strict=True)
    )
    see = f"With {quantity_text(float(frame['slots'].max()))} slots, whose records leave the inner caches: {told}."
    return figure(chart, title="Slot searches in user space", see=see)


def page_read_benchmarks(evidence: Folders = ()) -> Table:
    """Dependent reads over working sets, as a walk of page tables makes them."""
    import pandas as pd

    rows = [
        (f"{item['structure']}, {run.name}", f"{item['size'] >> 10} KiB",
         quantity_text(item["value"], item["low"], item["high"], "ns"), quantity_text(item["tsc_cycles"]))
        for run in runs_of(evidence)
        for item in run.benchmarks
        if item["benchmark"] == "page_table_read"
    ]  # fmt: skip
    columns = ["reads", "working set", "one read", "TSC cycles"]
    return table(pd.DataFrame(rows, columns=columns), "Dependent reads by working set, TLB misses included")
