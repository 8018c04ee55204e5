"""Where two designs cost the same, as a function of one variable, draw by draw.

Every draw of the costs has its own break-even; a draw in which one design is cheaper over the whole range has
none, and stands for a value beyond that end of the range. A break-even in a symbol that counts is the first whole
number from which on the other design is the cheaper one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..fitting.design import Array
from ..fitting.fit import LEVEL, Fit
from ..fitting.intervals import interval
from ..fitting.store import current_fit
from .closed_form import closed_form
from .crossings import changes, first_beyond, roots
from .differences import (
    Counts,
    admits,
    check_comparable,
    check_design,
    design_path,
    difference_along,
    set_to,
)
from .ranges import WHOLE, admitted, checked_range, default_range, is_whole, points_over, symbol_unit
from .scenario import Scenario

__all__ = ["BreakEven", "Crossing", "breakeven", "default_range", "symbol_unit"]

_SAME = 1e-9  # counts that differ by less than this share of the largest are the same


@dataclass(frozen=True)
class Crossing:
    """A break-even: value and interval of the variable, and the cheaper design on either side of it."""

    value: float
    low: float | None
    high: float | None
    cheaper_below: str
    cheaper_above: str


@dataclass(frozen=True)
class BreakEven:
    """Where design B becomes cheaper than A over a range of a variable.

    ``verdict``: "crosses"; "always" (B is cheaper over the whole range) or "never" in 95 % of the draws;
    "cannot_tell" otherwise. ``shares`` are those of the draws that cross, always and never; ``cases`` split those
    that cross: B cheaper "above" or "below" the break-even, or "several" break-evens. ``effect`` is False where
    the variable changes nothing between the designs; ``holds`` says when the closed form does.
    """

    variable: str
    unit: str
    between: tuple[str, str]
    range: tuple[float, float]
    verdict: str
    crossings: tuple[Crossing, ...]
    closed_form: str | None
    shares: dict[str, float]
    prior_bounded: tuple[str, ...]
    machine: str
    interval: str
    evidence: str
    cases: dict[str, float]
    effect: bool
    holds: tuple[str, ...]


def breakeven(
    variable: str,
    between: tuple[str, str],
    scenario: Scenario | None = None,
    *,
    over: tuple[float, float] | None = None,
    evidence: Sequence[os.PathLike[str]] = (),
) -> BreakEven:
    """Break-even of two designs or paths in one symbol of the scenario, over its own range unless one is given.

    Raises InvalidInput for an unknown symbol, design or path, for designs whose costs are not comparable, and for
    a range that leaves the domain of the symbol.
    """
    scenario = scenario or Scenario()
    fit = current_fit([Path(folder) for folder in evidence])
    question = _ask(variable, between, scenario, over, fit)
    difference = question.at_points()
    shares, cases = _shares(difference)
    decided = [name for name, share in shares.items() if share >= LEVEL and name != "crosses"]
    verdict = decided[0] if decided else "crosses" if shares["crosses"] > 0.5 else "cannot_tell"
    solved = closed_form(variable, between, set_to(scenario, variable, question.points[0])) if question.effect else None
    machine, state = fit.locate(scenario.machine)
    return BreakEven(
        variable, symbol_unit(variable), between, (float(question.points[0]), float(question.points[-1])), verdict,
        _crossings(question, difference) if verdict == "crosses" else (), solved.text if solved else None, shares,
        fit.prior_bounded(question.counts.names, machine, state), scenario.machine,
        "known_machine" if machine else "new_machine", fit.evidence, cases, question.effect,
        solved.holds if solved else (),
    )  # fmt: skip


@dataclass(frozen=True)
class _Question:
    """A question with its grid: ``points`` (points,), their ``counts``, ``costs`` (draws, parameters)."""

    variable: str
    between: tuple[str, str]
    scenario: Scenario
    fit: Fit
    points: Array
    counts: Counts
    costs: Array

    @property
    def effect(self) -> bool:
        """Whether the designs differ by different counts at different points."""
        values = self.counts.values
        return bool((np.ptp(values, axis=0) > _SAME * np.abs(values).max(axis=0, initial=0.0)).any())

    def at_points(self) -> Array:
        """Cost of A less that of B, (draws, points)."""
        return np.asarray(self.costs @ self.counts.values.T)

    def lines(self, places: Array, draws: Array) -> Array:
        """The same in one place for each of some draws, (lines,)."""
        return np.asarray((self.costs[draws] * self._counts_at(places)).sum(axis=1))

    def median_line(self, places: Array, _: Array) -> Array:
        """Median of the draws at each place, (places,)."""
        return np.median(self.costs @ self._counts_at(places).T, axis=0)

    def _counts_at(self, places: Array) -> Array:
        distinct, place = np.unique(places, return_inverse=True)
        found = difference_along(self.between, self.scenario, self.fit, self.variable, distinct)
        column = {name: number for number, name in enumerate(found.names)}
        empty = np.zeros(len(distinct))
        values = [found.values[:, column[name]] if name in column else empty for name in self.counts.names]
        return np.stack(values, axis=1)[place.reshape(-1)]


def _ask(
    variable: str, between: tuple[str, str], scenario: Scenario, over: tuple[float, float] | None, fit: Fit
) -> _Question:
    low, high = checked_range(variable, over, scenario)
    check_comparable(between)
    points = points_over(variable, low, high)
    if is_whole(variable):
        points = _admitted(points, over is not None, variable, between, scenario)
    else:
        for design in between:
            check_design(design, set_to(scenario, variable, low))
    counts = difference_along(between, scenario, fit, variable, points)
    return _Question(variable, between, scenario, fit, points, counts, counts.costs(fit, *fit.locate(scenario.machine)))


def _admitted(points: Array, given: bool, variable: str, between: tuple[str, str], scenario: Scenario) -> Array:
    """Those of the points that both designs admit. Ends that the user gave must be, else at least one point."""
    ends = points[[0, -1]] if given else points[:0]
    by_path = {design_path(design, scenario): design for design in between}.values()
    for design in by_path:
        for end in ends:
            check_design(design, set_to(scenario, variable, end))
    kept = admitted(points, lambda value: all(admits(design, set_to(scenario, variable, value)) for design in by_path))
    if not len(kept):  # the error of a design says why
        for design in by_path:
            check_design(design, set_to(scenario, variable, points[0]))
    return kept


def _shares(difference: Array) -> tuple[dict[str, float], dict[str, float]]:
    """Shares of the draws that cross, always and never; and of those that cross the share of each case."""
    turns = changes(difference)
    count = np.abs(turns).sum(axis=1)
    positive = difference[:, 0] > 0
    above = float(((count == 1) & ~positive).mean())
    below = float(((count == 1) & positive).mean())
    several = float((count > 1).mean())
    always, never = float(((count == 0) & positive).mean()), float(((count == 0) & ~positive).mean())
    crosses = float((count > 0).mean())
    return (
        {"crosses": crosses, "always": always, "never": never},
        {"above": above, "below": below, "several": several},
    )


def _crossings(question: _Question, difference: Array) -> tuple[Crossing, ...]:
    """Each crossing of the median difference, with the interval of the draws' crossings of that direction."""
    middle = changes(np.median(difference, axis=0))
    found = []
    for place in np.flatnonzero(middle):
        line = np.zeros(1, dtype=int)
        value = float(_refined(question, question.median_line, line, np.array([place]))[0])
        draws = _draws_of_crossing(question, difference, int(place), int(middle[place]))
        spread = interval(draws)
        low, high = spread.low, spread.high
        if is_whole(question.variable):
            low, high = low if low is None else math.floor(low), high if high is None else math.ceil(high)
        below, above = question.between if middle[place] > 0 else question.between[::-1]
        found.append(Crossing(value, low, high, below, above))
    return tuple(found)


def _refined(question: _Question, lines: Any, numbers: Any, places: Any) -> Array:
    """The crossing of each line between the point of its place and the next one."""
    left, right = question.points[places], question.points[places + 1]
    if not is_whole(question.variable):
        return roots(lines, numbers, left, right)
    every_number = question.points[-1] - question.points[0] + 1 < WHOLE
    return right if every_number else first_beyond(lines, numbers, left, right)


def _draws_of_crossing(question: _Question, difference: Array, near: int, direction: int) -> Array:
    """For each draw its crossing in that direction nearest to a place; infinite where it has none.

    A draw without one is cheaper on one side throughout: its crossing lies beyond the range, below or above.
    """
    turns = changes(difference) == direction
    distance = np.where(turns, np.abs(np.arange(turns.shape[1]) - near), turns.shape[1])
    places, crossing = distance.argmin(axis=1), turns.any(axis=1)
    b_cheaper = difference[:, near] > 0
    found = np.where(b_cheaper == (direction > 0), -np.inf, np.inf)
    numbers = np.flatnonzero(crossing)
    if len(numbers):
        found[numbers] = _refined(question, question.lines, numbers, places[numbers])
    return found
