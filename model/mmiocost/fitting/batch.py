"""Many fits of one design at once: other targets, weights, centres of the prior or scatters in each.

The same Gauss-Newton steps in the space of the rows as :mod:`.solve` makes, as stacked matrices, so that a thousand
small fits cost what their arithmetic costs. Steps are extrapolated from the last ones where that helps (Anderson
mixing; Walker and Ni, SIAM J. Numer. Anal. 49, 2011), since reweighting and curved ridges converge slowly. Unknowns
are *whitened* here: effects over their prior's deviation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .design import FLOOR, Array, Design

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Places = NDArray[np.intp]
else:
    Places = np.ndarray

STEPS = 60
HALVINGS = 30
MEMORY = 2  # earlier steps that a step is extrapolated from
TOLERANCE = 1e-9  # a fit is settled when a step lowers its objective by less, relatively
BLOCK = 64  # fits at once: the matrices of one step then stay in the cache of a core
_HIGHEST = 300.0  # log cost whose exponential is still a number, for trial steps far off


class Compact:
    """The rows of a design by the cells they contain: padded with counts of 0 to the length of the longest."""

    def __init__(self, design: Design) -> None:
        self.design = design
        used = (design.counts != 0) | (design.per != 0)
        width = int(used.sum(axis=1).max())
        self.cells = np.argsort(~used, axis=1, kind="stable")[:, :width]  # (rows, width)
        self.counts, self.per = (np.take_along_axis(t, self.cells, axis=1) for t in (design.counts, design.per))
        self.effects = design.effects[self.cells]  # (rows, width, unknowns)
        self.ratio = np.flatnonzero(design.per.any(axis=1))
        self.negative = np.flatnonzero((design.counts < 0).any(axis=1))


@dataclass(frozen=True)
class Batch:
    """Fits of the same ``rows`` that differ in their numbers; every array has the fits along its first axis.

    ``deviation``: (fits, unknowns) prior standard deviations; ``centre``: (fits, unknowns) where the whitened prior
    has its middle, 0 but for draws; ``target``, ``sd``, ``weight``: (fits, rows), a weight of 0 leaves a row out and
    one of 2 counts it twice. ``degrees``: of freedom of the row errors, inf for normal ones.
    """

    rows: Compact
    deviation: Array
    centre: Array
    target: Array
    sd: Array
    weight: Array
    degrees: float

    def only(self, fits: Places | slice) -> Batch:
        """Some of the fits."""
        names = ("deviation", "centre", "target", "sd", "weight")
        return replace(self, **{name: getattr(self, name)[fits] for name in names})

    def __len__(self) -> int:
        return len(self.target)

    def costs(self, whitened: Array) -> Array:
        """Costs of all cells, (fits, cells)."""
        logs = self.rows.design.offset + (whitened * self.deviation) @ self.rows.design.effects.T
        return np.exp(np.minimum(logs, _HIGHEST))

    def values(self, costs: Array) -> Array:
        """Log values of the rows, (fits, rows)."""
        total, _ = self._floored(costs)
        found = np.log(total)
        if len(self.rows.ratio):
            found[:, self.rows.ratio] -= np.log(costs @ self.rows.design.per[self.rows.ratio].T)
        return found

    def _floored(self, costs: Array) -> tuple[Array, Array]:
        """Sum of each row, and where a difference of costs is not positive (design.above_zero)."""
        counts, rows = self.rows.design.counts, self.rows.negative
        total = np.asarray(costs @ counts.T)
        low = np.zeros(total.shape, bool)
        if len(rows):
            least = FLOOR * (costs @ np.maximum(counts[rows], 0.0).T)
            low[:, rows] = total[:, rows] < least
            total[:, rows] = np.maximum(total[:, rows], least)
        return np.maximum(total, 1e-300), low

    def shares(self, whitened: Array) -> tuple[Array, Array]:
        """Log values (fits, rows) and the share of each of its cells in them, (fits, rows, width)."""
        costs, rows = self.costs(whitened), self.rows
        total, low = self._floored(costs)
        part = costs[:, rows.cells]
        shares = part * rows.counts
        if low.any():
            shares[low] = FLOOR * np.maximum(shares[low], 0.0)
        shares /= total[:, :, None]
        value, ratio = np.log(total), rows.ratio
        if len(ratio):
            whole = part[:, ratio] * rows.per[ratio]
            shares[:, ratio] -= whole / whole.sum(axis=2)[:, :, None]
            value[:, ratio] -= np.log(whole.sum(axis=2))
        return value, shares

    def jacobian(self, shares: Array) -> Array:
        """Derivatives by the whitened unknowns, (fits, rows, unknowns), of rows with these shares."""
        found: Array = np.matmul(shares.transpose(1, 0, 2), self.rows.effects)
        found *= self.deviation
        return found.transpose(1, 0, 2)

    def row_variance(self, value: Array) -> Array:
        """Variance that each row counts with, (fits, rows): larger where the residual is."""
        if math.isinf(self.degrees):
            return np.asarray(self.sd**2)
        score = ((self.target - value) / self.sd) ** 2
        return np.asarray(self.sd**2 * (self.degrees + score) / (self.degrees + 1))

    def objective(self, whitened: Array) -> Array:
        """Negative log posterior density of every fit, (fits,), less what does not depend on the unknowns."""
        value = self.values(self.costs(whitened))
        score = ((self.target - value) / self.sd) ** 2
        normal = math.isinf(self.degrees)
        misfit = 0.5 * score if normal else 0.5 * (self.degrees + 1) * np.log1p(score / self.degrees)
        prior = 0.5 * ((whitened - self.centre) ** 2).sum(axis=1)
        return np.asarray(prior + (self.weight * misfit).sum(axis=1))

    def newton(self, whitened: Array) -> Array:
        """The Gauss-Newton solution of every fit, linearised where its unknowns are."""
        value, shares = self.shares(whitened)
        scale = np.sqrt(self.weight / self.row_variance(value))
        jacobian = self.jacobian(shares * scale[:, :, None])
        moved = np.matmul(jacobian, (whitened - self.centre)[:, :, None])[:, :, 0]
        inner = np.matmul(jacobian, jacobian.transpose(0, 2, 1))
        lines = np.arange(inner.shape[1])
        inner[:, lines, lines] += 1.0
        dual = np.linalg.solve(inner, (scale * (self.target - value) + moved)[:, :, None])
        return np.asarray(self.centre + np.matmul(jacobian.transpose(0, 2, 1), dual)[:, :, 0])


def solve_all(batch: Batch, start: Array, tolerance: float = TOLERANCE, steps: int = STEPS) -> tuple[Array, Array]:
    """Whitened unknowns of all fits (fits, unknowns) and their objectives (fits,), from a start (fits, unknowns)."""
    found = np.array(start)
    objective = np.empty(len(batch))
    for first in range(0, len(batch), BLOCK):
        part = slice(first, first + BLOCK)
        found[part], objective[part] = _block(batch.only(part), found[part], tolerance, steps)
    return found, objective


def _block(batch: Batch, start: Array, tolerance: float, steps: int) -> tuple[Array, Array]:
    found, objective = start, batch.objective(start)
    left, earlier = np.arange(len(batch)), _Earlier((), ())
    for _ in range(steps):
        part, here, before = batch.only(left), found[left], objective[left]
        step = part.newton(here) - here
        found[left], objective[left] = _best(part, here, before, [*earlier.extrapolated(here, step), here + step], step)
        unsettled = before - objective[left] > tolerance * (1 + np.abs(objective[left]))
        earlier = earlier.with_one_more(here, step).only(unsettled)
        left = left[unsettled]
        if not len(left):
            break
    return found, objective


@dataclass(frozen=True)
class _Earlier:
    """The last places and the steps that were made from them, each (fits, unknowns)."""

    places: tuple[Array, ...]
    steps: tuple[Array, ...]

    def with_one_more(self, place: Array, step: Array) -> _Earlier:
        return _Earlier((*self.places, place)[-MEMORY:], (*self.steps, step)[-MEMORY:])

    def only(self, fits: NDArray[np.bool_]) -> _Earlier:
        return _Earlier(tuple(item[fits] for item in self.places), tuple(item[fits] for item in self.steps))

    def extrapolated(self, place: Array, step: Array) -> list[Array]:
        """Where the steps would end if they went on as they have changed; empty without an earlier one."""
        if not self.places:
            return []
        changes = np.stack([step - item for item in self.steps], axis=2)
        ways = np.stack([place - item for item in self.places], axis=2) + changes
        square = np.matmul(changes.transpose(0, 2, 1), changes)
        size = np.trace(square, axis1=1, axis2=2)[:, None, None]
        square += (1e-12 * size + 1e-300) * np.eye(square.shape[1])
        share = np.linalg.solve(square, np.matmul(changes.transpose(0, 2, 1), step[:, :, None]))
        return [place + step - np.matmul(ways, share)[:, :, 0]]


def _best(batch: Batch, here: Array, before: Array, trials: Sequence[Array], step: Array) -> tuple[Array, Array]:
    """The best of the trials for every fit; where none helps the step halved until it does, or no move."""
    found, objective = here.copy(), before.copy()
    for trial in trials:
        now = batch.objective(trial)
        better = now < objective
        found[better], objective[better] = trial[better], now[better]
    open_ = np.flatnonzero(objective >= before)
    for halving in range(1, HALVINGS):
        if not len(open_):
            break
        trial = here[open_] + step[open_] * 0.5**halving
        now = batch.only(open_).objective(trial)
        better = now < before[open_]
        found[open_[better]], objective[open_[better]] = trial[better], now[better]
        open_ = open_[~better]
    return found, objective
