"""The fit as arrays: log costs as sums of effects, rows as log-sums of costs, and the Jacobian.

A cost on a machine in a state is log θ = log median + a + c_machine + δ_machine,event + η_state,event. The unknowns
are those effects, in units of log; a *cell* is one cost parameter in one state of one machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..evidence import Prior
from .parameters import ANCHOR, is_relative, is_setting
from .rows import Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
else:  # numpy.typing costs every process 10 ms for the sake of annotations
    Array = np.ndarray
# ("a", parameter), ("k", kind of exit, machine), ("c", machine), ("d", machine, parameter),
# ("s", machine, state, parameter)
Key = tuple[str, ...]
Cell = tuple[str, str, str]  # parameter, machine, state
FLOOR = 1e-3  # of the positive part of a row that is a difference: less of it is left than any evidence shows


@dataclass(frozen=True)
class Hyper:
    """Standard deviations of the effects: machine as a whole, machine by event, state by event."""

    machine: float
    machine_event: float
    state_event: float


@dataclass(frozen=True)
class Design:
    """Rows against effects.

    ``effects``: (cells, unknowns) of 0 and 1; ``offset``: (cells,) log prior medians; ``counts`` and ``per``:
    (rows, cells); ``target`` and ``sd``: (rows,). ``keys`` names the unknowns.
    """

    keys: tuple[Key, ...]
    effects: Array
    offset: Array
    counts: Array
    per: Array
    target: Array
    sd: Array
    priors: Mapping[str, Prior]

    def prior_variance(self, hyper: Hyper) -> Array:
        """Variance of every unknown, (unknowns,)."""
        scatter = {"c": hyper.machine**2, "d": hyper.machine_event**2, "s": hyper.state_event**2}
        return np.array([scatter.get(key[0]) or self.priors[key[1]].log_sd ** 2 for key in self.keys])

    def model(self, effects: Array) -> tuple[Array, Array]:
        """Predicted log values (rows,) and their Jacobian (rows, unknowns).

        The Jacobian of a log-sum is the share of each cost in it. The largest log cost is taken out first, so
        that far trial steps do not overflow.
        """
        log_costs = self.offset + self.effects @ effects
        value, shares = _log_sum(self.counts, log_costs)
        if self.per.any():
            whole, shares_of_whole = _log_sum(self.per, log_costs)
            value, shares = value - whole, shares - shares_of_whole
        return value, shares @ self.effects


def _log_sum(counts: Array, log_costs: Array) -> tuple[Array, Array]:
    """log Σ N·θ of each row (0 for an empty row) and each cost's share of the sum."""
    top = log_costs.max()
    total, weighted = above_zero(counts * np.exp(log_costs - top))
    empty = ~counts.any(axis=1)
    safe = np.where(empty, 1.0, np.maximum(total, 1e-300))
    return np.where(empty, 0.0, np.log(safe) + top), weighted / safe[:, None]


def above_zero(weighted: Array) -> tuple[Array, Array]:
    """Sum of terms (..., terms) along the last axis, with the terms.

    A difference of costs that a trial step or a draw makes negative has no logarithm: there its positive part
    times FLOOR takes its place, which tells a step the way back.
    """
    total = weighted.sum(axis=-1)
    if (weighted >= 0).all():
        return total, weighted
    positive = FLOOR * np.maximum(weighted, 0.0)
    least = positive.sum(axis=-1)
    low = total < least
    return np.where(low, least, total), np.where(low[..., None], positive, weighted)


def effect_keys(parameter: str, machine: str, state: str, priors: Mapping[str, Prior]) -> list[Key]:
    """The effects that add up to one cell's log cost.

    A cost whose prior spans every machine has no effect of the machine; the other kinds of exit are the anchor
    with a factor of their own on each machine, since one machine's says nothing of another's; a setting's cost has
    no effect of the state, since the settings are the state.
    """
    prior = priors[parameter]
    if is_relative(prior):
        return [("k", parameter, machine), *effect_keys(ANCHOR, machine, state, priors)]
    if prior.scope == "any":
        return [("a", parameter)]
    keys: list[Key] = [("a", parameter), ("c", machine), ("d", machine, parameter)]
    return keys if is_setting(parameter) else [*keys, ("s", machine, state, parameter)]


def log_median(parameter: str, priors: Mapping[str, Prior]) -> float:
    """Prior median of a cost, as log cycles; of another kind of exit that of the anchor times its factor."""
    prior = priors[parameter]
    base = float(np.log(priors[ANCHOR].median)) if is_relative(prior) else 0.0
    return base + float(np.log(prior.median))


def build(rows: Sequence[Row], priors: Mapping[str, Prior]) -> Design:
    """The arrays of a set of rows. Every row names only parameters that have a prior."""
    cells: dict[Cell, int] = {}
    for row in rows:
        for parameter in (*row.counts, *row.per):
            cells.setdefault((parameter, row.machine, row.state), len(cells))
    keys: dict[Key, int] = {}
    for cell in cells:
        for key in effect_keys(*cell, priors):
            keys.setdefault(key, len(keys))
    effects = np.zeros((len(cells), len(keys)))
    for cell, line in cells.items():
        effects[line, [keys[key] for key in effect_keys(*cell, priors)]] = 1.0
    counts, per = np.zeros((2, len(rows), len(cells)))
    for line, row in enumerate(rows):
        for table, found in ((counts, row.counts), (per, row.per)):
            for parameter, count in found.items():
                table[line, cells[parameter, row.machine, row.state]] = count
    return Design(
        tuple(keys),
        effects,
        np.array([log_median(cell[0], priors) for cell in cells]),
        counts,
        per,
        np.array([row.log_value for row in rows]),
        np.array([row.sd for row in rows]),
        priors,
    )
