"""Where two designs cost the same, as a function of one variable, draw by draw.

Every draw of the costs has its own break-even; a draw in which one design is cheaper over the whole range has
none, and stands for a value beyond that end of the range.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidInput, nearest_name
from ..fitting.design import Array
from ..fitting.fit import LEVEL, Fit
from ..fitting.intervals import interval
from ..fitting.store import current_fit
from ..vocabulary import MIX_SYMBOLS, SYMBOLS
from .closed_form import closed_form
from .scenario import Scenario
from .terms import by_parameter, design_terms, indicators

POINTS = 97
_RANGES: dict[str, tuple[float, float]] = {
    "slots": (1, 512), "guest_levels": (2, 4), "bus_devices": (1, 200), "fast_bus_devices": (1, 200),
    "missing_levels": (0, 3), "shadow_pages": (0, 100000), "retries": (0, 10), "ad_updates": (0, 4),
}  # fmt: skip


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
    "cannot_tell" otherwise. ``shares`` are those of the draws that cross, always and never.
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


def breakeven(
    variable: str,
    between: tuple[str, str],
    scenario: Scenario | None = None,
    *,
    over: tuple[float, float] | None = None,
    evidence: Sequence[os.PathLike[str]] = (),
) -> BreakEven:
    """Break-even of two designs or paths in one symbol of the scenario. Raises InvalidInput."""
    scenario = scenario or Scenario()
    fit = current_fit([Path(folder) for folder in evidence])
    points = _points(variable, over or default_range(variable))
    difference, parameters = _differences(variable, points, between, scenario, fit)
    shares = _shares(difference)
    decided = [name for name, share in shares.items() if share >= LEVEL]
    verdict = decided[0] if decided else "crosses" if shares["crosses"] > 0.5 else "cannot_tell"
    crossings = _crossings(difference, points, between) if verdict == "crosses" else ()
    machine, state = fit.locate(scenario.machine)
    return BreakEven(
        variable, symbol_unit(variable), between, (float(points[0]), float(points[-1])), verdict, crossings,
        closed_form(variable, between, _with(scenario, variable, points[0])), shares,
        fit.prior_bounded(parameters, machine, state),
        scenario.machine, "known_machine" if machine else "new_machine", fit.evidence,
    )  # fmt: skip


def symbol_unit(variable: str) -> str:
    """Unit of a symbol. Raises InvalidInput for an unknown name."""
    units = {item.name: item.unit for item in SYMBOLS} | {item.name: item.unit for item in MIX_SYMBOLS}
    if variable not in units:
        raise InvalidInput.one("", "variable", variable, "unknown name", nearest_name(variable, units))
    return units[variable]


def default_range(variable: str) -> tuple[float, float]:
    """Range over which a break-even is sought unless one is given."""
    symbol_unit(variable)
    return next((item.range for item in MIX_SYMBOLS if item.name == variable), _RANGES.get(variable, (0, 1)))


def _points(variable: str, over: tuple[float, float]) -> Array:
    """Values of the variable: whole numbers where it counts, logarithmic over more than two decades."""
    low, high = over
    if not low < high:
        raise InvalidInput.one("--range", variable, f"{low:g}:{high:g}", "must be LOW:HIGH with LOW below HIGH")
    for item in MIX_SYMBOLS:
        if item.name == variable and not item.low <= low < high <= item.high:
            allowed = f"must lie within {item.low:g} to {item.high:g}"
            raise InvalidInput.one("--range", variable, f"{low:g}:{high:g}", allowed)
    spaced = np.geomspace(low, high, POINTS) if low > 0 and high / low > 100 else np.linspace(low, high, POINTS)
    return np.unique(np.round(spaced)) if any(item.name == variable for item in SYMBOLS) else spaced


def _differences(
    variable: str, points: Array, between: tuple[str, str], scenario: Scenario, fit: Fit
) -> tuple[Array, list[str]]:
    """Draws of cost(A) - cost(B) at every point, (draws, points), and the parameters that differ."""
    machine, state = fit.locate(scenario.machine)
    columns, used = [], dict[str, None]()
    for point in points:
        counts = _difference_at(variable, float(point), between, scenario, fit)
        used.update(dict.fromkeys(counts))
        columns.append(counts)
    names = list(used)
    weights = np.array([[float(counts.get(name, 0.0)) for name in names] for counts in columns])
    costs = np.exp(fit.log_costs(names, machine, state)) if names else np.zeros((len(fit.effects), 0))
    return np.asarray(costs @ weights.T), names


def _difference_at(
    variable: str, point: float, between: tuple[str, str], scenario: Scenario, fit: Fit
) -> dict[str, Any]:
    changed = _with(scenario, variable, point)
    sides = [
        by_parameter(design_terms(design, changed, **indicators(scenario, fit))[0], scenario, fit) for design in between
    ]
    names = dict.fromkeys([*sides[0], *sides[1]])
    found = {name: sides[0].get(name, 0) - sides[1].get(name, 0) for name in names}
    return {name: count for name, count in found.items() if count != 0}


def _with(scenario: Scenario, variable: str, value: float) -> Scenario:
    from dataclasses import replace

    if any(item.name == variable for item in SYMBOLS):
        return replace(scenario, counts={**scenario.counts, variable: int(value)})
    others = {
        name: old for name, old in scenario.mix.items() if {name, variable} != {"hit_fraction", "generation_rate"}
    }
    return replace(scenario, mix={**others, variable: value})


def _shares(difference: Array) -> dict[str, float]:
    always = (difference > 0).all(axis=1).mean()
    never = (difference <= 0).all(axis=1).mean()
    return {"crosses": float(1 - always - never), "always": float(always), "never": float(never)}


def _crossings(difference: Array, points: Array, between: tuple[str, str]) -> tuple[Crossing, ...]:
    """Each crossing of the median difference, with the interval of the draws' crossings of that direction."""
    found = []
    for place, value in _roots(np.median(difference, axis=0), points):
        rising = np.median(difference, axis=0)[place + 1] > 0
        draws = _draws_of_crossing(difference, points, rising, value)
        spread = interval(draws)
        below, above = between if rising else between[::-1]
        found.append(Crossing(value, spread.low, spread.high, below, above))
    return tuple(found)


def _roots(line: Array, points: Array) -> list[tuple[int, float]]:
    places = np.flatnonzero((line[:-1] > 0) != (line[1:] > 0))
    return [(int(place), _between(line, points, int(place))) for place in places]


def _between(line: Array, points: Array, place: int) -> float:
    left, right = line[place], line[place + 1]
    share = left / (left - right)
    return float(points[place] + share * (points[place + 1] - points[place]))


def _draws_of_crossing(difference: Array, points: Array, rising: bool, near: float) -> Array:
    """For each draw its crossing in that direction nearest to ``near``; infinite where it never crosses."""
    found = np.empty(len(difference))
    for line, draw in enumerate(difference):
        values = [value for place, value in _roots(draw, points) if (draw[place + 1] > 0) == rising]
        if values:
            found[line] = min(values, key=lambda value: abs(value - near))
        else:
            b_cheaper = bool(draw[len(draw) // 2] > 0)
            found[line] = -np.inf if b_cheaper == rising else np.inf
    return found
