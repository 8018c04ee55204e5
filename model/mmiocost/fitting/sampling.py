"""Draws of the effects that obey the rows as they are, not as a straight line through the best fit.

A row is a sum of costs known to half a percent whose parts are known to a factor: the posterior is a curved
ridge, and draws from the Gaussian at its top miss the sums. So each draw solves a fit of its own, with effects
drawn from the prior and rows moved by drawn errors (randomise-then-optimise; Bardsley et al., SIAM J. Sci.
Comput. 36, 2014).
"""

from __future__ import annotations

import math

import numpy as np

from .batch import Batch, Compact, Places, solve_all
from .design import Array
from .mixture import Mixture
from .solve import DEGREES

SETTLED = 1e-4  # a draw is settled when a step lowers its objective, of about the number of rows, by less a part


def draw(mixture: Mixture, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draws of all effects, (count, unknowns), and of the three scatters that each was made with, (count, 3)."""
    edges = np.cumsum(mixture.weights) * count
    places = np.searchsorted(edges, np.arange(count) + rng.uniform(), side="right")
    places = np.minimum(places, len(mixture.solutions) - 1)  # in ascending order
    batch, start = _moved(mixture, places, rng)
    whitened, _ = solve_all(batch, start, SETTLED)
    hypers = [mixture.solutions[place].hyper for place in places]
    scatter = np.array([(item.machine, item.machine_event, item.state_event) for item in hypers])
    return whitened * batch.deviation, scatter


def _moved(mixture: Mixture, places: Places, rng: np.random.Generator) -> tuple[Batch, Array]:
    """A fit for every place on the grid, its prior and its rows moved by what was drawn, and where it starts."""
    design, found = mixture.design, [mixture.solutions[place] for place in places]
    deviation = np.sqrt(np.array([design.prior_variance(item.hyper) for item in found]))
    variance = np.array([item.row_variance for item in found])
    unit, error = np.empty(deviation.shape), np.empty(variance.shape)
    for place in np.unique(places):
        chosen = places == place
        unit[chosen] = rng.standard_normal((int(chosen.sum()), deviation.shape[1]))
        error[chosen] = rng.standard_t(DEGREES, (int(chosen.sum()), variance.shape[1]))
    # At the fit a row has 4/5 of its own variance (solve), and its error is a Student t all the same.
    target = design.target + error * np.sqrt(variance * (DEGREES + 1) / DEGREES)
    batch = Batch(Compact(design), deviation, unit, target, np.sqrt(variance), np.ones(target.shape), math.inf)
    return batch, np.array([item.effects for item in found]) / deviation
