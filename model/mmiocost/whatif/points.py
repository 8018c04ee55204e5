"""The points of a sweep in tiles: outer points times inner points of one case, few enough to stay in the cache.

On a grid whose longest axis alone determines what hangs on it, that axis is the inner one and all others make outer
points. Otherwise, and in a sample, a tile has one outer point and all axes are inner columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..equations.linear_form import linear_form
from ..equations.lowering import kernel
from ..fitting.design import Array
from .axes import Axis
from .cases import Case
from .sampling import unit_blocks

TILE = 2**16
_LONG = 64  # values of an inner axis from which on it pays off to work outer points out apart


@dataclass(frozen=True)
class Points:
    """``outer`` and ``inner``: columns by axis, of one length each; a point for every pair, the inner one fastest.

    ``kept``: a place for what depends on the inner columns alone, shared by tiles with the same ones.
    """

    outer: Mapping[str, Array]
    inner: Mapping[str, Array]
    outer_rows: int
    inner_rows: int
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Number of points."""
        return self.outer_rows * self.inner_rows

    def columns(self) -> dict[str, Array]:
        """The value of each long axis at every point."""
        outer = {name: np.repeat(column, self.inner_rows) for name, column in self.outer.items()}
        return outer | {name: np.tile(column, self.outer_rows) for name, column in self.inner.items()}


def tiles_of_grid(
    axes: Sequence[Axis], plan: Sequence[tuple[Case, Axis | None, dict[str, Any]]], rows: int
) -> Iterator[tuple[Case, Points]]:
    """The product of long axes in every case, case by case; the case's inner axis varies fastest.

    ``plan``: cases with their inner axis and a place for what depends on it alone. Tiles have about ``rows`` points,
    or as many as the inner axis has values.
    """
    for case, inner, kept in plan:
        outer = [axis for axis in axes if axis is not inner]
        for points in _flat(axes) if inner is None else _split(outer, inner, rows, kept):
            yield case, points


def _flat(axes: Sequence[Axis]) -> Iterator[Points]:
    total = _product(axes)
    for start in range(0, total, TILE):
        rows = min(TILE, total - start)
        yield Points({}, _grid_columns(axes, start, rows), 1, rows)


def _split(outer: Sequence[Axis], inner: Axis, most: int, kept: dict[str, Any]) -> Iterator[Points]:
    length, total = len(inner.values), _product(outer)
    if length > TILE:
        for place in range(total):
            for start in range(0, length, TILE):
                part = inner.values[start : start + TILE]
                yield Points(_grid_columns(outer, place, 1), {inner.name: part}, 1, len(part))
        return
    step = max(1, most // length)
    for start in range(0, total, step):
        rows = min(step, total - start)
        yield Points(_grid_columns(outer, start, rows), {inner.name: inner.values}, rows, length, kept)


def _product(axes: Sequence[Axis]) -> int:
    return int(np.prod([len(axis.values) for axis in axes], dtype=object))


def _grid_columns(axes: Sequence[Axis], start: int, rows: int) -> dict[str, Array]:
    if not axes:
        return {}
    places = np.unravel_index(np.arange(start, start + rows), [len(axis.values) for axis in axes])
    return {axis.name: axis.values[place] for axis, place in zip(axes, places, strict=True)}


def inner_axis(axes: Sequence[Axis], case: Case) -> Axis | None:
    """The longest axis that shares no symbol with another one, where it is long enough to be worth it."""
    probes = {axis.name: np.arange(2.0).reshape([2 if other is axis else 1 for other in axes]) for axis in axes}
    columns = {axis.name: axis.values[:2][(probes[axis.name] % len(axis.values)).astype(int)] for axis in axes}
    name, full = case.full(columns)
    used = [item for item in kernel(name).arguments if np.ndim(full[item])]
    for axis in sorted(axes, key=lambda axis: -len(axis.values)):
        if len(axis.values) < _LONG:
            return None
        place = axes.index(axis)
        own = tuple(item for item in used if np.shape(full[item])[place] > 1)
        others = {item for item in used if np.size(full[item]) > np.shape(full[item])[place]}
        if not others & {*own, *linear_form(name, own).feature_arguments}:
            return axis
    return None


def tiles_of_sample(
    axes: Sequence[Axis], cases: Sequence[Case], kind: str, points: int
) -> Iterator[tuple[Case, Points]]:
    """A sample of all axes, in each block sorted by case."""
    short = [axis for axis in axes if axis.is_short]
    long = [axis for axis in axes if not axis.is_short]
    sizes = [len(axis.values) for axis in short]
    for unit in unit_blocks(kind, points, len(axes)):
        columns = {axis.name: axis.at(unit[:, place]) for place, axis in enumerate(axes)}
        places = [np.searchsorted(np.sort(axis.values), columns[axis.name]) for axis in short]
        ranks = [np.argsort(axis.values)[place] for axis, place in zip(short, places, strict=True)]
        numbers = np.ravel_multi_index(ranks, sizes) if short else np.zeros(len(unit), dtype=int)
        for number in np.unique(numbers):
            rows = np.flatnonzero(numbers == number)
            yield cases[number], Points({}, {axis.name: columns[axis.name][rows] for axis in long}, 1, len(rows))
