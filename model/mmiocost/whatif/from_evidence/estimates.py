"""Rates and shares of a recording with their 95 % intervals, from counts in equal parts of it.

A count varies at least as Poisson's law says and a share as the binomial's; real loads come in bursts, so both
intervals are widened by the scatter that is seen between the parts (the dispersion of quasi-likelihood; Wedderburn,
Biometrika 61, 1974).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...fitting.fit import LEVEL

PARTS = 10
_TAIL = (1 - LEVEL) / 2


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; an open side is None."""

    value: float
    low: float | None
    high: float | None

    def times(self, factor: float) -> Estimate:
        """The same in another unit; ``factor`` is positive."""
        low, high = (None if end is None else end * factor for end in (self.low, self.high))
        return Estimate(self.value * factor, low, high)


def rate(counts: Sequence[float], seconds: float) -> Estimate:
    """Events a second, from the number in each equal part of a recording of so many seconds.

    The interval is Poisson's exact one (Garwood, Biometrika 28, 1936), widened by the scatter.
    """
    from scipy.stats import chi2

    count = sum(counts)
    low = float(chi2.ppf(_TAIL, 2 * count)) / 2 if count else 0.0
    high = float(chi2.ppf(1 - _TAIL, 2 * count + 2)) / 2
    mean = count / len(counts)
    squares = [(part - mean) ** 2 / mean for part in counts] if count else []
    low, high = _widened(count, low, high, squares)
    return Estimate(count, max(0.0, low), high).times(1 / seconds)


def share(hits: Sequence[int], of: Sequence[int]) -> Estimate:
    """Share of ``hits`` among ``of``, both by part; some part has any.

    The interval is the binomial's exact one (Clopper and Pearson, Biometrika 26, 1934), widened by the scatter.
    """
    from scipy.stats import binomtest

    count, total = sum(hits), sum(of)
    exact = binomtest(count, total).proportion_ci(LEVEL)
    p = count / total
    spread = p * (1 - p)
    squares = [(k - n * p) ** 2 / (n * spread) for k, n in zip(hits, of, strict=True) if n and spread]
    low, high = _widened(p, float(exact.low), float(exact.high), squares)
    return Estimate(p, max(0.0, low), min(1.0, high))


def _widened(value: float, low: float, high: float, squares: Sequence[float]) -> tuple[float, float]:
    """An interval widened on both sides by the root of the dispersion, where that exceeds 1."""
    dispersion = sum(squares) / (len(squares) - 1) if len(squares) > 1 else 1.0
    factor = math.sqrt(max(1.0, dispersion))
    return value - (value - low) * factor, value + (high - value) * factor
