"""Which costs the evidence determines: weak directions of the share Jacobian without priors, profiles, verdicts.

The Jacobian of the log rows is the share of each cost in each row. A direction in which no row moves by a share of
WEAK is one that the rows leave to the prior; a cost that lies in such directions can't be told from its neighbours,
however narrow its prior makes it (model/statistics.md, sections 7 and 8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..evidence import load
from .design import Array, Cell, Design, build
from .fit import IDENTIFIED, NOT_INFORMED, Fit
from .intervals import Interval, interval
from .prediction import weighted_costs
from .rows import Row, fit_rows
from .store import current_fit
from .sums import KnownSum, determined_sums

WEAK = 0.05  # singular value of the share Jacobian below which a direction counts as left to the prior
HIDDEN = 0.5  # part of a cost's direction that lies in weak ones, from which on rows don't tell it
TRADED = 0.1  # of what a cost gains in a weak direction: what pays less back for it isn't named

IN_WORDS = {
    "identified": "identified",
    "in_sum": "known only in a sum",
    "bounded_above": "bounded above",
    "not_informed": "not informed: prior",
}


@dataclass(frozen=True)
class Spectrum:
    """What the rows of one machine in one state determine.

    ``singular``: singular values of the share Jacobian, largest first, one for each cost (0 where there are fewer
    rows). ``hidden``: for each cost how much of its direction, from 0 to 1, lies in weak ones. ``traded``: for each
    cost the others that fall where it rises in its weak direction, with cycles lost per cycle gained.
    """

    machine: str
    state: str
    rows: int
    costs: tuple[str, ...]
    singular: tuple[float, ...]
    hidden: tuple[float, ...]
    traded: tuple[tuple[tuple[str, float], ...], ...]


@dataclass(frozen=True)
class Verdict:
    """What is known of one cost on a machine in a state: a key of IN_WORDS, and the sum that holds it, if one does.

    ``width_left``: posterior over prior standard deviation of the log cost. ``cycles``: its 95 % interval, of which
    only the upper end is meant unless it is identified.
    """

    cost: str
    machine: str
    state: str
    verdict: str
    hidden: float
    width_left: float
    cycles: Interval
    sum_of: tuple[str, ...]


@dataclass(frozen=True)
class Identifiability:
    """Spectra by state, verdicts on every cost in every state whose rows contain it, sums that are known."""

    spectra: tuple[Spectrum, ...]
    verdicts: tuple[Verdict, ...]
    sums: tuple[KnownSum, ...]

    def of_cost(self, cost: str) -> Verdict | None:
        """The verdict of the state that tells most of a cost; None where no row contains it."""
        found = [item for item in self.verdicts if item.cost == cost]
        order = list(IN_WORDS)
        return min(found, key=lambda item: (order.index(item.verdict), item.width_left), default=None)

    def traded(self, item: Verdict) -> tuple[tuple[str, float], ...]:
        """What falls where the cost of a verdict rises in its weak direction, with cycles lost per cycle gained."""
        spectrum = next(one for one in self.spectra if (one.machine, one.state) == (item.machine, item.state))
        return spectrum.traded[spectrum.costs.index(item.cost)]


def current_identifiability(extra: Sequence[Path] = ()) -> Identifiability:
    """That of the fit of the packaged evidence and the user's folders.

    Raises InvalidInput where the evidence is damaged.
    """
    return _of(tuple(extra), current_fit(extra).evidence)


@lru_cache(maxsize=4)
def _of(extra: tuple[Path, ...], evidence: str) -> Identifiability:
    return identifiability(current_fit(extra), current_rows(extra))


def current_rows(extra: Sequence[Path] = ()) -> tuple[Row, ...]:
    """The rows of that fit: of the user's folders only where those are fitted alone."""
    known = load(extra)
    return fit_rows(replace(known, observations=known.own) if known.alone else known)


