"""Draws of the effects that obey the rows as they are, not as a straight line through the best fit.

A row is a sum of costs known to half a percent whose parts are known to a factor: the posterior is a curved
ridge, and draws from the Gaussian at its top miss the sums. So each draw solves a fit of its own, with effects
drawn from the prior and rows moved by drawn errors (randomise-then-optimise; Bardsley et al., SIAM J. Sci.
Comput. 36, 2014).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .design import Array, Design, above_zero
from .mixture import Mixture
from .solve import DEGREES, Solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = 20
HALVINGS = 6
SETTLED = 0.5  # a draw is settled when a step lowers its misfit (in squared standard deviations) by less


@dataclass(frozen=True)
class _Rows:
    """Rows by the cells they contain: ``cells`` (rows, width) with ``counts`` and ``per`` beside, 0 as padding."""

    cells: NDArray[np.intp]
    counts: Array
    per: Array

    def model(self, log_costs: Array) -> tuple[Array, Array]:
        """Log values (draws, rows) and shares (draws, rows, width) of log costs (draws, cells)."""
        costs = np.exp(log_costs[:, self.cells])
        total, weighted = above_zero(costs * self.counts)
        value, shares = np.log(total), weighted / total[:, :, None]
        ratio = self.per.any(axis=1)
        whole = costs[:, ratio] * self.per[ratio]
        value[:, ratio] -= np.log(whole.sum(axis=2))
        shares[:, ratio] -= whole / whole.sum(axis=2)[:, :, None]
        return value, shares


def _compact(design: Design) -> _Rows:
    used = (design.counts != 0) | (design.per != 0)
    width = int(used.sum(axis=1).max())
    cells = np.argsort(~used, axis=1, kind="stable")[:, :width]
    return _Rows(cells, *(np.take_along_axis(table, cells, axis=1) for table in (design.counts, design.per)))


def draw(mixture: Mixture, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draws of all effects, (count, unknowns), and of the three scatters that each was made with, (count, 3)."""
    edges = np.cumsum(mixture.weights) * count
    places = np.searchsorted(edges, np.arange(count) + rng.uniform(), side="right")
    places = np.minimum(places, len(mixture.solutions) - 1)
    rows = _compact(mixture.design)
    effects = np.empty((count, len(mixture.design.keys)))
    scatter = np.empty((count, 3))
    for place in np.unique(places):
        chosen = places == place
        solution = mixture.solutions[place]
        effects[chosen] = _optimised(mixture.design, rows, solution, int(chosen.sum()), rng)
        hyper = solution.hyper
        scatter[chosen] = (hyper.machine, hyper.machine_event, hyper.state_event)
    return effects, scatter


def _optimised(design: Design, rows: _Rows, solution: Solution, count: int, rng: np.random.Generator) -> Array:
    variance = design.prior_variance(solution.hyper)
    prior = rng.standard_normal((count, len(variance))) * np.sqrt(variance)
    # At the fit a row has 4/5 of its own variance (solve), and its error is a Student t all the same.
    scale = np.sqrt(solution.row_variance * (DEGREES + 1) / DEGREES)
    error = rng.standard_t(DEGREES, (count, len(scale))) * scale
    problem = _Problem(
        rows,
        (design.effects * variance) @ design.effects.T,
        design.offset + prior @ design.effects.T,
        design.target + error,
        solution.row_variance,
    )
    start = np.broadcast_to(design.offset + design.effects @ solution.effects, problem.prior.shape)
    dual = problem.settled(problem.newton(start))
    return np.asarray(prior + (dual @ design.effects) * variance)


@dataclass(frozen=True)
class _Problem:
    """Fits of many draws at once, in log costs of cells: ``prior + dual @ covariance``, (draws, cells)."""

    rows: _Rows
    covariance: Array
    prior: Array
    target: Array
    row_variance: Array

    def log_costs(self, dual: Array) -> Array:
        """Log costs that a dual vector stands for."""
        return np.asarray(self.prior + dual @ self.covariance)

    def newton(self, log_costs: Array) -> Array:
        """Dual of the Gauss-Newton solution, linearised where the log costs are."""
        value, shares = self.rows.model(log_costs)
        inner = self._inner(shares)
        moved = np.einsum("drw,drw->dr", shares, (log_costs - self.prior)[:, self.rows.cells])
        weights = np.linalg.solve(inner, (self.target - value + moved)[:, :, None])
        return _scattered(self.rows.cells, shares * weights, self.prior.shape)

    def _inner(self, shares: Array) -> Array:
        """Covariance of the rows in every draw, (draws, rows, rows)."""
        count, lines, _ = shares.shape
        spread = np.matmul(shares.transpose(1, 0, 2), self.covariance[self.rows.cells]).transpose(1, 0, 2)
        full = np.zeros((count, lines, self.covariance.shape[0]))
        np.put_along_axis(full, np.broadcast_to(self.rows.cells, shares.shape), shares, axis=2)
        inner: Array = np.matmul(spread, full.transpose(0, 2, 1))
        inner[:, range(lines), range(lines)] += self.row_variance
        return inner

    def settled(self, dual: Array) -> Array:
        """Gauss-Newton steps until no draw gains much by another."""
        found, left = dual.copy(), np.arange(len(dual))
        for _ in range(STEPS):
            part = self.only(left)
            before = part.objective(found[left])
            moved, after = part.improved(found[left], before)
            found[left] = moved
            left = left[before - after > SETTLED]
            if not len(left):
                break
        return found

    def only(self, draws: NDArray[np.intp]) -> _Problem:
        """The problem of some of the draws."""
        return replace(self, prior=self.prior[draws], target=self.target[draws])

    def improved(self, dual: Array, before: Array) -> tuple[Array, Array]:
        """One step of every draw, halved until it helps, and the misfit then; a draw that none helps stays."""
        step = self.newton(self.log_costs(dual)) - dual
        found, misfit, open_ = dual.copy(), before.copy(), np.arange(len(dual))
        for halving in range(HALVINGS):
            trial = dual[open_] + step[open_] * 0.5**halving
            now = self.only(open_).objective(trial)
            better = now < before[open_]
            found[open_[better]], misfit[open_[better]] = trial[better], now[better]
            open_ = open_[~better]
            if not len(open_):
                break
        return found, misfit

    def objective(self, dual: Array) -> Array:
        """Squared distance from rows and prior of every draw, in standard deviations, (draws,)."""
        moved = dual @ self.covariance
        value, _ = self.rows.model(self.prior + moved)
        misfit = ((self.target - value) ** 2 / self.row_variance).sum(axis=1)
        return np.asarray(misfit + (dual * moved).sum(axis=1))


def _scattered(cells: NDArray[np.intp], values: Array, shape: tuple[int, ...]) -> Array:
    """Values (draws, rows, width) added up by cell, (draws, cells)."""
    found = np.zeros(shape)
    for line, columns in enumerate(cells):
        found[:, columns] += values[:, line]
    return found
