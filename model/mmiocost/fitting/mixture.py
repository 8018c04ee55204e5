"""The scatter of machines and states integrated out: fits on a grid, weighted by their evidence.

Plugging in the best point of the grid would give intervals that are too narrow (model/statistics.md).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .design import Array, Design, Hyper
from .solve import Solution, solve

GRID: tuple[Hyper, ...] = tuple(
    Hyper(*point) for point in itertools.product((0.2, 0.35, 0.6, 1.0), (0.2, 0.35, 0.6, 1.0), (0.03, 0.08, 0.2, 0.45))
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
    """One solution a grid point, each started from its neighbour's."""
    solutions: list[Solution] = []
    for hyper in grid:
        solutions.append(solve(design, hyper, solutions[-1].effects if solutions else None))
    evidence = np.array([item.log_evidence for item in solutions])
    weights = np.exp(evidence - evidence.max())
    return Mixture(design, tuple(solutions), weights / weights.sum())
