"""Draws of a sum of costs on a machine, and what such a sum rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .design import Array
from .fit import SEED, Fit
from .solve import DEGREES


def weighted_costs(fit: Fit, counts: Mapping[str, float], machine: str = "", state: str = "") -> Array:
    """Draws of Σ N·θ in the unit of the counts times cycles, (draws,)."""
    names = [name for name, count in counts.items() if count != 0]
    if not names:
        return np.zeros(len(fit.effects))
    costs = np.exp(fit.log_costs(names, machine, state))
    return np.asarray(costs @ np.array([float(counts[name]) for name in names]))


def with_row_error(draws: Array, sd: float) -> Array:
    """Draws of one new measurement from draws of its mean: a Student-t error of the log, as the rows have."""
    error = np.random.default_rng([SEED, 7]).standard_t(DEGREES, len(draws))
    return np.asarray(draws * np.exp(sd * error))


def sources_of(fit: Fit, parameters: Sequence[str]) -> tuple[str, ...]:
    """Sources that the costs rest on: those of the rows they occur in, and of their priors."""
    return tuple(dict.fromkeys(source for name in parameters for source in fit.sources.get(name, ())))
