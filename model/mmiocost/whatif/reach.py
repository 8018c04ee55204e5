"""Which points of a tile lie beyond the evidence: what ``extents.beyond`` says of each, asked once a class of points.

Its answer can change only where an extent passes an end of what is known, or where a symbol becomes 0 or 1 and a
count vanishes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..equations.lowering import kernel
from ..fitting.design import Array
from .cases import Case
from .extents import EXTENTS, Ranges, beyond
from .points import Points


class _Classes(NamedTuple):
    """``first``: a point of each class; ``number``: (rows,) the class of each point."""

    first: tuple[int, ...]
    number: Array


def extrapolates(case: Case, points: Points, known: Ranges) -> Array:
    """Whether each point lies beyond the evidence, (rows,)."""
    outer = _classes(case, points.outer, points.outer_rows, known)
    inner = _classes(case, points.inner, points.inner_rows, known)
    verdicts = np.array([
        [_is_beyond(case, {**_at(points.outer, one), **_at(points.inner, other)}, known) for other in inner.first]
        for one in outer.first
    ])  # fmt: skip
    return np.asarray(verdicts[outer.number[:, None], inner.number].ravel())


def _at(columns: Mapping[str, Array], place: int) -> dict[str, Array]:
    return {name: column[place : place + 1] for name, column in columns.items()}


def _is_beyond(case: Case, columns: Mapping[str, Array], known: Ranges) -> bool:
    name, full = case.full(columns)
    single = {key: value[0].item() if np.ndim(value) else value for key, value in full.items()}
    with np.errstate(invalid="ignore"):  # retries without end
        return bool(beyond(known, name, single, kernel(name)(single)))


def _classes(case: Case, columns: Mapping[str, Array], rows: int, known: Ranges) -> _Classes:
    name, full = case.full(columns)
    code = np.zeros(rows, dtype=np.int64)
    for symbol in kernel(name).arguments:
        if np.ndim(full[symbol]):
            kind, kinds = _kind(symbol, full[symbol], known)
            code = code * kinds + kind
    number = np.full(rows, -1)
    first: list[int] = []
    while number.min() < 0:
        place = int(np.argmin(number))
        number[code == code[place]] = len(first)
        first.append(place)
    return _Classes(tuple(first), number)


def _kind(symbol: str, value: Array, known: Ranges) -> tuple[Any, int]:
    """The kind of each value, and how many kinds there are."""
    if symbol not in EXTENTS:
        return (value == 0) + 2 * (value == 1), 3
    ends = np.unique([end for limits in known.values() for end in limits.get(symbol, ())])
    return np.searchsorted(ends, value) + np.searchsorted(ends, value, side="right"), 2 * len(ends) + 1
