"""Every workload result predicted row by row, with stores, slots and caches assumed where no source gives them.

A run after the change is predicted from the runs before it, which the model takes as given; a published change in
percent, without its base, from a rate of stores. Both are the cycles that a store saves over those there are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import InvalidInput
from ..evidence import Evidence, Observation
from ..fitting.design import Array
from ..fitting.fit import SEED, Fit
from ..fitting.intervals import Interval, interval
from ..fitting.prediction import weighted_costs
from ..fitting.rows import NotScored, row_of
from ..fitting.score import Scored
from ..vocabulary import MIX_SYMBOLS
from .scenario import Scenario
from .workload import KERNBENCH, TCP_RR, clock_draws, saving_draws

SLOTS = 32  # the most a guest of 2011 had in user slots; none of the sources states the number
#: Defaults of the vocabulary, which stand for what no source gives: stores a transaction, and a second.
ACCESSES, PER_SECOND = (
    next(item.default or 0.0 for item in MIX_SYMBOLS if item.name == name)
    for name in ("accesses_per_transaction", "mmio_rate")
)
_LARGEST = 1e12  # of any rate, time or change that is meant
_MOST = 0.99  # of the time: saving more than there is has no meaning

Verdict = Scored | tuple[str, str]
_Bases = Mapping[tuple[str, str, str], tuple[float, ...]]  # runs by comparison, quantity and unit


@dataclass(frozen=True)
class _Question:
    """What a store saves, draws in cycles, how many there are in ``per``, and in words what was assumed."""

    saving: Array
    stores: float
    per: str
    assumed: str


def workload_verdicts(rows: Sequence[Observation], evidence: Evidence, fit: Fit) -> list[Verdict]:
    """For each workload result in turn its prediction, or its id with the reason why there is none."""
    bases = {**_bases(evidence.observations), **_bases(rows)}
    questions: dict[tuple[object, ...], _Question | str] = {}
    return [_verdict(row, _asked(row, evidence, fit, questions), bases, evidence) for row in rows]


def stores_needed(row: Observation, evidence: Evidence, fit: Fit) -> Interval | None:
    """Stores a second that would explain a published change in percent; None where the model has no saving for it.

    It is 0 where the change is none or a loss.
    """
    asked = _asked(row, evidence, fit, {})
    if isinstance(asked, str) or row.unit != "percent":
        return None
    share = row.value / (100 + row.value) if row.value > 0 else 0.0
    hertz = clock_draws(evidence, len(asked.saving))
    return interval(np.where(asked.saving > 0, share * hertz / np.maximum(asked.saving, 1e-9), np.inf if share else 0))


def _bases(rows: Iterable[Observation]) -> _Bases:
    """Runs before the change."""
    found: dict[tuple[str, str, str], tuple[float, ...]] = {}
    for row in rows:
        if row.quantity in (TCP_RR, KERNBENCH) and _is_base(row) and row.comparison and row.value > 0:
            found[_side(row)] = (*found.get(_side(row), ()), row.value)
    return found


def _side(row: Observation) -> tuple[str, str, str]:
    return row.comparison, row.quantity, row.unit


def _is_base(row: Observation) -> bool:
    return row.patch_state == "before"


def _asked(
    row: Observation, evidence: Evidence, fit: Fit, known: dict[tuple[object, ...], _Question | str]
) -> _Question | str:
    """The question behind a row, each asked once; the reason where there is none."""
    key = (
        row.quantity, row.generation, row.ept, row.mmio_shortcut, row.slots, row.guest_levels, row.source_id,
        row.patch_state,
    )  # fmt: skip
    if key not in known:
        try:
            known[key] = _question(row, evidence, fit)
        except (NotScored, InvalidInput) as reason:
            known[key] = str(reason)
    return known[key]


def _question(row: Observation, evidence: Evidence, fit: Fit) -> _Question:
    ghz = evidence.assumptions["clock_not_stated"]
    clock = f"a clock of {ghz.value / 1e9:g} GHz within a factor {ghz.factor:g}"
    if row.quantity in (TCP_RR, KERNBENCH):
        if _is_base(row):
            raise NotScored("a run before the change: the base from which the runs after it are predicted")
        per, stores = ("second", PER_SECOND) if row.quantity == KERNBENCH else ("transaction", ACCESSES)
        slots = row.slots or SLOTS
        assumed = f"{stores:g} stores a {per}, {slots} slots, first searches warm or cold, {clock}"
        return _Question(_saving_of_entries(row, slots, evidence, fit), stores, per, assumed)
    if row.quantity == "workload.kbuild_change":
        raise NotScored("emulated writes to guest page tables are no path of the model")
    if not row.quantity.endswith("_change"):
        raise NotScored(evidence.quantities[row.quantity].why_not)
    saving = _saving_of_bus(row, evidence, fit)
    return _Question(saving, PER_SECOND, "second", f"{PER_SECOND:g} stores a second, {clock}")


def _saving_of_entries(row: Observation, slots: int, evidence: Evidence, fit: Fit) -> Array:
    """What an MMIO spte saves a store, (draws,): first searches that find the slots cold at any share of them."""
    if row.mmio_shortcut != "spte" or not row.generation:
        raise NotScored("it must be stated that MMIO sptes are in use, and in which kernel generation")
    levels = {"guest_levels": row.guest_levels} if row.guest_levels is not None else {}
    symbols = {"slots": slots} | (levels if row.ept != 0 else {"guest_levels": _levels(row)} | levels)
    scenario = Scenario(mode="shadow" if row.ept == 0 else "ept", after=row.generation, counts=symbols)
    warm, cold = (saving_draws(replace(scenario, mix={"cold_search_fraction": share}), fit) for share in (0.0, 1.0))
    return np.asarray(warm + np.random.default_rng([SEED, 32]).random(len(warm)) * (cold - warm))


def _levels(row: Observation) -> int:
    """The first posting is of an x86_64 host (4 levels assumed), the second of an x86_32 one (PAE assumed)."""
    return 3 if row.source_id.endswith("v2") else 4


def _saving_of_bus(row: Observation, evidence: Evidence, fit: Fit) -> Array:
    """What the fast MMIO bus saves a store to an eventfd, (draws,)."""
    if not row.generation:
        raise NotScored("its kernel generation is not stated, nor how many slots were searched")
    if row.mmio_shortcut != "fast bus":
        raise NotScored("it must be stated which shortcut the change brought")
    emulated = replace(row, quantity="mmio.write_eventfd_datamatch", mmio_shortcut="spte")
    direct = replace(row, quantity="mmio.write_eventfd_zero_length")
    before, after = (
        weighted_costs(fit, row_of(replace(item, value=1.0, unit="cycle"), evidence).counts)
        for item in (emulated, direct)
    )
    return before - after


def _verdict(
    row: Observation,
    asked: _Question | str,
    bases: Mapping[tuple[str, str, str], tuple[float, ...]],
    evidence: Evidence,
) -> Verdict:
    problem = asked if isinstance(asked, str) else _no_size(row, bases.get(_side(row), ()))
    if isinstance(asked, str) or problem:
        return row.id, problem
    spent = asked.stores * asked.saving / clock_draws(evidence, len(asked.saving))  # seconds of `per`
    if row.unit == "percent":
        found, kind = interval(100 * (1 / (1 - np.minimum(spent, _MOST)) - 1)), "new_machine"
    else:
        found, kind = interval(_run_after(row, bases[_side(row)], spent)), "new_measurement"
    low = -math.inf if found.low is None else found.low
    high = math.inf if found.high is None else found.high
    return Scored(
        row.id, row.quantity, "workload", row.source_id, "new machine", row.value, found.value, low, high, row.unit,
        low <= row.value <= high, kind, assumed=asked.assumed,
    )  # fmt: skip


def _no_size(row: Observation, runs: Sequence[float]) -> str:
    """Why a value can't be compared with a prediction; empty where it can."""
    if row.unit == "percent":
        return "" if -100 < row.value < _LARGEST else "no change of a rate: it must be above -100 percent"
    if not all(0 < value < _LARGEST for value in (row.value, *runs)):
        return "must be above 0, and neither it nor a run before it larger than any rate or time"
    if len(runs) < 2:
        return "fewer than two runs before the change in its comparison: their scatter is not known"
    return "" if max(runs) < 2 * min(runs) else "the runs before the change differ by more than a factor 2"


def _run_after(row: Observation, runs: Sequence[float], spent: Array) -> Array:
    """Draws of one run after the change, (draws,), by the scatter of the runs before it."""
    rng = np.random.default_rng([SEED, 3])
    logs = np.log(runs)
    scatter = logs.std(ddof=1) * math.sqrt(1 + 1 / len(runs)) * rng.standard_t(len(runs) - 1, len(spent))
    before = np.exp(logs.mean() + scatter)
    if row.quantity == KERNBENCH:
        return np.asarray(before * (1 - np.minimum(spent, _MOST)))
    return np.asarray(before / (1 - np.minimum(spent * math.exp(logs.mean()), _MOST)))
