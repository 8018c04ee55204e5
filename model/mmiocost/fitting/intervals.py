"""From draws to a value with an interval; the kind of interval is always said."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .design import Array
from .fit import LEVEL


class Interval(NamedTuple):
    """Median and central interval of draws; None where the interval is open on that side."""

    value: float
    low: float | None
    high: float | None


def interval(draws: Array, level: float = LEVEL) -> Interval:
    """Median and central interval of (draws,). Infinite draws stand for "beyond any value"."""
    tail = 50 * (1 - level)
    edges = [tail, 50.0, 100 - tail]
    if np.isinf(draws).any():  # no value lies between a number and infinity
        low, value, high = np.percentile(draws, edges, method="inverted_cdf")
    else:
        low, value, high = np.percentile(draws, edges)
    return Interval(float(value), _finite(low), _finite(high))


def _finite(bound: float) -> float | None:
    return float(bound) if np.isfinite(bound) else None
