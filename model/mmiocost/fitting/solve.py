"""One fit at given scatter: the most probable effects, their Gaussian neighbourhood, the evidence.

Gauss-Newton steps in the space of the rows, which are fewer than the unknowns; Student-t row errors by
reweighting. No bounds are needed, since the unknowns are logarithms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .design import Array, Design, Hyper

DEGREES = 4.0  # of freedom of the row errors: an outlying table loses its weight instead of bending the fit
STEPS = 60
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Solution:
    """Effects at the maximum, rows' variances after reweighting, Jacobian there, log evidence (Laplace)."""

    hyper: Hyper
    effects: Array
    row_variance: Array
    jacobian: Array
    log_evidence: float
    converged: bool

    def covariance_of_rows(self, prior_variance: Array) -> Array:
        """Covariance that the linearised model gives the rows, (rows, rows)."""
        return (self.jacobian * prior_variance) @ self.jacobian.T + np.diag(self.row_variance)


def solve(design: Design, hyper: Hyper, start: Array | None = None, degrees: float = DEGREES) -> Solution:
    """Most probable effects of a design. ``degrees`` = inf gives Gaussian row errors."""
    variance = design.prior_variance(hyper)
    effects = np.zeros(len(design.keys)) if start is None else start
    value, jacobian = design.model(effects)
    worst = _objective(design, effects, value, variance, degrees)
    converged = False
    for _ in range(STEPS):
        row_variance = _reweighted(design, value, degrees)
        step = _gauss_newton(jacobian, variance, row_variance, design.target - value, effects) - effects
        effects, value, jacobian, now = _damped(design, effects, step, worst, variance, degrees)
        converged = worst - now < TOLERANCE * (1 + abs(now))
        worst = now
        if converged:
            break
    row_variance = _reweighted(design, value, degrees)
    log_evidence = -worst - 0.5 * _log_det(jacobian, variance, row_variance)
    return Solution(hyper, effects, row_variance, jacobian, log_evidence, converged)


def _reweighted(design: Design, value: Array, degrees: float) -> Array:
    """Variance that each row counts with: larger where the residual is."""
    if math.isinf(degrees):
        return design.sd**2
    score = ((design.target - value) / design.sd) ** 2
    return design.sd**2 * (degrees + score) / (degrees + 1)


def _gauss_newton(jacobian: Array, variance: Array, row_variance: Array, residual: Array, effects: Array) -> Array:
    spread = jacobian * variance
    inner = spread @ jacobian.T + np.diag(row_variance)
    return np.asarray(spread.T @ np.linalg.solve(inner, residual + jacobian @ effects))


def _damped(
    design: Design, effects: Array, step: Array, worst: float, variance: Array, degrees: float
) -> tuple[Array, Array, Array, float]:
    """The step, halved until the objective does not grow; the old place when no part of it helps."""
    for halving in range(30):
        trial = effects + step * 0.5**halving
        value, jacobian = design.model(trial)
        now = _objective(design, trial, value, variance, degrees)
        if now <= worst:
            return trial, value, jacobian, now
    return (effects, *design.model(effects), worst)


def _objective(design: Design, effects: Array, value: Array, variance: Array, degrees: float) -> float:
    """Negative log posterior density, the part that depends on the hyperparameters kept."""
    score = (design.target - value) / design.sd
    prior = 0.5 * float(np.sum(effects**2 / variance))
    if math.isinf(degrees):
        return prior + float(np.sum(0.5 * score**2 + np.log(design.sd)))
    half = 0.5 * (degrees + 1)
    return prior + float(np.sum(half * np.log1p(score**2 / degrees) + np.log(design.sd)))


def _log_det(jacobian: Array, variance: Array, row_variance: Array) -> float:
    """log det of the posterior precision over the prior's."""
    scaled = jacobian / np.sqrt(row_variance)[:, None]
    _, value = np.linalg.slogdet((scaled * variance) @ scaled.T + np.eye(len(row_variance)))
    return float(value)
