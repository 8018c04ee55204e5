"""From draws to a value with an interval; the kind of interval is always said."""

from __future__ import annotations

from collections.abc import Sequence
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
    tail = (1 - level) / 2
    shares = (tail, 0.5, 1 - tail)
    if np.isinf(draws).any():  # no value lies between a number and infinity
        low, value, high = np.quantile(draws, shares, method="inverted_cdf")
    else:
        low, value, high = quantiles(draws, shares)
    return Interval(float(value), _finite(low), _finite(high))


def quantiles(draws: Array, shares: Sequence[float]) -> Array:
    """Quantiles over the last axis, (..., shares), linear between draws.

    What ``np.quantile`` gives, without numpy.ma, which it loads and which costs a process a tenth of NumPy's import.
    """
    ordered = np.sort(draws, axis=-1)
    places = np.asarray(shares) * (draws.shape[-1] - 1)
    below = np.floor(places).astype(int)
    left, right = ordered[..., below], ordered[..., np.ceil(places).astype(int)]
    return np.asarray(left + (places - below) * (right - left))


def _finite(bound: float) -> float | None:
    return float(bound) if np.isfinite(bound) else None
