"""Median and interval of many linear forms at once, draw by draw and exactly, without sorting all draws.

At every point the draws are features @ costs. Over a block of points the features lie in a box, which bounds each
draw: most draws are below or above a wanted rank at all of the block's points, and only the others are looked at. A
block in which too many are left is halved.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from ..fitting.design import Array
from ..fitting.fit import LEVEL

_SLACK = 1e-12  # of a bound, so that rounding excludes no draw
_HALVE = 30_000  # numbers to sort, above which bounding two halves costs less than it saves
_FEW = 16  # points of a block that is not halved


@cache
def edges(draws: int) -> tuple[Array, Array]:
    """Rank below low, median and high among so many draws, and how far to the next one: as np.percentile has it."""
    tail = 50 * (1 - LEVEL)
    place = np.array([tail, 50.0, 100 - tail]) / 100 * (draws - 1)
    rank = np.minimum(np.floor(place).astype(int), draws - 2)
    return rank, place - rank


def quantiles(features: Array, costs: Array) -> Array:
    """Low, median and high of features @ costs, (points, 3).

    ``features``: (points, features), the quicker the closer neighbouring points are; ``costs``: (features, draws),
    two draws or more; all products are finite.
    """
    sides = np.empty((len(features), 3, 2))
    _neighbours(features, costs, np.abs(costs), sides)
    _, shares = edges(costs.shape[1])
    return np.asarray(sides[..., 0] + (sides[..., 1] - sides[..., 0]) * shares)


def _neighbours(features: Array, costs: Array, sizes: Array, out: Array) -> None:
    """Write the draws on either side of low, median and high at each point into ``out``, (points, 3, 2)."""
    draws = costs.shape[1]
    ranks, _ = edges(draws)
    least, most = _bounds(features, costs, sizes)
    lowest, highest = np.sort(least)[ranks], np.sort(most)[ranks + 1]
    near = (most >= lowest[:, None]) & (least <= highest[:, None])
    left = np.count_nonzero(near)
    if left * len(features) > _HALVE and len(features) > _FEW:
        half = len(features) // 2
        _neighbours(features[:half], costs, sizes, out[:half])
        _neighbours(features[half:], costs, sizes, out[half:])
        return
    if left > draws:
        values = features @ costs
        values.sort(axis=1)
        out[:, :, 0], out[:, :, 1] = values[:, ranks], values[:, ranks + 1]
        return
    below = np.count_nonzero(most < lowest[:, None], axis=1)
    for place, first in enumerate(ranks - below):
        values = features @ costs[:, near[place]]
        values.sort(axis=1)
        out[:, place] = values[:, first : first + 2]


def _bounds(features: Array, costs: Array, sizes: Array) -> tuple[Array, Array]:
    """Least and most that each draw takes at the points of a block, (draws,) each; ``sizes`` are those of costs."""
    low, high = features.min(axis=0), features.max(axis=0)
    centre = (low + high) / 2 @ costs
    reach = (high - low) / 2 @ sizes
    reach += _SLACK * (np.abs(centre) + reach)
    return centre - reach, centre + reach
