"""A fit held against any observations: costs and shares by the fit, workload results by what a store saves."""

from __future__ import annotations

from collections.abc import Iterable

from ..evidence import Evidence, Observation
from ..fitting.fit import Fit
from ..fitting.score import Score, summed_up, verdicts, why_not
from .workload_rows import workload_verdicts


def score(observations: Iterable[Observation], evidence: Evidence, fit: Fit) -> Score:
    """Predict every observation that the model covers and compare; the rest is listed with the reason, in order."""
    rows = tuple(observations)
    workloads = [row for row in rows if _is_workload(row, evidence)]
    others = [row for row in rows if not _is_workload(row, evidence)]
    found = iter(verdicts(others, evidence, fit))
    of_workloads = iter(workload_verdicts(workloads, evidence, fit))
    return summed_up(next(of_workloads if _is_workload(row, evidence) else found) for row in rows)


def _is_workload(row: Observation, evidence: Evidence) -> bool:
    quantity = evidence.quantities.get(row.quantity)
    return quantity is not None and quantity.kind == "workload" and not why_not(row, evidence)
