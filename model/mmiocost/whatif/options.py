"""The options of a question held against each other: expected cost, chance of being the cheapest, expected regret.

Options are compared draw by draw, each draw with costs and open facts of its own. The one of the lowest expected cost
is taken; what it costs more than the cheapest of its draw, in the mean, is its expected regret. A bound stands for
what a design could do at best if it were told the workload; it is shown, and never taken.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InvalidInput
from ..fitting.design import Array
from ..fitting.fit import Fit
from ..fitting.intervals import interval
from ..fitting.prediction import sources_of
from ..fitting.store import current_fit
from .breakeven import BreakEven, breakeven
from .decision import BYPASS, FAST, TWO_PATHS, UNIFIED, Decision, Sample, decision, sample
from .domains import Varied
from .next_measurement import COPIES
from .ranges import default_range, symbol_unit
from .scenario import Scenario
from .terms import REGRESSION, by_parameter, design_terms, indicators, quantity_terms

#: Symbols in which a decision may turn over.
_TURNS = {
    FAST: ("slots", "zapping_rate"),
    BYPASS: ("true_fault_fraction", "fill_rate"),
    UNIFIED: ("slots", "unlink_rate"),
}
#: Options of each question, what is kept first.
# fmt: off
OPTIONS: dict[str, dict[str, str]] = {
    FAST: {
        "before": "every access searches the memslots, as in 3.0",
        "after": "an MMIO spte remembers that the gfn is MMIO",
    },
    BYPASS: {
        "drop": "MMIO sptes stay, `bypass_guest_pf` goes",
        "keep both": "`bypass_guest_pf=1` beside MMIO sptes; every exiting fault is checked",
        "MMIO faults off": "`bypass_guest_pf=1` without MMIO sptes",
        "switch": "MMIO faults switched at run time: the better of 'drop' and 'MMIO faults off', switching for free",
    },
    UNIFIED: {
        "two paths": "MMIO sptes, with a path of their own beside that of page faults",
        "unified loop": "one loop walks, finds out what the access is, and re-fetches",
    },
}
# fmt: on
BOUND = "switch"


@dataclass(frozen=True)
class Option:
    """One option. ``cost`` is the mean, ``low`` and ``high`` bound 95 % of the draws; ``against`` is the same for
    what it costs more than the first option. ``probability`` of being the cheapest and ``regret`` are None for a bound.
    """

    name: str
    meaning: str
    cost: float
    low: float
    high: float
    against: float
    against_low: float
    against_high: float
    probability: float | None
    regret: float | None


@dataclass(frozen=True)
class Outcome:
    """A decision with what it rests on; costs are in ``unit``.

    ``regret_low`` and ``regret_high`` are the 95 % interval that the size of the sample leaves; ``transaction_share``
    is the regret as a share of a transaction, where the scenario says how long one takes.
    """

    question: str
    scenario: Scenario
    options: tuple[Option, ...]
    choice: str
    probability: float
    expected_regret: float
    regret_low: float
    regret_high: float
    unit: str
    transaction_share: float | None
    open_facts: tuple[str, ...]
    turns: tuple[BreakEven, ...]
    sources: tuple[str, ...]
    prior_bounded: tuple[str, ...]
    evidence: str


def weigh(
    question: str, scenario: Scenario | None = None, *, evidence: Sequence[os.PathLike[str]] = (), turns: bool = True
) -> Outcome:
    """Weigh the options of ``fast-mmio``, ``bypass-guest-pf`` or ``unified-loop``; with the break-evens in ``turns``.

    Facts of the workload that the scenario does not set are unknown over their ranges. Raises InvalidInput.
    """
    scenario = scenario or Scenario()
    folders = [Path(folder) for folder in evidence]
    asked, fit = _asked(question, scenario), current_fit(folders)
    drawn = sample(asked, fit, COPIES)
    with np.errstate(over="ignore"):  # an endless loop is refused where its cost is known
        counts = _counts(asked, fit, asked.values(drawn.unit))
    costs = {name: drawn.total(found) for name, found in counts.items()}
    meanings = OPTIONS[asked.question]
    if asked.question == BYPASS:
        costs[BOUND] = np.minimum(costs["drop"], costs["MMIO faults off"])
    fixed = [name for name in costs if name != BOUND]
    cheapest = np.minimum.reduce([costs[name] for name in fixed])
    choice = min(fixed, key=lambda name: float(costs[name].mean()))
    options = tuple(
        _option(name, meanings[name], costs[name], costs[fixed[0]], None if name == BOUND else cheapest)
        for name in costs
    )
    regret = _mean(costs[choice] - cheapest, drawn)
    names = list(dict.fromkeys(name for found in counts.values() for name in found))
    return Outcome(
        asked.question, scenario, options, choice, float(np.mean(costs[choice] <= cheapest)), *regret, asked.unit,
        _transaction_share(regret[0], asked), tuple(fact.name for fact in asked.facts),
        _turns(asked, folders) if turns else (), tuple(sources_of(fit, names)),
        fit.prior_bounded(names, *fit.locate(scenario.machine)), fit.evidence,
    )  # fmt: skip


def _asked(question: str, scenario: Scenario) -> Decision:
    """The decision; without MMIO sptes their saving is lost, so that the rate of accesses is a fact of its own."""
    asked = decision(question, scenario)
    if asked.question != BYPASS or "mmio_rate" in scenario.mix:
        return asked
    rate = Varied("mmio_rate", *default_range("mmio_rate"), symbol_unit("mmio_rate"))
    return replace(asked, facts=(*asked.facts, rate))


def _counts(asked: Decision, fit: Fit, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Occurrences of each cost parameter in every option that is no bound; in a second where the unit is a rate."""
    scenario = asked.scenario
    state = {**indicators(scenario, fit), **values}
    if asked.question == FAST:
        terms = {design: design_terms(design, scenario, **state)[0] for design in ("before", "after")}
    elif asked.question == UNIFIED:
        paths = {"two paths": f"{TWO_PATHS}.{scenario.mode}.mmio_hit", "unified loop": "unified"}
        terms = {name: design_terms(design, scenario, **state)[0] for name, design in paths.items()}
    else:
        terms = {"drop": {}}
        for name, on in (("keep both", 1.0), ("MMIO faults off", 0.0)):
            terms[name] = quantity_terms(REGRESSION, scenario, **{**state, "mmio_faults_on": on})[0]
    return {name: by_parameter(found, scenario, fit) for name, found in terms.items()}


