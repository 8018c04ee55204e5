"""The packaged fit held against observations it has not seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..evidence import Evidence, Observation
from .fit import Fit
from .intervals import interval
from .prediction import weighted_costs, with_row_error
from .rows import NotScored, Row, row_of


@dataclass(frozen=True)
class Scored:
    """One observation predicted: an interval for a new measurement, in the unit in which it was published."""

    id: str
    quantity: str
    machine: str
    measured: float
    predicted: float
    low: float
    high: float
    unit: str
    inside: bool
    interval: str


@dataclass(frozen=True)
class Score:
    """All rows of a file: those scored, those not with the reason, coverage and median relative error.

    Coverage and error are None when no row could be scored.
    """

    observations: tuple[Scored, ...]
    not_scored: tuple[tuple[str, str], ...]
    coverage: float | None
    median_relative_error: float | None


def score(observations: Iterable[Observation], evidence: Evidence, fit: Fit) -> Score:
    """Predict every observation that the model covers and compare; the rest is listed with the reason."""
    scored, not_scored = [], []
    for observation in observations:
        try:
            scored.append(_scored(row_of(observation, evidence), fit))
        except NotScored as reason:
            not_scored.append((observation.id, str(reason)))
    errors = [abs(item.predicted / item.measured - 1) for item in scored]
    return Score(
        tuple(scored),
        tuple(not_scored),
        sum(item.inside for item in scored) / len(scored) if scored else None,
        float(np.median(errors)) if errors else None,
    )


def _scored(row: Row, fit: Fit) -> Scored:
    machine, state = _known(row, fit)
    draws = weighted_costs(fit, row.counts, machine, state)
    if row.per:
        draws = draws / weighted_costs(fit, row.per, machine, state)
    scale = row.published / (np.exp(row.log_value) + row.harness)
    found = interval((with_row_error(draws, row.sd) + row.harness) * scale)
    low, high = found.low or 0.0, found.high or np.inf
    place = "/".join(part for part in (machine, state) if part) or "new machine"
    return Scored(
        row.id, row.quantity, place, row.published, found.value, low, high, row.unit,
        low <= row.published <= high, "new_measurement",
    )  # fmt: skip


def _known(row: Row, fit: Fit) -> tuple[str, str]:
    """The machine and state of the evidence that a row belongs to, as far as they are known."""
    if (row.machine, row.state) in fit.states:
        return row.machine, row.state
    return (row.machine, "") if row.machine in fit.machines() else ("", "")
