"""Scores of a form and what they say against another: errors and log densities with rows left out, by scheme.

The verdict is by the log density of what was left out, fold by fold. A difference below SMALL decides nothing. A
larger one counts where it is more than two of its standard errors over the folds (Vehtari, Gelman and Gabry,
Statistics and Computing 27, 2017), or where it is LARGE and no fold speaks clearly for the other side: one table can
refute a form that the others do not ask about, and then it is itself the standard error.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..calibration import DIGITS
from .held_out import Fitted, leave_out

SMALL = 4.0  # below it the standard error cannot be trusted: Sivula, Magnusson and Vehtari, arXiv 2008.10296
LARGE = 5.0  # "very strong" on the scale of Kass and Raftery, J. Am. Stat. Assoc. 90, 1995: a factor of 150
CLEARLY = 1.0  # a fold that is a factor e less probable speaks for the other side
REJECTED, BETTER, CANNOT_TELL, SAME = "rejected", "better", "the evidence cannot tell", "the same on these rows"
ALIKE = 1e-6

#: For each scheme a label of every row: rows of one label are left out together, those of an empty one never.
Schemes = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Fold:
    """What was left out together: measured less predicted log of each row, and the log density of all of them."""

    name: str
    errors: tuple[float, ...]
    log_density: float


@dataclass(frozen=True)
class Scheme:
    """All folds of one way to leave out."""

    left_out: str
    folds: tuple[Fold, ...]

    @property
    def error(self) -> float:
        """Root mean square of measured less predicted."""
        return float(np.sqrt(np.mean([error**2 for fold in self.folds for error in fold.errors])))

    @property
    def log_density(self) -> float:
        """Sum over the folds."""
        return sum(fold.log_density for fold in self.folds)


@dataclass(frozen=True)
class Score:
    """One form: number of parameters that are its own, rms residual of all rows, and its schemes."""

    form: str
    parameters: int
    rms: float
    schemes: tuple[Scheme, ...]

    def scheme(self, left_out: str) -> Scheme:
        """The scheme of that name."""
        return next(item for item in self.schemes if item.left_out == left_out)


@dataclass(frozen=True)
class Comparison:
    """A rival less the form that is used: difference of log densities, its standard error, what follows.

    ``for_it`` and ``against_it`` are the folds that say most for and against the rival.
    """

    rival: str
    difference: float
    error: float
    verdict: str
    for_it: tuple[str, float]
    against_it: tuple[str, float]


def score(form: str, parameters: int, fitted: Fitted, schemes: Schemes) -> Score:
    """A fitted form with rows left out by every scheme."""
    rms = round(float(np.sqrt(np.mean(fitted.residuals() ** 2))), DIGITS)
    found = (Scheme(left_out, tuple(folds(fitted, labels))) for left_out, labels in schemes.items())
    return Score(form, parameters, rms, tuple(found))


def folds(fitted: Fitted, labels: Sequence[str]) -> Iterable[Fold]:
    """Every label's rows predicted by the others."""
    for name in dict.fromkeys(label for label in labels if label):
        yield fold(fitted, labels, name)


def fold(fitted: Fitted, labels: Sequence[str], name: str) -> Fold:
    """The rows of one label predicted by the others."""
    found = leave_out(fitted, name, [row for row, label in enumerate(labels) if label == name])
    return Fold(name, tuple(round(error, DIGITS) for error in found.errors.values()), round(found.log_density, DIGITS))


def compare(used: Score, rival: Score, left_out: str) -> Comparison:
    """What leaving out by one scheme says of a rival against the form that is used."""
    pairs = zip(used.scheme(left_out).folds, rival.scheme(left_out).folds, strict=True)
    gains = {theirs.name: theirs.log_density - ours.log_density for ours, theirs in pairs}
    values = np.array(list(gains.values()))
    total = float(values.sum())
    error = float(np.std(values, ddof=1) * math.sqrt(len(values))) if len(values) > 1 else math.inf
    best, worst = (pick(gains.items(), key=lambda item: item[1]) for pick in (max, min))
    return Comparison(rival.form, total, error, _verdict(values, total, error), best, worst)


def _verdict(gains: np.ndarray, total: float, error: float) -> str:
    if np.max(np.abs(gains)) < ALIKE:
        return SAME
    against = float(np.max(-math.copysign(1, total) * gains))  # the fold that speaks most for the other side
    if abs(total) > SMALL and (abs(total) > 2 * error or (abs(total) > LARGE and against < CLEARLY)):
        return BETTER if total > 0 else REJECTED
    return CANNOT_TELL
