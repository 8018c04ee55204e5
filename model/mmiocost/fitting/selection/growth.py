"""How a slot search grows with the number of slots, on the kernels that search a tree or a sorted array.

A series is one thing measured at several slot counts: cost = its own base + what grows, and on the live probe a
part of the virtual machine, which was built anew for each slot count. Forms of what grows are SymPy expressions in
``slots`` and ``levels``, the entries that the model itself counts for one search.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..solve import Problem
from .held_out import Fitted, fit
from .scores import Score, score

if TYPE_CHECKING:
    from ..design import Array

NEAR_LEVELS = 9  # of a tree: 511 nodes, about what a first-level cache of 32 KiB holds at one line a node
BASE_SD = 2.0  # of the log of a base: weak, a factor 7


class Measured(NamedTuple):
    """One row: ns, its standard error, what is measured, slots, levels of one search, machine built, does it grow."""

    series: str
    value: float
    error: float
    slots: float
    levels: float
    machine: str
    grows: bool


@dataclass(frozen=True)
class Ladder:
    """Series over slot counts, all of one source; ``told`` says what they are.

    ``base``: prior median of a series' base, ns. ``machine_sd`` and ``growth_sd``: prior standard deviations, ns, of a
    machine's part and of what grows up to the largest slot count. ``misses``: log standard deviations by which a form
    may miss a row. ``level``: ns of one level as the equations have it, with its standard deviation, where they do.
    """

    name: str
    told: str
    source: str
    rows: tuple[Measured, ...]
    base: float
    machine_sd: float
    growth_sd: float
    misses: tuple[float, ...]
    level: tuple[float, float] | None = None


@dataclass(frozen=True)
class GrowthForm:
    """A candidate: an expression of slots and levels for each coefficient, and what it says.

    ``as_modelled``: the coefficient is what the equations and their priors say, not free.
    """

    name: str
    says: str
    terms: tuple[Any, ...]
    as_modelled: bool = False


@cache
def growth_forms() -> tuple[GrowthForm, ...]:
    """All candidates, the simplest first; loads SymPy."""
    import sympy as sp

    slots, levels = sp.symbols("slots levels", positive=True)
    far = sp.Max(0, levels - NEAR_LEVELS)
    return (
        GrowthForm("nothing grows", "the last-used slot answers, or no search is made", ()),
        GrowthForm("log2 of the slots", "each doubling costs the same", (sp.log(slots, 2),)),
        GrowthForm("depth", "each entry that the equations count costs the same", (levels,)),
        GrowthForm("depth, at the cost of a compare", "the same at the cost of a warm slot_compare", (levels,), True),
        GrowthForm("depth, far levels miss", f"entries beyond the first {NEAR_LEVELS} cost more", (levels, far)),
        GrowthForm("every slot", "work for each slot, as of a scan or a slot's own upkeep", (slots,)),
    )


@cache
def _lowered(form: GrowthForm) -> tuple[Callable[..., Array], ...]:
    import sympy as sp

    return tuple(sp.lambdify(sp.symbols("slots levels", positive=True), term, "numpy") for term in form.terms)


class ScoredGrowth(NamedTuple):
    """A form fitted to a ladder, with its scores."""

    form: GrowthForm
    fitted: Fitted
    score: Score


@lru_cache(maxsize=8)  # several views tell of the same ladders
def scored_growth(ladder: Ladder) -> tuple[ScoredGrowth, ...]:
    """Every form, fitted and scored; loads SymPy.

    Slot counts are left out, and where there are several series, rows that grow and series. All of the one source is
    left out only where a form has its cost from elsewhere: then the priors alone predict.
    """
    rows = ladder.rows
    labels = {"slot count": [f"{row.slots:g} slots" for row in rows]}
    if len({row.series for row in rows}) > 1:  # else every row is the one of its slot count
        labels["row"] = [f"{row.series}, {row.slots:g} slots" if row.grows else "" for row in rows]
        labels["series"] = [row.series for row in rows]
    if ladder.level:
        labels["source"] = [ladder.source] * len(rows)
    found = []
    for form in growth_forms():
        if ladder.level or not form.as_modelled:
            fitted = fit(points(ladder, form))
            found.append(ScoredGrowth(form, fitted, score(form.name, _free(form), fitted, labels)))
    return tuple(found)


def _free(form: GrowthForm) -> int:
    return 0 if form.as_modelled else len(form.terms)


def points(ladder: Ladder, form: GrowthForm) -> tuple[Problem, ...]:
    """The form against the rows, for each size of what it may miss."""
    values = _model(ladder, form)
    measured = np.array([row.value for row in ladder.rows])
    own = np.array([row.error for row in ladder.rows]) / measured
    bases, machines = len({row.series for row in ladder.rows}), len(_machines(ladder))
    variance = np.array([BASE_SD**2] * bases + [1.0] * (machines + len(form.terms)))
    return tuple(Problem(values, np.log(measured), np.hypot(own, miss), variance) for miss in ladder.misses)


def coefficients(ladder: Ladder, scored: ScoredGrowth) -> tuple[tuple[float, float, float], ...]:
    """Value and 95 % interval of every coefficient, ns per unit of its term, Gaussian at the best fit."""
    fitted, number = scored.fitted, len(scored.form.terms)
    place = int(np.argmax(fitted.weights()))
    point, best = fitted.points[place], fitted.maxima[place]
    scaled = best.jacobian / np.sqrt(point.row_variance(best.value))[:, None]
    covariance = np.linalg.inv(scaled.T @ scaled + np.diag(1 / np.asarray(point.prior_variance)))
    centre, sd = _coefficient(ladder, scored.form)
    values = centre + sd * best.unknowns[len(best.unknowns) - number :]
    sides = 1.96 * sd * np.sqrt(np.diag(covariance)[len(best.unknowns) - number :])
    return tuple(
        (float(value), float(value - side), float(value + side)) for value, side in zip(values, sides, strict=True)
    )


def _coefficient(ladder: Ladder, form: GrowthForm) -> tuple[Array, Array]:
    """Prior centre and standard deviation of every coefficient, (terms,), ns per unit of its term."""
    if form.as_modelled and ladder.level:
        return np.array([ladder.level[0]]), np.array([ladder.level[1]])
    largest = np.array([max(1e-12, float(term.max())) for term in _terms(ladder, form).T])
    return np.zeros(len(form.terms)), ladder.growth_sd / largest


def _terms(ladder: Ladder, form: GrowthForm) -> Array:
    """Terms of the form in every row, (rows, terms); 0 where nothing grows."""
    slots, levels, grows = (
        np.array([getattr(row, name) for row in ladder.rows], dtype=float) for name in ("slots", "levels", "grows")
    )
    found = [np.broadcast_to(term(slots, levels), len(slots)) * grows for term in _lowered(form)]
    return np.array(found).reshape(len(form.terms), len(slots)).T


def _model(ladder: Ladder, form: GrowthForm) -> Callable[[Array], tuple[Array, Array]]:
    """Log ns of the rows with the Jacobian.

    Unknowns: log base of each series; in units of their prior sd, part of each machine and each coefficient.
    """
    series = ladder.base * _indicators([row.series for row in ladder.rows])
    centre, sd = _coefficient(ladder, form)
    terms = _terms(ladder, form)
    known, moving = terms @ centre, np.hstack([ladder.machine_sd * _machines(ladder).T, terms * sd])
    bases = series.shape[1]

    def values(unknowns: Array) -> tuple[Array, Array]:
        based = series * np.exp(unknowns[:bases])
        total = based.sum(axis=1) + known + moving @ unknowns[bases:]
        with np.errstate(invalid="ignore", divide="ignore"):  # a step too far has no logarithm: the solver turns back
            return np.log(total), np.hstack([based, moving]) / total[:, None]

    return values


def _machines(ladder: Ladder) -> Array:
    """Which row is of which machine, (machines, rows); none where each row's machine is the same."""
    if not ladder.machine_sd:
        return np.empty((0, len(ladder.rows)))
    return _indicators([row.machine for row in ladder.rows]).T


def _indicators(labels: Sequence[str]) -> Array:
    names = list(dict.fromkeys(labels))
    return np.array([[float(label == name) for name in names] for label in labels])
