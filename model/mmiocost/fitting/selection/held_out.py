"""Rows left out: how far off a fit of the others predicts them, and how probable they were to it.

One way for every form: a fit on each point of a grid of what is weakly known (the scatter of machines, or the size
of what a form misses), weighed by its Laplace evidence without the left-out rows. The log density of all rows of a
fold together, given the others, is the evidence of all rows over that of the others, each summed over the grid. So a
source that is off as a whole is penalised once and not once a row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..design import Array
from ..solve import Maximum, Problem, maximise

#: Points and where the steps of each begin, to their maxima.
Solver = Callable[[Sequence[Problem], Sequence[Array]], tuple[Maximum, ...]]

UNSEEN = 1e6  # standard deviation of a row that a fit shall not see


def one_by_one(points: Sequence[Problem], starts: Sequence[Array]) -> tuple[Maximum, ...]:
    """Every point by itself."""
    return tuple(maximise(point, start) for point, start in zip(points, starts, strict=True))


@dataclass(frozen=True)
class Fitted:
    """A form fitted to all rows on every point of a grid, and how probable each point was beforehand, as a log.

    The points share their rows and differ in standard deviations, priors or what they take as given; all have both.
    """

    points: tuple[Problem, ...]
    maxima: tuple[Maximum, ...]
    log_prior: tuple[float, ...]
    solver: Solver = one_by_one

    @property
    def log_evidence(self) -> float:
        """Log density of all rows that the points see."""
        return float(np.logaddexp.reduce(self._each()))

    def weights(self) -> Array:
        """Weights of the points by their evidence, (points,); they sum to 1."""
        evidence = self._each()
        found = np.exp(evidence - evidence.max())
        return np.asarray(found / found.sum())

    def residuals(self) -> Array:
        """Measured less fitted, (rows,), averaged over the grid by weight."""
        values = np.array([found.value for found in self.maxima])
        return np.asarray(self.points[0].target - self.weights() @ values)

    def _each(self) -> Array:
        found = [log_evidence(*pair) for pair in zip(self.points, self.maxima, strict=True)]
        return np.asarray(np.array(found) + np.array(self.log_prior))


@dataclass(frozen=True)
class LeftOut:
    """The rows of one fold: ``errors`` is measured less predicted, by row number; log density of all of them."""

    fold: str
    errors: Mapping[int, float]
    log_density: float


def fit(points: Sequence[Problem], log_prior: Sequence[float] = (), solver: Solver = one_by_one) -> Fitted:
    """The fit of all rows on every point of the grid; all steps begin at the fit of the last point.

    ``log_prior``: (points,), normalised here; without it every point is as probable as any other.
    """
    start = maximise(points[-1], np.zeros(len(_prior(points[-1])))).unknowns
    prior = np.array(log_prior or [0.0] * len(points))
    maxima = solver(points, [start] * len(points))
    return Fitted(tuple(points), maxima, tuple((prior - np.logaddexp.reduce(prior)).tolist()), solver)


def leave_out(whole: Fitted, fold: str, out: Sequence[int]) -> LeftOut:
    """Predict the rows ``out`` from the others; the steps begin at the fits of all rows."""
    rows = np.asarray(out)
    points = tuple(_without(point, rows) for point in whole.points)
    maxima = whole.solver(points, [found.unknowns for found in whole.maxima])
    others = replace(whole, points=points, maxima=maxima)
    errors = others.residuals()
    return LeftOut(fold, {int(row): float(errors[row]) for row in rows}, whole.log_evidence - others.log_evidence)


def log_evidence(point: Problem, found: Maximum) -> float:
    """Laplace evidence of the rows that a point sees, as the log of a density.

    The width of a Student-t error is that of its area over its height, which is right for a row that is met exactly;
    its curvature at the top alone would make it too narrow by a factor of 1.2 with 4 degrees of freedom.
    """
    variance, sd = _prior(point), _sd(point)
    seen = sd < UNSEEN
    height = _log_height(point.degrees)
    width = math.exp(-2 * height) / (2 * math.pi)
    if not math.isinf(point.degrees):
        width *= (point.degrees + 1) / point.degrees
    scaled = found.jacobian / np.sqrt(width * point.row_variance(found.value))[:, None]
    _, narrowed = np.linalg.slogdet((scaled * variance) @ scaled.T + np.eye(len(sd)))
    constants = int(np.sum(seen)) * height + int(np.sum(~seen)) * math.log(UNSEEN)
    return float(constants - found.objective - 0.5 * narrowed)


def _log_height(degrees: float) -> float:
    """Log density of the error of a row at 0, in units of its standard deviation."""
    if math.isinf(degrees):
        return -0.5 * math.log(2 * math.pi)
    return math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - 0.5 * math.log(degrees * math.pi)


def _without(point: Problem, rows: Any) -> Problem:
    sd = _sd(point).copy()
    sd[rows] = UNSEEN
    return replace(point, sd=sd)


def _sd(point: Problem) -> Array:
    assert point.sd is not None  # a form always says how well its rows are known
    return point.sd


def _prior(point: Problem) -> Array:
    assert point.prior_variance is not None  # a left-out row may hold the only row of a parameter
    return point.prior_variance
