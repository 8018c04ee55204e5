"""One fit at given scatter: the most probable effects, their Gaussian neighbourhood, the evidence.

The core, :func:`maximise`, takes any model that gives values and their Jacobian, with a prior or without: Gauss-Newton
steps, damped after Levenberg and Marquardt where the model bends (damping after Nielsen, report IMM-REP-1999-05;
scaling after Moré, Lecture Notes in Mathematics 630, 1978), Student-t row errors by reweighting. No bounds are
needed, since the unknowns of the joint fit are logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .design import Array, Design, Hyper

DEGREES = 4.0  # of freedom of the row errors: an outlying table loses its weight instead of bending the fit
STEPS = 250
TOLERANCE = 1e-8
GENTLE = 1e-2  # damping that a fit without a prior starts with; a prior damps by itself
HOPELESS = 1e30  # damping that leaves so little of a step that rounding swallows it
FLATTEST = 0.3  # least curvature of a Student-t error that a step counts with, as a part of its weight
TINY = float(np.finfo(float).tiny)
EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Problem:
    """Rows against unknowns, and how probable both are.

    ``model`` gives values (rows,) and Jacobian (rows, unknowns), not finite where it has none. ``sd``: (rows,), or
    None for one sd of all rows that the residuals tell. ``prior_variance``: (unknowns,) about 0, or None for no
    prior. ``degrees``: of the rows' Student-t errors, infinite for Gaussian ones. A prior and Student-t errors ask
    for a known ``sd``.
    """

    model: Callable[[Array], tuple[Array, Array]]
    target: Array
    sd: Array | None = None
    prior_variance: Array | None = None
    degrees: float = math.inf

    def objective(self, unknowns: Array, value: Array) -> float:
        """Negative log density of rows and unknowns, constants left out; infinite where a value is not finite."""
        residual = self.target - value
        if not np.isfinite(residual).all():
            return math.inf
        if self.sd is None:  # the density at the most probable sd
            return 0.5 * len(residual) * math.log(self._common_variance(residual))
        prior = 0.0 if self.prior_variance is None else 0.5 * float(np.sum(unknowns**2 / self.prior_variance))
        score = residual / self.sd
        if math.isinf(self.degrees):
            return prior + float(np.sum(0.5 * score**2 + np.log(self.sd)))
        half = 0.5 * (self.degrees + 1)
        return prior + float(np.sum(half * np.log1p(score**2 / self.degrees) + np.log(self.sd)))

    def row_variance(self, value: Array) -> Array:
        """Variance that each row counts with, (rows,): larger where the residual is, if errors are Student-t."""
        residual = self.target - value
        if self.sd is None:
            return np.full(len(residual), self._common_variance(residual))
        if math.isinf(self.degrees):
            return self.sd**2
        return self.sd**2 * (self.degrees + (residual / self.sd) ** 2) / (self.degrees + 1)

    def _common_variance(self, residual: Array) -> float:
        """The most probable variance of all rows; at least what rounding makes of rows that are met exactly."""
        rounding = EPSILON * float(np.linalg.norm(self.target))
        return max(float(residual @ residual), rounding**2, TINY) / len(residual)

    def curvature(self, value: Array) -> Array:
        """Second derivative of each row's error term over its weight, (rows,), kept positive: 1 if Gaussian.

        A row so far off that its term bends the other way counts with its weight alone.
        """
        if self.sd is None or math.isinf(self.degrees):
            return np.ones(len(value))
        score = ((self.target - value) / self.sd) ** 2
        bend = (self.degrees - score) / (self.degrees + score)
        return np.where(bend > 0, np.maximum(bend, FLATTEST), 1.0)


@dataclass(frozen=True)
class Maximum:
    """Where the density is largest: unknowns, values and Jacobian, its negative logarithm, how many steps it took."""

    unknowns: Array
    value: Array
    jacobian: Array
    objective: float
    converged: bool
    steps: int


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
    problem = Problem(design.model, design.target, design.sd, variance, degrees)
    found = maximise(problem, np.zeros(len(design.keys)) if start is None else start)
    row_variance = problem.row_variance(found.value)
    log_evidence = -found.objective - 0.5 * _log_det(found.jacobian, variance, row_variance)
    return Solution(hyper, found.unknowns, row_variance, found.jacobian, log_evidence, found.converged)


def maximise(problem: Problem, start: Array, tolerance: float = TOLERANCE, steps: int = STEPS) -> Maximum:
    """The maximum of the density that is reached from a start (unknowns,), where the model must be finite.

    Converged: an undamped step promises less than ``tolerance``, in units of log density, which makes it relative to
    the errors of the rows, or no step gains and rounding of the rows hides what it promises. ``steps`` is how many
    may be tried.
    """
    unknowns = start
    value, jacobian = problem.model(unknowns)
    best = problem.objective(unknowns, value)
    scale = _scale(problem, jacobian)
    local = _local(problem, unknowns, value, jacobian, scale)
    damping, growth = local.start_damping, 2.0
    for tried in range(steps):
        step, promised, undamped = local.step(damping)
        if undamped < tolerance:
            return Maximum(unknowns, value, jacobian, best, True, tried)
        trial = unknowns + step * scale
        trial_value, trial_jacobian = problem.model(trial)
        now = problem.objective(trial, trial_value)
        if now <= best and np.isfinite(trial_jacobian).all():
            kept = (best - now) / max(promised, TINY)
            damping, growth = damping * max(1 / 3, 1 - (2 * kept - 1) ** 3), 2.0
            unknowns, value, jacobian, best = trial, trial_value, trial_jacobian, now
            scale = np.minimum(scale, _scale(problem, jacobian))
            local = _local(problem, unknowns, value, jacobian, scale)
        elif undamped < local.rounding or damping > HOPELESS:
            return Maximum(unknowns, value, jacobian, best, undamped < local.rounding, tried)
        else:
            damping, growth = max(damping, local.least_damping) * growth, 2 * growth
    return Maximum(unknowns, value, jacobian, best, False, steps)


def _scale(problem: Problem, jacobian: Array) -> Array:
    """The unit that each unknown counts in, (unknowns,): the prior's sd, or what moves the rows by 1."""
    if problem.prior_variance is not None:
        return np.sqrt(problem.prior_variance)
    moved = np.linalg.norm(jacobian, axis=0)
    return 1 / np.where(moved > 0, moved, 1.0)


