"""Profiles of costs that the evidence does not determine: how much worse everything else fits at a given cost.

Each point of a profile is a fit of its own in which one cost is held; its misfit is twice the drop of the log density,
priors in, below that of the best fit. Where it passes the quantile of one degree of freedom is a bound that rests on
no straight line and no draw (Venzon and Moolgavkar, Applied Statistics 37, 1988).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from ..cache import cache_dir, content_hash, files_hash, write_atomically
from .design import Array, Cell, Design, Hyper, build
from .fit import Fit
from .identifiability import cells_of, current_identifiability, current_rows
from .prediction import weighted_costs
from .solve import DEGREES, Problem, maximise, solve
from .store import current_fit, current_summary

POINTS = 15  # of a profile
HELD = 1e-4  # sd of the log of a cost that is held
ONE_SIDED = 2.71  # misfit beyond which less than 5 % of a normal density lie, on one side
BEYOND = 1.5  # how far beyond the draws a profile goes, as a factor either way


@dataclass(frozen=True)
class Profile:
    """Misfit over the cost of one event on a machine in a state.

    ``cycles`` and ``misfit``: (points,), the misfit 0 at best. ``bound``: the cost above which the misfit exceeds
    ONE_SIDED, None if no point reaches it; ``floor`` the same below.
    """

    cost: str
    machine: str
    state: str
    cycles: tuple[float, ...]
    misfit: tuple[float, ...]
    floor: float | None
    bound: float | None


def current_profiles(extra: Sequence[Path] = ()) -> tuple[Profile, ...]:
    """Profiles of the costs that are not identified, each where most is known of it; kept by content.

    Raises InvalidInput where the evidence is damaged.
    """
    fit = current_fit(extra)
    code = (files_hash((Path(__file__).parent.parent / room).glob("*.py")) for room in ("fitting", "equations"))
    place = cache_dir() / f"profiles-{content_hash(fit.evidence, *code)[:24]}.json"
    try:
        found = json.loads(place.read_bytes())
    except (OSError, ValueError):
        found = [asdict(item) for item in _profiles(fit, extra)]
        with contextlib.suppress(OSError):  # without a cache the next process makes them again
            write_atomically(place, json.dumps(found))
    return tuple(
        Profile(**{**item, "cycles": tuple(item["cycles"]), "misfit": tuple(item["misfit"])}) for item in found
    )


def _profiles(fit: Fit, extra: Sequence[Path]) -> tuple[Profile, ...]:
    known, rows = current_identifiability(extra), current_rows(extra)
    best = [known.of_cost(cost) for cost in dict.fromkeys(item.cost for item in known.verdicts)]
    asked = [
        (item.cost, item.machine, item.state) for item in best if item and item.verdict in ("in_sum", "bounded_above")
    ]
    hyper = Hyper(**current_summary(extra).scatter)
    design, middle = build(rows, fit.priors), fit.effects.mean(axis=0, dtype=float)
    return tuple(profile(design, hyper, cells_of(rows), cell, _span(fit, cell), middle) for cell in asked)


def _span(fit: Fit, cell: Cell) -> Array:
    low, high = np.percentile(weighted_costs(fit, {cell[0]: 1}, *cell[1:]), [0.1, 99.9])
    return np.geomspace(low / BEYOND, high * BEYOND, POINTS)


def profile(
    design: Design, hyper: Hyper, cells: Sequence[Cell], cell: Cell, cycles: Array, start: Array | None = None
) -> Profile:
    """The profile of one cell of a design over costs (points,), sorted, at given scatter.

    ``start`` is where the best fit is looked for: with Student-t errors there may be several tops.
    """
    best = solve(design, hyper, start)
    variance = design.prior_variance(hyper)
    free = Problem(design.model, design.target, design.sd, variance, DEGREES)
    lowest = free.objective(best.effects, design.model(best.effects)[0])
    column = list(cells).index(cell)
    at_best = design.offset[column] + design.effects[column] @ best.effects
    above, below = np.log(cycles) >= at_best, np.log(cycles) < at_best
    misfit = np.empty(len(cycles))
    for side in (np.flatnonzero(above), np.flatnonzero(below)[::-1]):
        effects = best.effects
        for place in side:  # outward from the best fit, each from its neighbour
            effects, objective = _held(design, variance, column, float(np.log(cycles[place])), effects)
            misfit[place] = max(0.0, 2 * (objective - lowest))
    return Profile(
        *cell,
        tuple(float(value) for value in cycles),
        tuple(float(value) for value in misfit),
        _crossing(cycles[below][::-1], misfit[below][::-1]),
        _crossing(cycles[above], misfit[above]),
    )


def _held(design: Design, variance: Array, column: int, log_cost: float, effects: Array) -> tuple[Array, float]:
    """Effects and objective of the best fit in which one cell's log cost is held, from a start nearby."""
    line = np.zeros((1, len(design.offset)))
    line[0, column] = 1.0
    held = replace(
        design,
        counts=np.vstack([design.counts, line]),
        per=np.vstack([design.per, 0 * line]),
        target=np.append(design.target, log_cost),
        sd=np.append(design.sd, HELD),
    )
    parts = design.effects[column]
    missing = log_cost - design.offset[column] - parts @ effects
    # From where the cost is held already: a Student-t error would let a row go that starts far off.
    start = effects + missing * parts * variance / (parts @ variance)
    found = maximise(Problem(held.model, held.target, held.sd, variance, DEGREES), start)
    return found.unknowns, found.objective - float(np.log(HELD))


def _crossing(cycles: Array, misfit: Array) -> float | None:
    """The cost, walking outward, where the misfit passes ONE_SIDED, interpolated in logs; None if it never does."""
    beyond = np.flatnonzero(misfit > ONE_SIDED)
    if not len(beyond) or beyond[0] == 0:
        return None
    last = slice(beyond[0] - 1, beyond[0] + 1)
    return float(np.exp(np.interp(ONE_SIDED, misfit[last], np.log(cycles[last]))))
