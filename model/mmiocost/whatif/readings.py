"""Data that a measurement would give, simulated at every point of a sample.

A reading becomes one column: the logarithm of a cost or rate, a share, or a difference, each with its error.
What the model can't express in the asked scenario (a path that the generation lacks, a fact that is known) gives
no column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import InvalidInput
from ..evidence.measurements import Measurement, Reading
from ..fitting.design import Array
from ..fitting.parameters import parameter_names
from ..fitting.solve import DEGREES
from ..vocabulary import MIX_SYMBOLS
from .decision import BYPASS, FAST, MACHINE_SYMBOLS, SAME, Sample
from .scenario import Scenario
from .terms import REGRESSION, SAVING, indicators, quantity_terms

_OWN = ("slots", "guest_levels")  # of the decision's scenario, which a measurement of its host has too
_SHARES = {item.name for item in MIX_SYMBOLS if item.high == 1 and item.unit == "1"}
_ASKED = {SAVING: FAST, REGRESSION: BYPASS}


@dataclass(frozen=True)
class Column:
    """What one reading would say without its error at every point, ``exact`` (points,).

    ``kind``: "cost" (a logarithm; ``counts`` are the occurrences of cost parameters in it), "fact" (of a
    ``symbol``; the logarithm of a rate, a share as such) or "difference". ``sd``: (points,) or a number.
    """

    kind: str
    symbol: str
    exact: Array
    sd: Array | float
    counts: Mapping[str, float]

    def drawn(self, rng: np.random.Generator) -> Array:
        """The reading with its error: of a cost a Student t, as the rows of the fit have."""
        count = len(self.exact)
        error = rng.standard_t(DEGREES, count) if self.kind == "cost" else rng.standard_normal(count)
        return np.asarray(self.exact + self.sd * error)


def columns(
    measurement: Measurement, machine: str, here: Sample, values: Mapping[str, Any], saved: Array, hertz: float
) -> tuple[Column, ...]:
    """The readings of a measurement on a kind of machine that say something in the asked scenario.

    ``values`` are those of the open facts, ``saved`` (points,) what the second design saves; ``hertz`` is the clock.
    """
    found = (_column(reading, machine, here, values, saved, hertz) for reading in measurement.readings)
    return tuple(item for item in found if item is not None)


def _column(
    reading: Reading, machine: str, here: Sample, values: Mapping[str, Any], saved: Array, hertz: float
) -> Column | None:
    name = reading.observes
    if name in _ASKED:
        return _relative_change(reading, here, values, saved, hertz)
    if name in {fact.name for fact in here.decision.facts}:
        value = np.asarray(values[name], dtype=float)
        return Column("fact", name, value if name in _SHARES else np.log(value), reading.sd, {})
    if name in parameter_names():
        return Column("cost", name, np.log(here.costs((name,), machine)[:, 0]), reading.sd, {name: 1.0})
    if "." not in name:
        return None
    try:
        counts = _counts(name, reading.scenario, reading.part, machine, here)
        cost = here.total(counts, machine)
        if not reading.less:
            return Column("cost", name, np.log(cost), reading.sd, counts)
        less = here.total(_counts(reading.less, reading.less_scenario, reading.part, machine, here), machine)
    except InvalidInput:
        return None
    return Column("difference", name, cost - less, reading.sd * np.maximum(cost, less), {})


def _relative_change(
    reading: Reading, here: Sample, values: Mapping[str, Any], saved: Array, hertz: float
) -> Column | None:
    """The change of a workload: of a transaction's time, or of the cycles of a second."""
    if _ASKED[reading.observes] != here.decision.question:
        return None
    if reading.part == "second":
        return Column("difference", reading.observes, saved / hertz, reading.sd, {})
    mix = {**here.decision.scenario.mix, **values}
    if "cycles_per_transaction" not in mix:
        return None
    accesses = mix.get("accesses_per_transaction", _default("accesses_per_transaction"))
    change = saved * accesses / mix["cycles_per_transaction"]
    return Column("difference", reading.observes, change, reading.sd, {})


def _default(name: str) -> Any:
    return next(item.default for item in MIX_SYMBOLS if item.name == name)


def _counts(pattern: str, given: Mapping[str, float], part: str, machine: str, here: Sample) -> dict[str, Any]:
    """Occurrences by parameter on a path. Raises InvalidInput where there is no such path or scenario."""
    asked = here.decision.scenario
    path = path_of(pattern, asked)
    means = {item.name for item in MIX_SYMBOLS}
    counts = {name: value for name, value in asked.counts.items() if name in _OWN}
    counts |= MACHINE_SYMBOLS.get(machine, {}) | {name: int(v) for name, v in given.items() if name not in means}
    mix = {name: value for name, value in given.items() if name in means}
    own = indicators(asked, here.fit) if machine == SAME else {}
    scenario: Scenario = replace(asked, counts=counts, mix=mix)
    terms, _ = quantity_terms(f"cost:{path}", scenario, **own)
    if part == "handler":
        terms = {name: count for name, count in terms.items() if not name.startswith("vm_exit_")}
    return here.by_parameter(terms, machine)


def path_of(pattern: str, scenario: Scenario) -> str:
    """The path that GEN, MODE and BEFORE stand for in a scenario; whether there is one is not looked at."""
    before = f"v30.{scenario.mode}.mmio" if scenario.after != "v517" else f"v517.{scenario.mode}.mmio_uncached"
    named = pattern.replace("BEFORE.mmio", before)
    return named.replace("GEN", scenario.after).replace("MODE", scenario.mode)


def measured_facts(found: Sequence[Column], data: Sequence[Array]) -> dict[str, Array]:
    """Values of the facts as they were read, by symbol; shares are brought back between 0 and 1."""
    return {
        column.symbol: np.clip(value, 0, 1) if column.symbol in _SHARES else np.exp(value)
        for column, value in zip(found, data, strict=True)
        if column.kind == "fact"
    }
