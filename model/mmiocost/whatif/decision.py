"""A question as a decision between two designs: what the second saves, draw by draw, and what nobody has measured.

The design of the lower expected cost is taken. What is uncertain are the costs, with the draws of the fit, and the
facts of the workload that the scenario leaves open, spread over the ranges of their symbols.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InvalidInput, nearest_name
from ..fitting.design import Array
from ..fitting.fit import SEED, Fit
from ..fitting.parameters import NESTED, parameter_counts
from ..vocabulary import generation
from .domains import Varied
from .inputs import scenarios
from .ranges import default_range, symbol_unit
from .scenario import Scenario
from .terms import REGRESSION, SAVING, by_parameter, design_terms, hit_path, indicators, quantity_terms

FAST, BYPASS, UNIFIED = "fast-mmio", "bypass-guest-pf", "unified-loop"
#: Kinds of machines that can be measured: the one decided about, and others of the population.
SAME, ANOTHER, AMD = "same", "another", "amd"  # and NESTED
HOSTS = {
    SAME: "the host itself",
    ANOTHER: "another host",
    AMD: "another host, AMD",
    NESTED: "another host, itself a guest",
}
#: What the model knows of a kind of machine beside its costs.
MACHINE_SYMBOLS: dict[str, dict[str, int]] = {AMD: {"decode_assist": 1}, NESTED: {"host_hypervisor": 1}}
_DESIGNS = {FAST: ("before", "after"), BYPASS: ("no-bypass", "bypass"), UNIFIED: ("two paths", "unified loop")}
_FACTS = {
    FAST: (
        "cold_search_fraction", "mmio_rate", "mmio_pages", "zapping_rate", "accesses_per_transaction",
        "cycles_per_transaction",
    ),
    BYPASS: ("fault_rate", "true_fault_fraction", "notrap_fraction", "fill_rate", "unsync_rate"),
    UNIFIED: ("unlink_rate", "unlink_hit_fraction", "build_window"),
}  # fmt: skip
TWO_PATHS = "v31"  # the kernel that the loop was proposed for
_MOST = 1e15  # cycles: no mean of such costs says anything
_ENDLESS = (
    "in some draws the unified loop never ends: set unlink_rate, unlink_hit_fraction and build_window so that fewer"
    " than some 25 pages are unlinked while an access builds its spte"
)


@dataclass(frozen=True)
class Decision:
    """Two designs, and the open facts on which the difference of their costs depends; costs are in ``unit``."""

    question: str
    designs: tuple[str, str]
    unit: str
    scenario: Scenario
    facts: tuple[Varied, ...]

    @property
    def path(self) -> str:
        """The path whose domains the scenario is held against."""
        if self.question == BYPASS:
            return "v30.shadow.guest_fault"
        return f"unified.{self.scenario.mode}.access" if self.question == UNIFIED else hit_path(self.scenario)

    def values(self, unit: Array) -> dict[str, Any]:
        """Values of the open facts, and of what hangs on them, at coordinates (facts, points)."""
        return scenarios(self.path, self.scenario, self.facts, unit)

    def counts(self, values: Mapping[str, Any], fit: Fit) -> dict[str, Any]:
        """Occurrences of each cost parameter in what the second design saves."""
        with np.errstate(over="ignore"):  # an endless loop is refused where its cost is known
            return by_parameter(self._terms({**indicators(self.scenario, fit), **values}), self.scenario, fit)

    def _terms(self, state: Mapping[str, Any]) -> dict[str, Any]:
        if self.question == FAST:
            terms, _ = quantity_terms(SAVING, self.scenario, **state)
        elif self.question == BYPASS:
            lost, _ = quantity_terms(REGRESSION, self.scenario, **state)
            terms = {name: -count for name, count in lost.items()}
        else:
            loop, _ = design_terms("unified", self.scenario, **state)
            two, _ = design_terms(f"{TWO_PATHS}.{self.scenario.mode}.mmio_hit", self.scenario, **state)
            terms = {name: two.get(name, 0) - loop.get(name, 0) for name in dict.fromkeys([*two, *loop])}
        return terms


def decision(question: str, scenario: Scenario) -> Decision:
    """The decision behind a question; ``_`` in its name stands for ``-``. Raises InvalidInput."""
    name = question.replace("_", "-")
    if name not in _DESIGNS:
        allowed = f"must be one of {', '.join(_DESIGNS)}"
        raise InvalidInput.one("", "question", question, allowed, nearest_name(name, _DESIGNS))
    if name == UNIFIED and scenario.mode not in ("ept", "shadow"):
        raise InvalidInput.one("", "mode", scenario.mode, "must be ept or shadow: the loop has no other form")
    unit = "cycle/s" if name == BYPASS else "cycle"
    return Decision(name, _DESIGNS[name], unit, scenario, _open_facts(name, scenario))


def _open_facts(question: str, scenario: Scenario) -> tuple[Varied, ...]:
    known = {*scenario.mix, *scenario.counts}
    names = list(_FACTS[question])
    if question == FAST and generation(scenario.after).since("v311"):
        names.insert(names.index("zapping_rate"), "generation_rate")
    if "hit_fraction" in known:
        known |= {"generation_rate", "zapping_rate"}
    if "retries" in known:
        known |= set(_FACTS[UNIFIED])
    return tuple(Varied(name, *default_range(name), symbol_unit(name)) for name in names if name not in known)


@dataclass(frozen=True)
class Sample:
    """Joint draws of costs and open facts; ``unit``: coordinates of the facts, (facts, points).

    A machine not yet measured is another one of the population in every copy of a draw, or the one machine
    ``host`` in all of them.
    """

    decision: Decision
    fit: Fit
    copies: int
    unit: Array
    host: str = ""

    @property
    def points(self) -> int:
        """Number of points."""
        return self.copies * len(self.fit.effects)

    @property
    def draw(self) -> Any:
        """Number of the fit's draw behind each point, (points,)."""
        return np.tile(np.arange(len(self.fit.effects)), self.copies)

    def located(self, machine: str, copy: int = 0) -> tuple[str, str]:
        """Machine and state that stand for a kind of machine in a copy of the draws."""
        known, state = self.fit.locate(self.decision.scenario.machine)
        return (known, state) if known and machine == SAME else (f"{machine} {self.host or copy}", "")

    def costs(self, names: tuple[str, ...], machine: str = SAME) -> Array:
        """Costs in cycles on a kind of machine, (points, names)."""
        logs = [self.fit.log_costs(names, *self.located(machine, copy)) for copy in range(self.copies)]
        return np.exp(np.concatenate(logs))

    def by_parameter(self, terms: Mapping[str, Any], machine: str) -> dict[str, Any]:
        """Occurrences by cost parameter on a kind of machine; of others no mitigation is known to be on."""
        if machine == SAME:
            return by_parameter(terms, self.decision.scenario, self.fit)
        return parameter_counts(terms, {NESTED: 1} if machine == NESTED else None)

    def total(self, counts: Mapping[str, Any], machine: str = SAME) -> Array:
        """Σ N·θ at every point, (points,). Raises InvalidInput where the unified loop never ends."""
        names = tuple(counts)
        costs = self.costs(names, machine)
        found = np.zeros(self.points)
        with np.errstate(over="ignore", invalid="ignore"):
            for column, name in enumerate(names):
                found += counts[name] * costs[:, column]
        if not np.all(np.abs(found) < _MOST):
            raise InvalidInput.one("--set", "unlink_rate", "", _ENDLESS)
        return found


def sample(asked: Decision, fit: Fit, copies: int, seed: int = SEED, host: str = "") -> Sample:
    """Draws of costs and facts: every draw of the fit in ``copies`` points, with facts of its own in each."""
    from scipy.stats import qmc

    points = copies * len(fit.effects)
    rng = np.random.default_rng([seed, 5])
    unit = np.zeros((0, points))
    if asked.facts:
        sobol = qmc.Sobol(len(asked.facts), rng=rng).random_base2(int(np.ceil(np.log2(points))))
        unit = rng.permutation(sobol)[:points].T
    return Sample(asked, fit, copies, unit, host)
