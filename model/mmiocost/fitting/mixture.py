"""The scatter of machines and states integrated out: fits on a grid, weighted by their evidence.

Plugging in the best point of the grid would give intervals that are too narrow (model/statistics.md). All points
are solved at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .batch import Batch, Compact, solve_all
from .design import Array, Design, Hyper
from .solve import DEGREES, Solution, solve

GRID: tuple[Hyper, ...] = tuple(
    Hyper(*point) for point in itertools.product((0.2, 0.35, 0.6, 1.0), (0.2, 0.35, 0.6, 1.0), (0.08, 0.16, 0.3, 0.55))
)


@dataclass(frozen=True)
class Mixture:
    """Solutions on the grid and their weights (grid,), which sum to 1."""

    design: Design
    solutions: tuple[Solution, ...]
    weights: Array

    def best(self) -> Solution:
        """The solution of the largest weight."""
        return self.solutions[int(np.argmax(self.weights))]


def fit_mixture(design: Design, grid: Sequence[Hyper] = GRID) -> Mixture:
    """One solution a grid point, each started from that of the last.

    The last point has the widest scatter. There the effects explain every row; a start far from a row would rather
    take it for an outlier, which is an optimum too.
    """
    deviation = np.sqrt(np.array([design.prior_variance(hyper) for hyper in grid]))
    shape = (len(grid), len(design.sd))
    batch = Batch(
        Compact(design),
        deviation,
        np.zeros(deviation.shape),
        np.broadcast_to(design.target, shape),
        np.broadcast_to(design.sd, shape),
        np.ones(shape),
        DEGREES,
    )
    start = solve(design, grid[-1]).effects
    whitened, objective = solve_all(batch, start / deviation)
    value, shares = batch.shares(whitened)
    row_variance, jacobian = batch.row_variance(value), batch.jacobian(shares)
    evidence = -objective - np.log(design.sd).sum() - 0.5 * _log_det(jacobian, row_variance)
    weights = np.exp(evidence - evidence.max())
    found = zip(grid, whitened * deviation, row_variance, jacobian / deviation[:, None], evidence, strict=True)
    solutions = (Solution(*item[:4], float(item[4]), True) for item in found)
    return Mixture(design, tuple(solutions), weights / weights.sum())


def _log_det(jacobian: Array, row_variance: Array) -> Array:
    """log det of the posterior precision over the prior's of every fit, (fits,); the Jacobian by whitened unknowns."""
    scaled = jacobian / np.sqrt(row_variance)[:, :, None]
    inner = np.matmul(scaled, scaled.transpose(0, 2, 1)) + np.eye(row_variance.shape[1])
    return np.asarray(np.linalg.slogdet(inner)[1])
