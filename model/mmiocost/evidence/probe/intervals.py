"""Median with an exact interval, from order statistics: no assumption on how times are distributed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

LEVEL = 0.95
LEAST = 6  # values with which the extremes hold the median in 95 % of samples: 1 - 2 / 2^6 = 0.969


def median_interval(values: Sequence[float]) -> tuple[float, float | None, float | None]:
    """Median and its 95 % interval; without bounds for fewer than six values.

    The interval from the k-th smallest to the k-th largest value holds the median unless fewer than k of n values
    lie on one side, which is binomial with probability 1/2.
    """
    ordered = sorted(values)
    if len(ordered) < LEAST:
        return median(ordered), None, None
    inner = _rank(len(ordered))
    return median(ordered), ordered[inner], ordered[-1 - inner]


def _rank(count: int) -> int:
    """The largest number of values that may be cut off at either end."""
    tail, cut = 0.0, 0
    while True:
        tail += math.comb(count, cut) / 2**count
        if 2 * tail > 1 - LEVEL:
            return max(cut - 1, 0)
        cut += 1


def relative_half_width(values: Sequence[float]) -> float:
    """Half the width of the interval over the median; infinite without an interval or with a median of 0."""
    middle, low, high = median_interval(values)
    if low is None or high is None or middle == 0:
        return math.inf
    return (high - low) / 2 / abs(middle)