def _option(name: str, meaning: str, costs: Array, first: Array, cheapest: Array | None) -> Option:
    (low, high), (least, most) = _sides(costs), _sides(costs - first)
    probability = None if cheapest is None else float(np.mean(costs <= cheapest))
    regret = None if cheapest is None else float(np.mean(costs - cheapest))
    return Option(
        name, meaning, float(costs.mean()), low, high, float((costs - first).mean()), least, most, probability, regret
    )


def _sides(values: Array) -> tuple[float, float]:
    found = interval(values)
    assert found.low is not None and found.high is not None  # costs are finite
    return found.low, found.high


def _mean(values: Array, drawn: Sample) -> tuple[float, float, float]:
    """Mean of values (points,) with the 95 % interval that the sample leaves; copies of a draw are not independent."""
    draws = values.reshape(drawn.copies, -1).mean(axis=0)
    mean, half = float(draws.mean()), 1.96 * float(draws.std(ddof=1)) / math.sqrt(len(draws))
    return mean, max(mean - half, 0.0), mean + half


def _transaction_share(regret: float, asked: Decision) -> float | None:
    mix = asked.scenario.mix
    if asked.question == BYPASS or not {"accesses_per_transaction", "cycles_per_transaction"} <= mix.keys():
        return None
    return regret * mix["accesses_per_transaction"] / mix["cycles_per_transaction"]


def _turns(asked: Decision, folders: Sequence[Path]) -> tuple[BreakEven, ...]:
    """Where the two designs of the question cost the same, in each symbol in which the scenario lets them."""
    scenario = asked.scenario
    between = {
        FAST: ("before", "after"),
        BYPASS: ("no-bypass", "bypass"),
        UNIFIED: (f"{TWO_PATHS}.{scenario.mode}.mmio_hit", "unified"),
    }[asked.question]
    found = []
    for variable in _TURNS[asked.question]:
        try:
            found.append(breakeven(variable, between, scenario, evidence=folders))
        except InvalidInput:  # what the scenario sets excludes the symbol, or a range of it
            continue
    return tuple(found)
