"""Helpers of the views: intervals as cells, scenarios with one value changed, progressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...fitting.fit import MEDIAN_MACHINE, Fit
from ...fitting.intervals import interval
from ...fitting.parameters import parameter_counts
from ...fitting.prediction import weighted_costs
from ...fitting.store import current_fit
from ...whatif.scenario import Scenario
from ..answers import SURE
from ..numbers import percent, quantity_text

MISSING = "–"
UNDECIDED = "undecided"


def fit_of(evidence: Sequence[str]) -> Fit:
    """The fit of the packaged evidence and the user's folders."""
    return current_fit([Path(folder) for folder in evidence])


def cell(found: Any, unit: str = "cycle") -> str:
    """Value and interval of anything that has ``value``, ``low`` and ``high``."""
    return quantity_text(found.value, found.low, found.high, unit)


def winner(probability: float, likely: str, unlikely: str) -> tuple[str, str]:
    """Which side wins by the share of draws for the first one, if enough of them agree; and that share as text."""
    name = likely if probability >= SURE else unlikely if probability <= 1 - SURE else UNDECIDED
    return name, percent(round(probability, 3))


def changed(scenario: Scenario, **counts: int) -> Scenario:
    """The scenario with some symbols of one access set."""
    return replace(scenario, counts={**scenario.counts, **counts})


def mixed(scenario: Scenario, **mix: float) -> Scenario:
    """The scenario with some means and rates set."""
    return replace(scenario, mix={**scenario.mix, **mix})


def cost_row(fit: Fit, terms: Mapping[str, Any], machine: str = MEDIAN_MACHINE, state: str = "") -> Any:
    """Interval of the cost of so many events, in cycles."""
    counts = parameter_counts(terms, fit.states.get((machine, state)))
    return interval(weighted_costs(fit, counts, machine, state))


def doubling(first: int, last: int) -> tuple[int, ...]:
    """Whole numbers from first to last, about twice as large each."""
    values = [first]
    while values[-1] * 2 < last:
        values.append(values[-1] * 2)
    return (*values, last)
