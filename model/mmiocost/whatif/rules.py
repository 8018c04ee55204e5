"""Rules learnt from simulated data: what to expect of a saving, and from which expectation on to act on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..fitting.design import Array

_KNOTS = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)  # quantiles at which a column's line may bend
_EDGES = (0.001, 0.999)  # beyond these quantiles a column stays flat
_TAILS = (0.01, 0.99)
_RIDGE = 1e-6
_SURE = 2.0  # standard errors by which a rule must beat the better design without data, where it is learnt


def basis(columns: Sequence[Array]) -> Array:
    """Each column as a broken line, squares, and products of every two, (points, terms) with a constant first."""
    scaled = [_scaled(column) for column in columns]
    terms = [np.ones(len(scaled[0]))]
    for column in scaled:
        terms += [column, *(np.maximum(column - knot, 0.0) for knot in np.quantile(column, _KNOTS))]
    terms += [scaled[i] * scaled[j] for i in range(len(scaled)) for j in range(i + 1)]
    return np.stack(terms, axis=1)


def _scaled(column: Array) -> Array:
    low, high = np.quantile(column, _EDGES)
    cut = np.clip(column, low, high)
    spread = cut.std()
    return np.asarray((cut - cut.mean()) / (spread if spread > 0 else 1.0))


def tamed(target: Array) -> Array:
    """A target (points,) without its farthest values, which would rule a least-squares fit; its order is kept."""
    low, high = np.quantile(target, _TAILS)
    return np.asarray(np.clip(target, low, high))


def learnt(terms: Array, target: Array) -> Callable[[Array], Array]:
    """The least-squares rule from terms (points, terms) to a target (points,); a touch of ridge keeps it defined."""
    inner = terms.T @ terms
    weight = _RIDGE * np.trace(inner) / len(inner)
    found = np.linalg.solve(inner + weight * np.eye(len(inner)), terms.T @ target)
    return lambda rows: np.asarray(rows @ found)


def threshold(score: Array, saved: Array, draw: Array) -> float:
    """The score above which the second design saves most, -inf or inf where one design is best throughout.

    ``score`` and ``saved`` are (points,), ``draw`` the number of the fit's draw behind each: points of one draw are
    not independent. A rule that does not beat the better design by two standard errors is none.
    """
    order = np.argsort(-score)
    total = np.concatenate([[0.0], np.cumsum(saved[order])])
    best = int(np.argmax(total))
    second = total[-1] > 0
    constant = -np.inf if second else np.inf
    if best in (0, len(score)):
        return constant
    cut = float(score[order[best - 1]] + score[order[best]]) / 2
    gain = np.bincount(draw, saved * ((score > cut).astype(float) - float(second)))[np.unique(draw)]
    sure = gain.mean() > _SURE * gain.std(ddof=1) / np.sqrt(len(gain))
    return cut if sure else constant
