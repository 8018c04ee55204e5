"""Where lines change their sign, many lines at once: brackets on a grid, then the root within each bracket.

A line is positive where it is above 0; a crossing rises where it becomes positive. Grid and roots are found for
all draws together, so that a thousand draws cost little more than one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..fitting.design import Array

_STEPS = 100  # halving alone needs 52 of them
_ACCURACY = 4 * np.finfo(float).eps

#: Values of each line at one place of its own: places (lines,), numbers of the lines (lines,) → values (lines,).
Lines = Callable[[Array, Array], Array]


def changes(values: Array) -> Any:
    """+1 where a line (..., points) becomes positive from one point to the next, -1 where it ceases to be, else 0."""
    positive = values > 0
    return positive[..., 1:].astype(np.int8) - positive[..., :-1].astype(np.int8)


def roots(lines: Lines, numbers: Array, left: Array, right: Array) -> Array:
    """Root of each line of ``numbers`` between ``left`` and ``right``, where its signs differ; all are (lines,).

    Inverse quadratic interpolation where that is safe, else halving: Chandrupatla, "A new hybrid quadratic/bisection
    algorithm for finding the zero of a nonlinear function without using derivatives", 1997. SciPy has it too
    (``optimize.elementwise.find_root``), at a price that a warm start can't pay.
    """
    x1, x2 = left.astype(float), right.astype(float)
    f1, f2 = lines(x1, numbers), lines(x2, numbers)
    share = np.full(len(x1), 0.5)
    best = np.where(np.abs(f1) < np.abs(f2), x1, x2)
    for _ in range(_STEPS):
        x = x1 + share * (x2 - x1)
        f = lines(x, numbers)
        near = (f > 0) == (f1 > 0)
        x3, f3 = np.where(near, x1, x2), np.where(near, f1, f2)
        x2, f2 = np.where(near, x2, x1), np.where(near, f2, f1)
        x1, f1 = x, f
        first = np.abs(f1) < np.abs(f2)
        best = np.where(first, x1, x2)
        width = np.abs(x2 - x1)
        with np.errstate(divide="ignore", invalid="ignore"):
            least = _ACCURACY * np.abs(best) / width
            found = (width == 0) | (least > 0.5) | (np.where(first, f1, f2) == 0)
            if found.all():
                break
            share = np.clip(_inverse_quadratic(x1, x2, x3, f1, f2, f3), least, 1 - least)
        share = np.where(found | ~np.isfinite(share), 0.5, share)
    return np.asarray(best)


def _inverse_quadratic(x1: Array, x2: Array, x3: Array, f1: Array, f2: Array, f3: Array) -> Array:
    """Share of the way from x1 to x2 at which a parabola through the three points is 0; one half where it bends."""
    xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
    safe = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
    share = f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2)
    return np.where(safe, share, 0.5)


def first_beyond(lines: Lines, numbers: Array, left: Array, right: Array) -> Array:
    """First whole number past the change of sign between whole numbers ``left`` and ``right``, (lines,)."""
    low, high = left.copy(), right.copy()
    open_ = high - low > 1
    while open_.any():
        before = lines(low, numbers) > 0
        middle = np.where(open_, np.floor((low + high) / 2), low)
        stays = (lines(middle, numbers) > 0) == before
        low, high = np.where(open_ & stays, middle, low), np.where(open_ & ~stays, middle, high)
        open_ = high - low > 1
    return np.asarray(high)
