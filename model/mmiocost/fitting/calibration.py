"""Whether intervals hold what they say: ranks of the truth among draws, and coverage from ranks.

The rank of a truth is the share of draws below it. Ranks of calibrated draws are uniform, so that an interval of
level p covers a share p of the truths; draws that are too narrow push the ranks to 0 and 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .design import Array, Design, Hyper
from .fit import Fit
from .mixture import GRID, fit_mixture
from .sampling import draw

LEVELS = (0.5, 0.8, 0.95)
DIGITS = 6  # decimals of the numbers that are kept


@dataclass(frozen=True)
class Coverage:
    """Share of ``count`` truths inside the central intervals of a level.

    ``error`` is sqrt(p(1-p)/count), the standard error that the share has if the intervals hold what they say
    and the truths are independent.
    """

    level: float
    covered: float
    count: int
    error: float

    @property
    def too_narrow(self) -> bool:
        """Whether fewer truths are covered than the level says, by more than two standard errors."""
        return self.covered < self.level - 2 * self.error


def rank(draws: Array, truth: float) -> float:
    """Place of a truth among draws (draws,), between 0 and 1 and neither of them."""
    return (int(np.sum(draws < truth)) + 0.5) / (len(draws) + 1)


def inside(rank_: float, level: float) -> bool:
    """Whether a truth of this rank is in the central interval of a level."""
    return abs(rank_ - 0.5) <= level / 2


def coverages(ranks: Sequence[float]) -> tuple[Coverage, ...]:
    """Coverage at each of LEVELS; ``ranks`` is not empty."""
    count = len(ranks)
    return tuple(
        Coverage(
            level,
            sum(inside(item, level) for item in ranks) / count,
            count,
            math.sqrt(level * (1 - level) / count),
        )
        for level in LEVELS
    )


def coverages_by_group(ranks: Mapping[str, Sequence[float]]) -> tuple[Coverage, ...]:
    """Coverage at each of LEVELS with every group of truths counted once; a group's is the share of its truths.

    The error takes the truths of a group to be covered together or not at all, as they are if they share an error.
    """
    count = len(ranks)
    shares = [[np.mean([inside(item, level) for item in group]) for group in ranks.values()] for level in LEVELS]
    return tuple(
        Coverage(level, round(float(np.mean(found)), DIGITS), count, math.sqrt(level * (1 - level) / count))
        for level, found in zip(LEVELS, shares, strict=True)
    )


def refit(design: Design, count: int, rng: np.random.Generator, grid: Sequence[Hyper] = GRID) -> Fit:
    """The fit of a design as the package makes it, the mixture over the grid weighed by these rows alone.

    It knows costs and nothing of states or sources.
    """
    mixture = fit_mixture(design, grid)
    effects, scatter = draw(mixture, count, rng)
    return Fit(design.keys, effects, scatter, design.priors, {}, {}, "")
