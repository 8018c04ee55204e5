"""A cost, saving or rate of a scenario with its interval, what it rests on and what makes it wide."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..equations.lowering import kernel
from ..errors import InvalidInput
from ..evidence import Folders
from ..fitting.design import Array
from ..fitting.fit import LEVEL
from ..fitting.intervals import interval
from ..fitting.prediction import sources_of, with_row_error
from ..fitting.store import current_fit
from ..fitting.weights import TABLE
from .clock import Clock, clock_of
from .extents import beyond, ranges
from .scenario import Scenario
from .terms import (
    OVERHEAD,
    REGRESSION,
    SPEEDUP,
    by_parameter,
    indicators,
    quantity_kernel,
    remark_on_wraps,
    remarks,
)
from .widths import Draws, Width, widths

__all__ = ["INTERVALS", "Prediction", "Predictor", "Width", "predict", "widths"]

INTERVALS = ("known_machine", "new_machine", "new_measurement")


@dataclass(frozen=True)
class Prediction:
    """A predicted quantity with an interval at ``level``; an open side is None.

    ``outside`` names the extents that leave the range of the evidence (``extents``); ``prior_bounded`` the cost
    parameters that nothing measures, and ``prior_bounded_shares`` how much of the interval's width each of them
    makes: what would be gone were it known. ``assumed_share`` is that of all of them together, which is not their
    sum. ``probability_positive`` is the share of draws above 0, of a ratio above 1.
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
    prior_bounded_shares: Mapping[str, float] = field(default_factory=dict)
    assumed_share: float = 0.0


def predict(
    quantity: str,
    scenario: Scenario | None = None,
    *,
    interval_kind: str | None = None,
    unit: str | None = None,
    clock_hz: float | None = None,
    evidence: Sequence[os.PathLike[str]] = (),
) -> Prediction:
    """Predict ``cost:PATH``, ``saving:fast_mmio``, ``speedup:fast_mmio``, ``regression:bypass_guest_pf`` or
    ``overhead:generation_wrap``.

    Costs and savings are in cycles; in ns with ``unit="ns"``, at ``clock_hz`` or else the machine's clock
    (``clock``). The regression (positive: the switch loses) and the overhead are in cycles per second, the speed-up
    is a ratio of transaction rates. The interval is that of the mean of a known machine, of a machine not yet
    measured, or of one new measurement. Raises InvalidInput.
    """
    return Predictor(evidence)(
        quantity, scenario or Scenario(), interval_kind=interval_kind, unit=unit, clock_hz=clock_hz
    )


class Predictor:
    """Predictions from one fit; what many of them share is looked up once."""

    def __init__(self, evidence: Sequence[os.PathLike[str]] = ()) -> None:
        self._folders = [Path(folder) for folder in evidence]
        self._fit = current_fit(self._folders)
        self._ranges = ranges(self._fit, self._folders)
        self._draws: dict[tuple[str, str], Draws] = {}
        self._clocks: dict[tuple[str, float | None], Clock] = {}

    def __call__(
        self,
        quantity: str,
        scenario: Scenario,
        *,
        interval_kind: str | None = None,
        unit: str | None = None,
        clock_hz: float | None = None,
    ) -> Prediction:
        """One prediction, as :func:`predict` gives it."""
        place = self._fit.locate(scenario.machine)
        kind = _kind(interval_kind, place[0])
        name, full = quantity_kernel(quantity, scenario, **indicators(scenario, self._fit))
        _refuse_endless(full)
        terms = kernel(name)(full)
        counts = by_parameter(terms, scenario, self._fit)
        draws = self._draws.setdefault(place, Draws(self._fit, *place))
        total, shares = draws.total(counts), draws.shares(counts)
        shown = _transformed(quantity, with_row_error(total, TABLE) if kind == INTERVALS[2] else total, full)
        notes = [*scenario.notes, *remarks(scenario), *Folders.of(self._folders).notes]
        if quantity == OVERHEAD:
            notes.append(remark_on_wraps(scenario, full))
        if unit == "ns":
            clock = self._clock(quantity, scenario, clock_hz)
            shown = shown * clock.ns_per_cycle(len(shown))
            notes.append(clock.note)
        found, sources = interval(shown), sources_of(self._fit, list(counts))
        far = beyond(self._ranges, name, full, terms)
        notes += [item.text() for item in far]
        return Prediction(
            quantity, found.value, found.low, found.high, unit or _unit(quantity), LEVEL, kind, scenario.machine,
            bool(far), tuple(item.extent for item in far), tuple(shares.assumed), sources, shares.widest,
            float(np.mean(shown > (1 if quantity == SPEEDUP else 0))), tuple(notes), self._fit.evidence,
            shares.assumed, shares.together,
        )  # fmt: skip

    def _clock(self, quantity: str, scenario: Scenario, clock_hz: float | None) -> Clock:
        if quantity in (SPEEDUP, REGRESSION, OVERHEAD):
            raise InvalidInput.one("--unit", "", "ns", f"{quantity} is no number of cycles")
        key = (scenario.machine, clock_hz)
        if key not in self._clocks:
            self._clocks[key] = clock_of(scenario, clock_hz, self._folders)
        return self._clocks[key]


def _refuse_endless(full: Mapping[str, Any]) -> None:
    """A unified loop whose every build is undone has no cost that a number could hold."""
    if not np.isfinite(full.get("retries", 0)):
        came = ", ".join(f"{name} {full[name]:g}" for name in ("unlink_rate", "unlink_hit_fraction"))
        allowed = f"the unified loop never ends with {came}: unlinks within the window must be fewer than some 700"
        raise InvalidInput.one("--set", "build_window", f"{full['build_window']:g}", allowed)


def _kind(asked: str | None, machine: str) -> str:
    kind = asked or ("known_machine" if machine else "new_machine")
    if kind not in INTERVALS:
        raise InvalidInput.one("--interval", "", kind, f"must be one of {', '.join(INTERVALS)}")
    if kind == "known_machine" and not machine:
        raise InvalidInput.one("--interval", "", kind, "needs a machine of the evidence: add --machine")
    if kind == "new_machine" and machine:
        raise InvalidInput.one("--interval", "", kind, "is for a machine not yet measured: leave --machine out")
    return kind


def _unit(quantity: str) -> str:
    return {SPEEDUP: "1", REGRESSION: "cycle/s", OVERHEAD: "cycle/s"}.get(quantity, "cycle")


def _transformed(quantity: str, draws: Array, full: Mapping[str, Any]) -> Array:
    """Cycles saved per access turned into a ratio of transaction rates, where that is asked for."""
    if quantity != SPEEDUP:
        return draws
    if "cycles_per_transaction" not in full:
        allowed = "must be set: the cycles of one transaction before the change"
        raise InvalidInput.one("--set", "cycles_per_transaction", "", allowed)
    gone = draws * full["accesses_per_transaction"]
    typical = interval(gone).value
    if typical >= full["cycles_per_transaction"]:
        allowed = f"must be more than the {typical:.0f} cycles that its accesses would save"
        raise InvalidInput.one("--set", "cycles_per_transaction", f"{full['cycles_per_transaction']:g}", allowed)
    return np.asarray(kernel("speedup")({**full, "saving": draws})["value"])