def identifiability(fit: Fit, rows: Sequence[Row]) -> Identifiability:
    """What a fit's rows determine, from the shares at the mean of its draws."""
    design = build(rows, fit.priors)
    cells = cells_of(rows)
    shares = share_jacobian(design, design.offset + design.effects @ fit.effects.mean(axis=0, dtype=float))
    sums = determined_sums(fit, rows)
    over_states = _hidden_over_states(cells, rows, shares)
    spectra, verdicts = [], []
    for machine, state in dict.fromkeys((row.machine, row.state) for row in rows):
        lines = [line for line, row in enumerate(rows) if (row.machine, row.state) == (machine, state)]
        columns = [column for column, cell in enumerate(cells) if cell[1:] == (machine, state)]
        spectra.append(
            _spectrum(fit, machine, state, [cells[column][0] for column in columns], shares[lines][:, columns])
        )
        own = [item for item in sums if (item.machine, item.state) == (machine, state)]
        for cost, hidden in zip(spectra[-1].costs, spectra[-1].hidden, strict=True):
            verdicts.append(_verdict(fit, cost, machine, state, min(hidden, over_states[cost, machine]), own))
    return Identifiability(
        tuple(spectra), tuple(verdicts), tuple(item for item in sums if item.says_more_than_its_parts)
    )


def share_jacobian(design: Design, log_costs: Array) -> Array:
    """Shares of the costs in the rows, (rows, cells), at log costs (cells,): ∂ log row / ∂ log cost, no priors."""
    costs_alone = replace(design, effects=np.eye(len(design.offset)), offset=log_costs)
    return costs_alone.model(np.zeros(len(log_costs)))[1]


def weak_directions(shares: Array) -> tuple[Array, Array]:
    """Singular values of a share Jacobian (rows, costs), 0 for missing rows, and its weak directions (weak, costs)."""
    _, found, right = np.linalg.svd(shares)
    singular = np.zeros(shares.shape[1])
    singular[: len(found)] = found
    return singular, right[singular < WEAK]


def cells_of(rows: Sequence[Row]) -> list[Cell]:
    """The cells of the design of these rows, in its order."""
    return list(dict.fromkeys((cost, row.machine, row.state) for row in rows for cost in (*row.counts, *row.per)))


def _hidden_over_states(cells: Sequence[Cell], rows: Sequence[Row], shares: Array) -> dict[tuple[str, str], float]:
    """(cost, machine) → how hidden the cost is if it is one cost in all states of the machine."""
    found: dict[tuple[str, str], float] = {}
    for machine in dict.fromkeys(row.machine for row in rows):
        lines = [line for line, row in enumerate(rows) if row.machine == machine]
        costs = list(dict.fromkeys(cell[0] for cell in cells if cell[1] == machine))
        merged = np.zeros((len(lines), len(costs)))
        for column, cell in enumerate(cells):
            if cell[1] == machine:
                merged[:, costs.index(cell[0])] += shares[lines, column]
        _, weak = weak_directions(merged)
        found |= {(cost, machine): float(value) for cost, value in zip(costs, (weak**2).sum(axis=0), strict=True)}
    return found


def _spectrum(fit: Fit, machine: str, state: str, costs: Sequence[str], shares: Array) -> Spectrum:
    singular, weak = weak_directions(shares)
    cycles = np.median(np.exp(fit.log_costs(costs, machine, state)), axis=0)
    along = weak.T @ weak  # row i: the direction in which cost i moves as far as the rows let it
    return Spectrum(
        machine,
        state,
        len(shares),
        tuple(costs),
        tuple(float(value) for value in singular),
        tuple(float(value) for value in np.diag(along)),
        tuple(_traded(line, place, costs, cycles) for place, line in enumerate(along)),
    )


def _traded(direction: Array, place: int, costs: Sequence[str], cycles: Array) -> tuple[tuple[str, float], ...]:
    if direction[place] < HIDDEN:
        return ()
    moved = direction * cycles / (direction[place] * cycles[place])
    paid = sorted(range(len(costs)), key=lambda other: moved[other])
    return tuple((costs[other], float(-moved[other])) for other in paid if moved[other] < -TRADED)


def _verdict(fit: Fit, cost: str, machine: str, state: str, hidden: float, sums: Sequence[KnownSum]) -> Verdict:
    left = fit.width_left(cost, machine, state)
    holding = min(
        (item for item in sums if dict(item.parts).get(cost, 0) > 0), key=lambda item: len(item.parts), default=None
    )
    if left > NOT_INFORMED:
        word = "not_informed"
    elif left < IDENTIFIED and hidden < HIDDEN:
        word = "identified"
    else:
        word = "in_sum" if holding else "bounded_above"
    return Verdict(
        cost,
        machine,
        state,
        word,
        hidden,
        left,
        interval(weighted_costs(fit, {cost: 1}, machine, state)),
        tuple(name for name, _ in holding.parts) if holding and word == "in_sum" else (),
    )
