"""Sobol indices of a function of independent coordinates, with intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import InvalidInput
from ..fitting.design import Array
from ..fitting.fit import LEVEL, SEED

POINTS = 4096  # of each of the two samples: a power of two, as Sobol's sequence needs
RESAMPLES = 300

Function = Callable[[Array], Array]


def indices(function: Function, inputs: int, points: int = POINTS) -> Array:
    """First-order and total index of each input, each as value, low and high, (inputs, 6).

    ``function`` maps coordinates (inputs, points) that are uniform on the unit interval to values (points,). The
    sample and the percentile bootstrap behind the intervals have fixed seeds. Raises InvalidInput where the
    values do not vary.
    """
    from scipy.stats import bootstrap, qmc, sobol_indices

    unit = qmc.Sobol(2 * inputs, rng=np.random.default_rng([SEED, inputs])).random(points).T
    one, other = unit[:inputs], unit[inputs:]
    mixed = [np.concatenate([one[:place], other[place : place + 1], one[place + 1 :]]) for place in range(inputs)]
    values = function(np.concatenate([one, other, *mixed], axis=1)).reshape(inputs + 2, points)
    if not np.ptp(values) > 1e-12 * np.abs(values).max():
        raise InvalidInput.one("sensitivity", "", "", "the quantity does not vary over these ranges")
    values = (values - values.mean()) / values.std()

    def estimate(rows: Any) -> Array:
        found = sobol_indices(
            func={"f_A": values[:1, rows], "f_B": values[1:2, rows], "f_AB": values[2:, None, rows]}, n=points
        )
        return np.stack([found.first_order, found.total_order], axis=1)

    spread = bootstrap(
        [np.arange(points)], estimate, vectorized=False, method="percentile", confidence_level=LEVEL,
        n_resamples=RESAMPLES, rng=np.random.default_rng([SEED, 2]),
    ).confidence_interval  # fmt: skip
    return np.stack([estimate(slice(None)), spread.low, spread.high], axis=2).reshape(inputs, 6)
