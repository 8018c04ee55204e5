"""A cost, saving or rate of a scenario with its interval, what it rests on and what makes it wide."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..equations.lowering import kernel
from ..errors import InvalidInput
from ..fitting.design import Array
from ..fitting.fit import EXTENTS, LEVEL, Fit
from ..fitting.intervals import interval
from ..fitting.parameters import ANCHOR, is_relative
from ..fitting.prediction import sources_of, weighted_costs, with_row_error
from ..fitting.store import current_fit
from ..fitting.weights import TABLE
from .clock import clock_of
from .scenario import Scenario
from .terms import REGRESSION, SPEEDUP, by_parameter, hit_path, indicators, quantity_terms, remarks, search_kind

INTERVALS = ("known_machine", "new_machine", "new_measurement")
EXIT_KINDS = "the kind of exit"


@dataclass(frozen=True)
class Width:
    """The uncertainty that makes an interval widest: ``left`` of the width would stay if it were known."""

    parameter: str
    left: float


@dataclass(frozen=True)
class Prediction:
    """A predicted quantity with an interval at ``level``; an open side is None.

    ``outside`` names the symbols that leave the range of the evidence; ``prior_bounded`` the cost parameters
    that nothing measures; ``probability_positive`` is the share of draws above 0.
    """

    quantity: str
    value: float
    low: float | None
    high: float | None
    unit: str
    level: float
    interval: str
    machine: str
    extrapolates: bool
    outside: tuple[str, ...]
    prior_bounded: tuple[str, ...]
    sources: tuple[str, ...]
    widest: Width | None
    probability_positive: float
    notes: tuple[str, ...]
    evidence: str


def predict(
    quantity: str,
    scenario: Scenario | None = None,
    *,
    interval_kind: str | None = None,
    unit: str | None = None,
    clock_hz: float | None = None,
    evidence: Sequence[os.PathLike[str]] = (),
) -> Prediction:
    """Predict ``cost:PATH``, ``saving:fast_mmio``, ``speedup:fast_mmio`` or ``regression:bypass_guest_pf``.

    Costs and savings are in cycles; in ns with ``unit="ns"``, at ``clock_hz`` or else the machine's clock
    (``clock``). The regression is in cycles per second (positive: the switch loses), the speed-up a ratio of
    transaction rates. The interval is that of the mean of a known machine, of a machine not yet measured, or of one
    new measurement. Raises InvalidInput.
    """
    scenario = scenario or Scenario()
    folders = [Path(folder) for folder in evidence]
    fit = current_fit(folders)
    kind = _kind(interval_kind, scenario, fit)
    terms, full = quantity_terms(quantity, scenario, **indicators(scenario, fit))
    counts = by_parameter(terms, scenario, fit)
    machine, state = fit.locate(scenario.machine)
    draws = weighted_costs(fit, counts, machine, state)
    if kind == "new_measurement":
        draws = with_row_error(draws, TABLE)
    shown = _transformed(quantity, draws, full)
    notes = [*scenario.notes, *remarks(scenario)]
    if unit == "ns" and quantity in (SPEEDUP, REGRESSION):
        raise InvalidInput.one("--unit", "", "ns", f"{quantity} is no number of cycles")
    if unit == "ns":
        clock = clock_of(scenario, clock_hz, folders)
        shown = shown * clock.ns_per_cycle(len(shown))
        notes.append(clock.note)
    found = interval(shown)
    outside = outside_of(quantity, full, fit, scenario)
    return Prediction(
        quantity, found.value, found.low, found.high, unit or _unit(quantity), LEVEL, kind, scenario.machine,
        bool(outside), outside, fit.prior_bounded(list(counts), machine, state), sources_of(fit, list(counts)),
        widest(fit, counts, machine, state), float(np.mean(shown > (1 if quantity == SPEEDUP else 0))),
        tuple(notes), fit.evidence,
    )  # fmt: skip


def _kind(asked: str | None, scenario: Scenario, fit: Fit) -> str:
    machine, _ = fit.locate(scenario.machine)
    kind = asked or ("known_machine" if machine else "new_machine")
    if kind not in INTERVALS:
        raise InvalidInput.one("--interval", "", kind, f"must be one of {', '.join(INTERVALS)}")
    if kind == "known_machine" and not machine:
        raise InvalidInput.one("--interval", "", kind, "needs a machine of the evidence: add --machine")
    if kind == "new_machine" and machine:
        raise InvalidInput.one("--interval", "", kind, "is for a machine not yet measured: leave --machine out")
    return kind


def _unit(quantity: str) -> str:
    return {SPEEDUP: "1", REGRESSION: "cycle/s"}.get(quantity, "cycle")


def _transformed(quantity: str, draws: Array, full: Mapping[str, Any]) -> Array:
    """Cycles saved per access turned into a ratio of transaction rates, where that is asked for."""
    if quantity != SPEEDUP:
        return draws
    if "cycles_per_transaction" not in full:
        allowed = "must be set: the cycles of one transaction before the change"
        raise InvalidInput.one("--set", "cycles_per_transaction", "", allowed)
    gone = draws * full["accesses_per_transaction"]
    if np.median(gone) >= full["cycles_per_transaction"]:
        allowed = f"must be more than the {np.median(gone):.0f} cycles that its accesses would save"
        raise InvalidInput.one("--set", "cycles_per_transaction", f"{full['cycles_per_transaction']:g}", allowed)
    return np.asarray(kernel("speedup")({**full, "saving": draws})["value"])


def outside_of(quantity: str, full: Mapping[str, Any], fit: Fit, scenario: Scenario) -> tuple[str, ...]:
    """Extents of the scenario that lie beyond the values in the evidence; ``slots`` by kind of search."""
    if quantity.startswith("cost:"):
        name = path = quantity.removeprefix("cost:")
    elif quantity == REGRESSION:
        name, path = "regression", "v30.shadow.guest_fault"
    else:  # a hit itself searches no slots in vain: it is the saving that does
        name, path = f"saving:{scenario.mode}:{scenario.after}", hit_path(scenario)
    used = kernel(name).arguments
    found = [extent for extent in EXTENTS if extent in used and _beyond(fit.ranges.get(extent), full[extent])]
    if "slots" in used and _beyond(fit.ranges.get(f"slots:{search_kind(path)}"), full["slots"]):
        found.append("slots")
    return tuple(found)


def _beyond(known: tuple[float, float] | None, value: float) -> bool:
    return known is None or not known[0] <= value <= known[1]


def widest(fit: Fit, counts: Mapping[str, float], machine: str = "", state: str = "") -> Width | None:
    """The parameter whose knowledge would narrow a sum of costs most."""
    return min(widths(fit, counts, machine, state), key=lambda width: width.left, default=None)


def widths(fit: Fit, counts: Mapping[str, float], machine: str = "", state: str = "") -> tuple[Width, ...]:
    """What would stay of the width of a sum of costs if one parameter were known, the kinds of exit taken as one."""
    names = [name for name, count in counts.items() if count != 0]
    if not names:
        return ()
    logs = fit.log_costs(names, machine, state)
    weights = np.array([float(counts[name]) for name in names])
    whole = _width(np.exp(logs) @ weights)
    groups: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        exit_kind = name == ANCHOR or is_relative(fit.priors[name])
        groups.setdefault(EXIT_KINDS if exit_kind else name, []).append(column)
    found = []
    for group, columns in groups.items():
        fixed = logs.copy()
        fixed[:, columns] = np.median(logs[:, columns], axis=0)
        found.append(Width(group, _width(np.exp(fixed) @ weights) / whole if whole else 1.0))
    return tuple(found)


def _width(draws: Array) -> float:
    found = interval(draws)
    assert found.low is not None and found.high is not None  # costs are finite
    return found.high - found.low
