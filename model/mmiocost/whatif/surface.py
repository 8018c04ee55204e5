"""A swept quantity at the points of a tile: its value and its interval.

The draws at a point are features @ costs: features of the inner point, and for each outer point costs that are the
draws of the events' costs times the coefficients of the features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..equations.linear_form import LinearForm, linear_form
from ..equations.lowering import kernel
from ..fitting.design import Array
from ..fitting.fit import Fit
from ..fitting.intervals import interval
from .cases import Case
from .order_statistics import quantiles
from .points import Points
from .terms import SPEEDUP, by_parameter

_ROWS, _COLUMNS = 32, 2**12  # of a product whose factors and result stay in the processor's cache
_NEAR = 4096  # inner points that are looked at together
_FINITE = 1e290  # a product below it, summed over some features, is a number


@dataclass(frozen=True)
class Surface:
    """A quantity on a machine, evaluated tile by tile; ``compiled`` by numba where there are very many."""

    quantity: str
    machine: str
    fit: Fit
    compiled: bool = False
    _drawn: dict[str, Array] = field(default_factory=dict)
    _medians: dict[str, float] = field(default_factory=dict)

    def fill(self, case: Case, points: Points, out: Array) -> None:
        """Write the quantity at the median of every cost into ``out``, (rows,); NaN where it has no value."""
        tile = _Tile(self, case, points)
        weights, features = tile.weights(), tile.features
        table = out.reshape(points.outer_rows, points.inner_rows)
        step = max(_ROWS, _COLUMNS // points.inner_rows)
        with np.errstate(invalid="ignore", over="ignore"):  # retries without end
            for first in range(0, points.outer_rows, step):
                rows = slice(first, first + step)
                for start in range(0, points.inner_rows, _COLUMNS):
                    columns = slice(start, start + _COLUMNS)
                    np.matmul(weights[rows], features[:, columns], out=table[rows, columns])
        if self.quantity == SPEEDUP:
            cycles, accesses = tile.transaction(slice(0, points.rows))
            out[:] = np.where(out * accesses < cycles, _speedup(out, cycles, accesses), np.nan)

    def intervals(self, case: Case, points: Points) -> Array:
        """Low, median and high at each point, (rows, 3); NaN for an open side and where there is no value."""
        tile = _Tile(self, case, points)
        found = np.empty((points.rows, 3))
        for place, costs in enumerate(tile.drawn()):
            first = place * points.inner_rows
            for start in range(0, points.inner_rows, _NEAR):
                features = tile.features[:, start : start + _NEAR].T
                rows = slice(first + start, first + start + len(features))
                transaction = tile.transaction(rows) if self.quantity == SPEEDUP else None
                found[rows] = _near(features, costs, transaction)
        return found

    def cost(self, name: str) -> Array:
        """Draws of a cost on the machine, (draws,)."""
        if name not in self._drawn:
            machine, state = self.fit.locate(self.machine)
            self._drawn[name] = np.exp(self.fit.log_costs([name], machine, state)[:, 0])
        return self._drawn[name]

    def median(self, name: str) -> float:
        """Median of the draws of a cost."""
        if name not in self._medians:
            self._medians[name] = float(np.median(self.cost(name)))
        return self._medians[name]


@dataclass(frozen=True)
class _Tile:
    surface: Surface
    case: Case
    points: Points

    def _kept(self, name: str, make: Callable[[], Any]) -> Any:
        """What depends on the inner columns alone: worked out once for all tiles that share them."""
        if name not in self.points.kept:
            self.points.kept[name] = make()
        return self.points.kept[name]

    @property
    def _inner(self) -> tuple[str, dict[str, Any]]:
        found: tuple[str, dict[str, Any]] = self._kept("inner", lambda: self.case.full(self.points.inner))
        return found

    @property
    def form(self) -> LinearForm:
        """The quantity as a linear form in the symbols that the inner columns vary."""
        found: LinearForm = self._kept("form", self._form)
        return found

    def _form(self) -> LinearForm:
        name, full = self._inner
        return linear_form(name, tuple(item for item in kernel(name).arguments if np.ndim(full[item])))

    @cached_property
    def _outer(self) -> tuple[str, dict[str, Any]]:
        return self.case.full(self.points.outer)

    @property
    def features(self) -> Array:
        """(features, inner rows)."""
        compiled = self.surface.compiled and not self.points.outer
        return np.asarray(self._kept("features", self._compiled if compiled else self._evaluated))

    def _evaluated(self) -> Array:
        found = np.empty((self.form.length, self.points.inner_rows))
        for place, feature in enumerate(self.form.evaluate(self._inner[1])):
            found[place] = feature
        return found

    def _compiled(self) -> Array:
        from ..equations.compiled import compiled_features

        values = [self._inner[1][name] for name in self.form.feature_arguments]
        columns = frozenset(
            name for name, value in zip(self.form.feature_arguments, values, strict=True) if np.ndim(value)
        )
        found = np.ones((self.form.length, self.points.inner_rows))
        compiled_features(self.form, columns)(found, *values)
        return found

    def counts(self) -> list[dict[str, Any]]:
        """For each feature: cost parameter → occurrences, numbers or (outer rows,)."""
        terms = self.form.terms(self._outer[1])
        return [by_parameter(each, self.case.scenario, self.surface.fit) for each in terms]

    def weights(self) -> Array:
        """The coefficient of each feature in cycles, (outer rows, features), at the median costs."""
        found = np.zeros((self.points.outer_rows, self.form.length))
        for place, counts in enumerate(self.counts()):
            for name, count in counts.items():
                found[:, place] += count * self.surface.median(name)
        return found

    def drawn(self) -> Iterator[Array]:
        """Draws of these coefficients, (features, draws), outer point by outer point."""
        counts = self.counts()
        names = list(dict.fromkeys(name for each in counts for name in each))
        costs = np.stack([self.surface.cost(name) for name in names]) if names else np.zeros((0, 1))
        table = np.zeros((self.points.outer_rows, self.form.length, len(names)))
        for place, each in enumerate(counts):
            for name, count in each.items():
                table[:, place, names.index(name)] = count
        return (each @ costs for each in table)

    def transaction(self, rows: slice) -> tuple[Array, Array]:
        """Cycles and accesses of a transaction at some of the points, by place, (rows,) each."""
        places = np.arange(rows.start, rows.stop)
        return self._symbol("cycles_per_transaction", places), self._symbol("accesses_per_transaction", places)

    def _symbol(self, name: str, places: Array) -> Array:
        inner, outer = self._inner[1][name], self._outer[1][name]
        if np.ndim(inner):
            return np.asarray(inner[places % self.points.inner_rows])
        return np.asarray(outer[places // self.points.inner_rows]) if np.ndim(outer) else np.full(len(places), outer)


def _speedup(saving: Array, cycles: Array, accesses: Array) -> Array:
    values = {"cycles_per_transaction": cycles, "accesses_per_transaction": accesses, "saving": saving}
    with np.errstate(divide="ignore"):
        return np.asarray(kernel("speedup")(values)["value"])


def _near(features: Array, costs: Array, transaction: tuple[Array, Array] | None) -> Array:
    """Low, median and high at neighbouring points, (points, 3)."""
    if transaction is None and np.abs(features).max() * np.abs(costs).max() < _FINITE:
        return quantiles(features, costs)
    with np.errstate(invalid="ignore", over="ignore"):
        draws = features @ costs
    if transaction is not None:
        cycles, accesses = (column[:, None] for column in transaction)
        within = np.median(draws * accesses, axis=1, keepdims=True) < cycles
        draws = np.where(within, _speedup(draws, cycles, accesses), np.nan)
    return np.array([_ordered(row) for row in draws])


def _ordered(draws: Array) -> tuple[float, float, float]:
    if np.isnan(draws).any():
        return np.nan, np.nan, np.nan
    found = interval(draws)
    return (np.nan if found.low is None else found.low, found.value, np.nan if found.high is None else found.high)