@dataclass(frozen=True)
class _WithPrior:
    """The model as a straight line at a point: Jacobian and residual over the rows' sd, the point in prior sds.

    A step is found in the space of the rows, which are fewer than the unknowns.
    """

    jacobian: Array
    residual: Array
    rounding: float
    point: Array
    start_damping = 0.0
    least_damping = 1.0

    def step(self, damping: float) -> tuple[Array, float, float]:
        """A step (unknowns,), what it promises, and a bound of what one without damping would promise."""
        ridge = 1 + damping
        inner = self.jacobian @ self.jacobian.T
        inner[np.diag_indices_from(inner)] += ridge
        dual = np.linalg.solve(inner, self.residual + self.jacobian @ self.point / ridge)
        step = self.jacobian.T @ dual - self.point / ridge
        along = float((self.jacobian.T @ self.residual - self.point) @ step)
        return step, 0.5 * (along + damping * float(step @ step)), 0.5 * ridge * along


@dataclass(frozen=True)
class _Alone:
    """The same without a prior: unknowns that rows hardly tell make no trouble in a singular value decomposition."""

    jacobian: Array
    residual: Array
    rounding: float
    start_damping = GENTLE
    least_damping = TINY

    def step(self, damping: float) -> tuple[Array, float, float]:
        """A step (unknowns,), what it promises, and what one without damping would promise."""
        left, singular, right = np.linalg.svd(self.jacobian, full_matrices=False)
        along = left.T @ self.residual
        square = singular**2
        part = along / np.maximum(square + damping, TINY)
        promised = 0.5 * float(np.sum(square * (square + 2 * damping) * part**2))
        return right.T @ (singular * part), promised, 0.5 * float(along @ along)


def _local(problem: Problem, unknowns: Array, value: Array, jacobian: Array, scale: Array) -> _WithPrior | _Alone:
    """The straight line at a point. Curvature divides the residual, so that the gradient stays the weighted one."""
    sd = np.sqrt(problem.row_variance(value))
    bend = np.sqrt(problem.curvature(value))
    residual = (problem.target - value) / sd
    rounding = EPSILON * float(np.linalg.norm(residual * problem.target / sd))
    line = (jacobian * scale) * (bend / sd)[:, None]
    if problem.prior_variance is None:
        return _Alone(line, residual / bend, rounding)
    return _WithPrior(line, residual / bend, rounding, unknowns / scale)


def _log_det(jacobian: Array, variance: Array, row_variance: Array) -> float:
    """log det of the posterior precision over the prior's."""
    scaled = jacobian / np.sqrt(row_variance)[:, None]
    _, value = np.linalg.slogdet((scaled * variance) @ scaled.T + np.eye(len(row_variance)))
    return float(value)
