"""What designs differ by, for many values of symbols at once: counts by cost parameter, and the costs behind them.

A difference of costs is linear in the costs, so that one product of counts (points × parameters) and draws of the
costs (parameters × draws) answers every what-if question.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import InvalidInput
from ..fitting.design import Array
from ..fitting.fit import Fit
from ..vocabulary import path_named, resolve
from .ranges import is_whole
from .scenario import Scenario
from .terms import DESIGNS, by_parameter, design_terms, hit_path, indicators

_PER_SECOND = ("bypass", "no-bypass")
_FEW = 16  # values that are resolved one by one


@dataclass(frozen=True)
class Counts:
    """How often each cost parameter occurs more in the first design than in another.

    ``values``: (points, parameters); ``names``: the parameters.
    """

    names: tuple[str, ...]
    values: Array

    def costs(self, fit: Fit, machine: str, state: str) -> Array:
        """Draws of the parameters' costs in cycles, (draws, parameters)."""
        if not self.names:
            return np.zeros((len(fit.effects), 0))
        return np.asarray(np.exp(fit.log_costs(self.names, machine, state)))


def check_comparable(designs: Sequence[str]) -> None:
    """Refuse designs whose costs are not in one unit: ``bypass`` and ``no-bypass`` cost cycles a second."""
    seconds = [design for design in designs if design in _PER_SECOND]
    others = [design for design in designs if design not in _PER_SECOND]
    if seconds and others:
        allowed = f"costs cycles a second, {others[0]} cycles an access: compare bypass with no-bypass"
        raise InvalidInput.one("--between", "design", seconds[0], allowed)


def cost_unit(designs: Sequence[str]) -> str:
    """Unit of the costs of comparable designs."""
    return "cycle/s" if designs[0] in _PER_SECOND else "cycle"


def design_path(design: str, scenario: Scenario) -> str:
    """The path against whose domains a design's scenario is held."""
    if design in ("before", "after"):
        return hit_path(scenario)
    if design == "unified":
        return f"unified.{scenario.mode}.access"
    return "v30.shadow.guest_fault" if design in _PER_SECOND else design


def set_to(scenario: Scenario, variable: str, value: float) -> Scenario:
    """The scenario with one symbol set; ``hit_fraction`` and the rate that it is derived from exclude each other."""
    if is_whole(variable):
        return replace(scenario, counts={**scenario.counts, variable: int(value)})
    other = {"hit_fraction": "generation_rate", "generation_rate": "hit_fraction"}.get(variable)
    return replace(
        scenario, mix={**{name: old for name, old in scenario.mix.items() if name != other}, variable: value}
    )


def admits(design: str, scenario: Scenario) -> bool:
    """Whether the path of a design admits the counts of a scenario."""
    try:
        resolve(design_path(design, scenario), scenario.counts)
    except InvalidInput:
        return False
    return True


def check_design(design: str, scenario: Scenario) -> None:
    """Raise InvalidInput for an unknown design or path, and for a scenario that it does not admit."""
    if design not in DESIGNS and "." in design:
        path_named(design, "--between")
    design_terms(design, scenario)


def columns(design: str, scenario: Scenario, variable: str, points: Array) -> dict[str, Array]:
    """Every symbol that changes with a variable, by name: its values at the points, in their shape.

    Symbols whose default hangs on a count (``mmio_gap`` on ``slots``) change with it. The path of the design must
    admit all points.
    """
    if not is_whole(variable):
        return {variable: points}
    values = points.ravel().astype(int)
    ends = values[[0, len(values) // 2, -1]] if len(values) > _FEW else values
    table = _resolved(design_path(design, scenario), scenario, variable, ends)
    changing = {name: column for name, column in table.items() if name == variable or (column != column[0]).any()}
    if len(ends) < len(values):
        # What hangs on a symbol of many values is that symbol itself, as mmio_gap on slots: no need to ask for each.
        if any((column != ends).any() for column in changing.values()):
            changing = _resolved(design_path(design, scenario), scenario, variable, values)
        else:
            changing = dict.fromkeys(changing, values)
    return {name: column.reshape(points.shape) for name, column in changing.items()}


def _resolved(path: str, scenario: Scenario, variable: str, values: Any) -> dict[str, Any]:
    """All symbols of a path at each of some whole numbers of one of them."""
    full = [resolve(path, {**scenario.counts, variable: int(value)}, "--range") for value in values]
    return {name: np.array([item[name] for item in full]) for name in full[0]}


def occurrences(design: str, scenario: Scenario, fit: Fit, values: Mapping[str, Any]) -> dict[str, Any]:
    """How often each cost parameter occurs in a design: numbers, or arrays in the shape of the ``values``."""
    return by_parameter(design_terms(design, scenario, **{**indicators(scenario, fit), **values})[0], scenario, fit)


def difference(left: Mapping[str, Any], right: Mapping[str, Any], shape: tuple[int, ...]) -> Counts:
    """Occurrences in one design less those in another, at all points of a shape, in the order of its elements."""
    found = {name: left.get(name, 0) - right.get(name, 0) for name in dict.fromkeys([*left, *right])}
    names = tuple(name for name, count in found.items() if np.any(count))
    values = np.empty((*shape, len(names)))
    for place, name in enumerate(names):
        values[..., place] = found[name]
    return Counts(names, values.reshape(math.prod(shape), len(names)))


def difference_along(between: tuple[str, str], scenario: Scenario, fit: Fit, variable: str, points: Array) -> Counts:
    """Occurrences in the first design less those in the second at values (points,) of a variable."""
    base = set_to(scenario, variable, float(points[0]))
    by_path: dict[str, dict[str, Array]] = {}
    sides = []
    for design in between:
        path = design_path(design, base)
        if path not in by_path:
            by_path[path] = columns(design, base, variable, points)
        sides.append(occurrences(design, base, fit, by_path[path]))
    return difference(sides[0], sides[1], points.shape)
