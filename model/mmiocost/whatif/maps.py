"""Which design wins over two variables, with what probability, and where the evidence can't tell.

A point of the map is a scenario; each draw of the costs has a winner there. Counts are the same for all draws, so
that a map is one product of counts and draws, of which only signs and medians are kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidInput
from ..fitting.design import Array
from ..fitting.fit import LEVEL, Fit
from ..fitting.store import current_fit
from ..vocabulary import resolve
from .differences import check_comparable, check_design, cost_unit, design_path, difference, occurrences, set_to
from .ranges import admitted, checked_range, is_whole, symbol_unit
from .scenario import Scenario

SURE = 0.5 + LEVEL / 2  # share of the draws in which a design must win
UNDECIDED, NOT_ADMITTED = "undecided", "not admitted"
_EXCLUSIVE = {"hit_fraction", "generation_rate"}
_MOST = 4_000_000
_BLOCK = 256  # points whose thousand draws stay in the processor's second-level cache


@dataclass(frozen=True)
class Axis:
    """A variable of a map and its values (points,), in ascending order."""

    name: str
    values: Array

    @property
    def unit(self) -> str:
        """Unit of the variable."""
        return symbol_unit(self.name)


def axis(
    name: str, over: tuple[float, float] | None = None, count: int = 60, *, log: bool = False,
    scenario: Scenario | None = None,
) -> Axis:  # fmt: skip
    """``count`` values of a symbol over a range, by default its own, evenly or by even factors.

    Of a symbol that counts they are whole numbers, so that they may be fewer. Raises InvalidInput for an unknown
    symbol and a range that leaves its domain.
    """
    low, high = checked_range(name, over, scenario or Scenario())
    if log and low <= 0:
        raise InvalidInput.one("", name, f"{low:g}:{high:g}:log", "must begin above 0 on a logarithmic scale")
    values = np.geomspace(low, high, count) if log else np.linspace(low, high, count)
    values[0], values[-1] = low, high
    return Axis(name, np.unique(np.round(values)) if is_whole(name) else values)


@dataclass(frozen=True)
class WinningMap:
    """Winners over the values of ``x`` and ``y``.

    ``shares``: (designs, x, y), share of the draws in which a design is cheaper than all others, NaN where the
    designs do not admit the point. ``savings``: (designs - 1, x, y), median of the cost of the first design less
    that of each other one, in ``unit``.
    """

    x: Axis
    y: Axis
    designs: tuple[str, ...]
    shares: Array
    savings: Array
    unit: str
    prior_bounded: tuple[str, ...]
    machine: str
    interval: str
    evidence: str

    @property
    def winners(self) -> Array:
        """Number of the design that wins at least in :data:`SURE` of the draws, -1 where none does, (x, y)."""
        return np.where((self.shares >= SURE).any(axis=0), np.nan_to_num(self.shares).argmax(axis=0), -1)

    def areas(self) -> dict[str, float]:
        """Share of the points that each design surely wins, that are undecided and that are not admitted."""
        found = {name: float((self.winners == number).mean()) for number, name in enumerate(self.designs)}
        refused = float(np.isnan(self.shares[0]).mean())
        return {**found, UNDECIDED: float((self.winners == -1).mean()) - refused, NOT_ADMITTED: refused}

    def rows(self) -> dict[str, Array]:
        """The map as columns, a row a point: the variables, winner, each design's share, each saving."""
        names = np.array([*self.designs, UNDECIDED])
        winner = np.where(np.isnan(self.shares[0]), NOT_ADMITTED, names[self.winners])
        x, y = np.meshgrid(self.x.values, self.y.values, indexing="ij")
        shares = {f"share_{name}": part.ravel() for name, part in zip(self.designs, self.shares, strict=True)}
        saved = {f"saving_{name}": part.ravel() for name, part in zip(self.designs[1:], self.savings, strict=True)}
        return {self.x.name: x.ravel(), self.y.name: y.ravel(), "winner": winner.ravel(), **shares, **saved}


def winning_map(
    x: Axis, y: Axis, between: Sequence[str], scenario: Scenario | None = None,
    *, evidence: Sequence[os.PathLike[str]] = (),
) -> WinningMap:  # fmt: skip
    """Which of two or more designs or paths is the cheapest over two symbols of the scenario.

    Raises InvalidInput for designs that can't be compared, for symbols that exclude each other, and where the
    designs admit no point at all.
    """
    scenario = scenario or Scenario()
    _check(x, y, between)
    fit = current_fit([Path(folder) for folder in evidence])
    machine, state = fit.locate(scenario.machine)
    shape = (len(x.values), len(y.values))
    found, inside = _occurrences(x, y, between, scenario, fit)
    parts = [difference(found[0], other, shape) for other in found[1:]]
    names = tuple(dict.fromkeys(name for part in parts for name in part.names))
    results = _in_blocks([part.values for part in parts], [part.costs(fit, machine, state).T for part in parts])
    shares, savings = (np.where(inside, part.reshape(-1, *shape), np.nan) for part in results)
    return WinningMap(
        x, y, tuple(between), shares, savings, cost_unit(between), fit.prior_bounded(names, machine, state),
        scenario.machine, "known_machine" if machine else "new_machine", fit.evidence,
    )  # fmt: skip


