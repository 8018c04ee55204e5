"""What a quantity's spread comes from: Sobol indices of scenario symbols and of costs.

The first-order index of an input is the share of the variance that knowing it alone would take away; the total
index is what would stay if all others were known (Saltelli et al., Computer Physics Communications 181, 2010).
Symbols are spread over their ranges. Costs have the draws of the fit: costs that rows inform depend on each other
and are one input; a cost that no row contains is independent of everything and an input of its own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..equations.lowering import kernel
from ..errors import InvalidInput
from ..evidence import Folders
from ..fitting.design import Array, effect_keys
from ..fitting.fit import SEED, Fit
from ..fitting.parameters import ANCHOR, is_relative
from ..fitting.store import current_fit
from ..vocabulary import path_named
from .domains import Varied
from .inputs import scenarios, varied
from .scenario import Scenario
from .sobol import POINTS, Function, indices
from .terms import REGRESSION, SPEEDUP, by_parameter, hit_path, indicators, quantity_terms

MEASURED = "measured costs"
WIDE = 0.5  # an interval wider than this says little
_PROBES = 64  # points that show whether an input enters at all


@dataclass(frozen=True)
class Index:
    """Indices of one input with their intervals at 95 %.

    ``kind``: "symbol" with its ``range`` in ``unit`` and ``scale`` (linear or log); "cost", one that no row
    contains; "costs", all others as one input.
    """

    name: str
    kind: str
    first: float
    first_low: float
    first_high: float
    total: float
    total_low: float
    total_high: float
    range: tuple[float, float] | None
    scale: str
    unit: str


@dataclass(frozen=True)
class Sensitivity:
    """Indices in falling order of the total one; ``inert`` are inputs that the quantity does not contain."""

    quantity: str
    machine: str
    indices: tuple[Index, ...]
    inert: tuple[str, ...]
    evaluations: int
    notes: tuple[str, ...]
    evidence: str


def sensitivity(
    quantity: str,
    scenario: Scenario | None = None,
    *,
    over: Mapping[str, tuple[float, float]] | None = None,
    evidence: Sequence[os.PathLike[str]] = (),
) -> Sensitivity:
    """Sobol indices of a quantity that :func:`~.predict.predict` knows, over the ranges of symbols and costs.

    ``over`` maps symbols to ranges; without it, every symbol that has a range and is not set is varied. Raises
    InvalidInput.
    """
    scenario = scenario or Scenario()
    fit = current_fit([Path(folder) for folder in evidence])
    path = _path(quantity, scenario)
    symbols = varied(path, scenario, over or {})
    model = _model(quantity, path, scenario, symbols, fit)
    inert = model.inert()
    kept = [name for name in model.names if name not in inert]
    if not kept:
        raise InvalidInput.one("sensitivity", "quantity", quantity, "contains nothing that varies here")
    found = indices(model.of(kept), len(kept))
    by_name = {symbol.name: symbol for symbol in symbols}
    asked = [name for name in over or {} if name in inert]  # a named symbol is answered for, if only by 0
    lines = [_index(name, model.kind(name), row, by_name.get(name)) for name, row in zip(kept, found, strict=True)]
    lines += [_index(name, "symbol", np.zeros(6), by_name[name]) for name in asked]
    notes = ["measured costs are one input: their draws depend on each other"] if MEASURED in kept else []
    if any(line.total_high - line.total_low > WIDE for line in lines):
        notes.append("a few points carry the variance, so that some intervals are wide: narrow a range")
    return Sensitivity(
        quantity, scenario.machine, tuple(sorted(lines, key=lambda line: -line.total)), inert,
        POINTS * (len(kept) + 2), (*scenario.notes, *Folders.of(evidence).notes, *notes), fit.evidence,
    )  # fmt: skip


def _index(name: str, kind: str, row: Array, symbol: Varied | None) -> Index:
    first, first_low, first_high, total, total_low, total_high = map(float, row)
    over = (symbol.low, symbol.high) if symbol else None
    scale, unit = (symbol.scale, symbol.unit) if symbol else ("", "cycle")
    return Index(name, kind, first, first_low, first_high, total, total_low, total_high, over, scale, unit)


def _path(quantity: str, scenario: Scenario) -> str:
    """The path whose domains the scenario of a quantity is held against. Raises InvalidInput."""
    quantity_terms(quantity, scenario)
    if quantity.startswith("cost:"):
        return path_named(quantity.removeprefix("cost:"), "quantity").name
    return "v30.shadow.guest_fault" if quantity == REGRESSION else hit_path(scenario)


@dataclass(frozen=True)
class _Model:
    """A quantity as a function of coordinates: those of ``symbols``, then of ``single`` costs, then of all others.

    ``logs``: (draws, parameters) log costs of ``parameters``; ``factor`` the same less the anchor's for a kind of
    exit that is ``single``.
    """

    quantity: str
    path: str
    scenario: Scenario
    symbols: tuple[Varied, ...]
    parameters: tuple[str, ...]
    single: tuple[str, ...]
    logs: Array
    anchor: Array
    fit: Fit

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        measured = (MEASURED,) if self._has_measured else ()
        return (*(symbol.name for symbol in self.symbols), *self.single, *measured)

    @property
    def _has_measured(self) -> bool:
        relative = any(is_relative(self.fit.priors[name]) for name in self.single)
        return relative or len(self.single) < len(self.parameters)

    def kind(self, name: str) -> str:
        """Which kind of input a name is."""
        return "costs" if name == MEASURED else "cost" if name in self.single else "symbol"

    def of(self, names: Sequence[str]) -> Function:
        """The quantity as a function of the coordinates of some names; the others stay in the middle."""
        places = [self.names.index(name) for name in names]

        def function(unit: Array) -> Array:
            whole = np.full((len(self.names), unit.shape[1]), 0.5)
            whole[places] = unit
            return self.value(whole)

        return function

    def value(self, unit: Array) -> Array:
        """The quantity at coordinates (names, points), (points,)."""
        counts, full = self.counts(unit)
        costs = self._costs(unit[len(self.symbols) :])
        total = np.zeros(unit.shape[1])
        for name, count in counts.items():
            total += count * costs[name]
        return _speedup(total, full) if self.quantity == SPEEDUP else total

    def counts(self, unit: Array) -> tuple[dict[str, Any], dict[str, Any]]:
        """Occurrences of each parameter, and all symbols, at coordinates."""
        values = scenarios(self.path, self.scenario, self.symbols, unit[: len(self.symbols)])
        terms, full = quantity_terms(self.quantity, self.scenario, **indicators(self.scenario, self.fit), **values)
        return by_parameter(terms, self.scenario, self.fit), full

    def _costs(self, unit: Array) -> dict[str, Array]:
        draws = len(self.logs)
        places = np.minimum((unit * draws).astype(int), draws - 1)
        found: dict[str, Array] = {}
        for column, name in enumerate(self.parameters):
            log = self.logs[:, column]
            if name not in self.single:
                found[name] = np.exp(log[places[-1]])
                continue
            own = places[self.single.index(name)]
            if is_relative(self.fit.priors[name]):
                found[name] = np.exp(self.anchor[places[-1]] + np.sort(log - self.anchor)[own])
            else:
                found[name] = np.exp(np.sort(log)[own])
        return found

    def inert(self) -> tuple[str, ...]:
        """Names whose coordinate changes no occurrence of any cost, seen at a few points."""
        rng = np.random.default_rng([SEED, 3])
        unit, other = rng.uniform(size=(2, len(self.names), _PROBES))
        before = self._seen(unit)
        found = []
        for place, symbol in enumerate(self.symbols):
            changed = unit.copy()
            changed[place] = other[place]
            if np.array_equal(self._seen(changed), before):
                found.append(symbol.name)
        return tuple(found)

    def _seen(self, unit: Array) -> Array:
        counts, full = self.counts(unit)
        columns = [counts.get(name, 0) for name in self.parameters]
        if self.quantity == SPEEDUP:
            columns += [full["accesses_per_transaction"], full["cycles_per_transaction"]]
        return np.stack([np.broadcast_to(column, unit.shape[1]) for column in columns])


def _model(quantity: str, path: str, scenario: Scenario, symbols: tuple[Varied, ...], fit: Fit) -> _Model:
    if quantity == SPEEDUP and "cycles_per_transaction" not in {*scenario.mix, *(item.name for item in symbols)}:
        raise InvalidInput.one(
            "--set", "cycles_per_transaction", "", "must be set or varied: the cycles of one transaction"
        )
    machine, state = fit.locate(scenario.machine)
    bare = _Model(quantity, path, scenario, symbols, (), (), np.zeros((1, 0)), np.zeros(1), fit)
    unit = np.random.default_rng([SEED, 4]).uniform(size=(len(symbols), _PROBES))
    names = tuple(bare.counts(unit)[0])
    anchor = fit.log_costs([ANCHOR], machine, state)[:, 0]
    single = tuple(name for name in names if _alone(name, machine, state, fit))
    return _Model(quantity, path, scenario, symbols, names, single, fit.log_costs(names, machine, state), anchor, fit)


def _alone(name: str, machine: str, state: str, fit: Fit) -> bool:
    """Whether no row contains a cost that has no part in common with any other: then its draws are independent."""
    prior = fit.priors[name]
    own = effect_keys(name, machine, state, fit.priors)[0]
    return (is_relative(prior) or prior.scope == "any") and own not in set(fit.keys)


def _speedup(saving: Array, full: Mapping[str, Any]) -> Array:
    """Ratio of transaction rates. Raises InvalidInput where the saving would be the whole transaction or more."""
    gone = saving * full["accesses_per_transaction"]
    if np.any(gone >= full["cycles_per_transaction"]):
        allowed = "must be more than its accesses would save everywhere: narrow a range with --over, or set it"
        raise InvalidInput.one("sensitivity", "cycles_per_transaction", "", allowed)
    return np.asarray(kernel("speedup")({**full, "saving": saving})["value"])