def _check(x: Axis, y: Axis, between: Sequence[str]) -> None:
    check_comparable(between)
    if len(set(between)) < max(len(between), 2):
        raise InvalidInput.one("--between", "", " ".join(between), "must be two or more different designs or paths")
    if len(x.values) * len(y.values) > _MOST:
        raise InvalidInput.one("", f"{x.name}, {y.name}", "", f"must have at most {_MOST} points together")
    if x.name == y.name:
        raise InvalidInput.one("", x.name, "", "is on both axes: name two variables")
    if {x.name, y.name} == _EXCLUSIVE:
        allowed = "vary one of them: hit_fraction is derived from generation_rate unless set"
        raise InvalidInput.one("", f"{x.name}, {y.name}", "", allowed)


def _occurrences(
    x: Axis, y: Axis, between: Sequence[str], scenario: Scenario, fit: Fit
) -> tuple[list[dict[str, Any]], Any]:
    """Occurrences in each design over the grid, as arrays that broadcast to (x, y), and where all admit the point."""
    grid = {x.name: x.values[:, None], y.name: y.values[None, :]}
    means = {name: values for name, values in grid.items() if not is_whole(name)}
    whole = {name: values for name, values in grid.items() if is_whole(name)}
    base = scenario
    for name, values in grid.items():
        base = set_to(base, name, float(values.flat[0]))
    tables = {path: _resolved(path, base, whole) for path in {design_path(design, base) for design in between}}
    inside: Any = np.broadcast_to(_rates_fit(means, scenario), (len(x.values), len(y.values)))
    for _, allowed in tables.values():
        inside = inside & allowed
    if not inside.any():
        for design in between:  # the error of a design says why
            check_design(design, base)
        raise InvalidInput.one("", f"{x.name}, {y.name}", "", "the designs admit no point of this map")
    found = []
    for design in between:
        columns, allowed = tables[design_path(design, base)]
        place = tuple(part[0] for part in np.nonzero(allowed))
        at = {name: int(np.broadcast_to(values, allowed.shape)[place]) for name, values in whole.items()}
        one = reduce(lambda made, item: set_to(made, *item), at.items(), base)
        found.append(occurrences(design, one, fit, {**columns, **means}))
    return found, inside


def _rates_fit(means: dict[str, Array], scenario: Scenario) -> Array:
    """Where updates that zap are no more than all updates, of which they are a part."""
    rates = {**scenario.mix, **means}
    if "generation_rate" not in rates:
        return np.array(True)
    return np.asarray(rates.get("zapping_rate", 0.0) <= np.asarray(rates["generation_rate"]))


def _resolved(path: str, base: Scenario, whole: dict[str, Array]) -> tuple[dict[str, Array], Any]:
    """Every symbol of a path that changes over a grid of whole numbers, and where the path admits them.

    Points that it does not admit have the values of one that it does.
    """
    shape = np.broadcast_shapes((1, 1), *(values.shape for values in whole.values()))
    grid = np.stack([np.broadcast_to(values, shape) for values in whole.values()]) if whole else np.zeros((0, *shape))

    def resolved(point: Array) -> dict[str, int]:
        return resolve(path, {**base.counts, **dict(zip(whole, map(int, point), strict=True))}, "--set")

    allowed = np.stack([_allowed(resolved, grid[:, row]) for row in range(shape[0])])
    full = {place: resolved(grid[:, *place]) for place in zip(*map(tuple, np.nonzero(allowed)), strict=True)}
    if not full:
        return {}, allowed
    other = next(iter(full.values()))
    table = {name: np.full(shape, value) for name, value in other.items()}
    for name, column in table.items():
        column[allowed] = [item[name] for item in full.values()]
    return {name: col for name, col in table.items() if name in whole or (col != col.flat[0]).any()}, allowed


def _allowed(resolved: Callable[[Array], object], row: Array) -> Any:
    """Which points (variables, points) of one row of a grid are admitted."""

    def admits(place: float) -> bool:
        try:
            resolved(row[:, int(place)])
        except InvalidInput:
            return False
        return True

    places = np.arange(float(row.shape[1]))
    return np.isin(places, admitted(places, admits))


def _in_blocks(counts: list[Array], costs: list[Array]) -> tuple[Array, Array]:
    """Shares (designs, points) and median savings (designs - 1, points), block by block on all processors."""
    points = len(counts[0])
    shares, savings = np.empty((len(counts) + 1, points)), np.empty((len(counts), points))
    costs = [np.ascontiguousarray(part) for part in costs]

    def work(start: int) -> None:
        rows = slice(start, start + _BLOCK)
        lines: list[Any] = [0.0, *(part[rows] @ cost for part, cost in zip(counts, costs, strict=True))]
        for number, line in enumerate(lines):
            others = reduce(np.maximum, [other for place, other in enumerate(lines) if place != number])
            shares[number, rows] = np.count_nonzero(line > others, axis=1) / costs[0].shape[1]
        for number, line in enumerate(lines[1:]):
            savings[number, rows] = _medians(line)

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        list(pool.map(work, range(0, points, _BLOCK)))
    return shares, savings


def _medians(lines: Array) -> Array:
    """Median of each line (lines, draws), whose order is lost: what NumPy's gives, without a copy."""
    upper = lines.shape[1] // 2
    lower = upper - 1 + lines.shape[1] % 2
    lines.partition((lower, upper), axis=1)
    return np.asarray((lines[:, lower] + lines[:, upper]) / 2)
