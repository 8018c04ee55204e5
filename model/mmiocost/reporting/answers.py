"""The two questions answered from the fit: a sentence, the numbers behind it, what limits them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..fitting.fit import LEVEL
from ..whatif.answers import Answer, AnswerRow
from ..whatif.breakeven import BreakEven, breakeven
from ..whatif.predict import Prediction, predict
from ..whatif.scenario import Scenario
from .meaning import widest_text
from .numbers import percent, quantity_text

Folders = Sequence[os.PathLike[str]]
SLOTS = (8, 32, 117, 509)
FILLS_PER_FAULT = (0.01, 0.05, 0.3, 1.0)
FAULT_RATE = 10000.0
_TYPICAL_FILLS = 0.05
SURE = 0.5 + LEVEL / 2  # share of the draws that must agree on a sign
_STORE = Scenario(name="EPT store")


def answers(evidence: Folders = ()) -> tuple[Answer, Answer]:
    """Where fast MMIO pays off, and where ``bypass_guest_pf`` regresses; on a machine not yet measured."""
    return fast_mmio(evidence), bypass_guest_pf(evidence)


def fast_mmio(evidence: Folders = ()) -> Answer:
    """Saving per access of 3.1 over 3.0 by slots and kind of access, and from how many slots on it is sure."""
    stores = {slots: _saving(_with(_STORE, slots=slots), evidence) for slots in SLOTS}
    others = {
        "EPT load, 32 slots": _saving(_with(_STORE, slots=32, is_write=0), evidence),
        "shadow paging store, 32 slots": _saving(_with(replace(_STORE, mode="shadow"), slots=32), evidence),
        "guest paging off, store, 32 slots": _saving(_with(replace(_STORE, mode="nonpaging"), slots=32), evidence),
    }
    first = breakeven("slots", ("before", "after"), _STORE, over=(1, 512), evidence=evidence)
    sure = sure_from(evidence)
    rows = [_row(f"EPT store, {slots} slots", found) for slots, found in stores.items()]
    rows += [_row(label, found) for label, found in others.items()]
    rows.append(
        AnswerRow(
            "fewest slots at which an EPT store surely saves", sure, None, None, "1", f"in {percent(SURE)} of the draws"
        )
    )
    any_number = percent(round(first.shares["always"], 2))
    sentence = (
        f"Fast MMIO pays off on every access that finds a valid MMIO spte from about {sure:.0f} memslots on; at 32"
        f" slots an EPT store saves {_text(stores[32])}. Below that the evidence cannot tell: in"
        f" {any_number} of the draws it saves with any number of slots. {_shadow(evidence)}"
    )
    return Answer(
        "fast-mmio", "Where does fast MMIO pay off?", sentence, tuple(rows), "new_machine", _widest(stores[32]),
        stores[32].prior_bounded, stores[32].sources, "05-fast-mmio",
    )  # fmt: skip


def _shadow(evidence: Folders) -> str:
    one = _saving(_with(replace(_STORE, mode="shadow"), slots=1), evidence).probability_positive
    sure = "saves already" if one >= SURE else "is not sure to save"
    return f"Under shadow paging a store {sure} with a single slot ({percent(round(one, 3))} of the draws)."


def sure_from(evidence: Folders = (), level: float = SURE) -> float:
    """Fewest slots at which an EPT store saves in that share of the draws, between 1 and 512."""
    low, high = 1, 512
    while low < high:
        middle = (low + high) // 2
        if _saving(_with(_STORE, slots=middle), evidence).probability_positive >= level:
            high = middle
        else:
            low = middle + 1
    return float(low)


def bypass_guest_pf(evidence: Folders = ()) -> Answer:
    """Share of bypassed faults below which ``bypass_guest_pf=1`` loses, by shadow pages filled per fault."""
    found = {fills: bypass_break_even(fills, evidence) for fills in FILLS_PER_FAULT}
    rows = tuple(_bypass_row(fills, item) for fills, item in found.items())
    churn = rows[FILLS_PER_FAULT.index(_TYPICAL_FILLS)]
    quiet = predict(
        "regression:bypass_guest_pf", bypass_scenario(_TYPICAL_FILLS, true_fault_fraction=0.0), evidence=evidence
    )
    sentence = (
        f"bypass_guest_pf=1 regresses where fewer than {percent(churn.value, churn.low, churn.high)} of the page"
        f" faults are guest faults on entries it could mark (at one shadow page filled in {1 / _TYPICAL_FILLS:.0f}"
        f" faults); always where none are, as on unsync pages; and the more, the more shadow pages churn. For a given"
        f" host the evidence cannot tell: no source gives these rates."
    )
    return Answer(
        "bypass-guest-pf", "Where does bypass_guest_pf regress?", sentence, rows, "new_machine", _widest(quiet),
        found[_TYPICAL_FILLS].prior_bounded, quiet.sources, "06-bypass-guest-pf",
    )  # fmt: skip


def bypass_break_even(fills_per_fault: float, evidence: Folders = ()) -> BreakEven:
    """p*·ν: the share of faults that must be bypassed for the switch to pay, with MMIO sptes beside it."""
    scenario = bypass_scenario(fills_per_fault)
    return breakeven("true_fault_fraction", ("no-bypass", "bypass"), scenario, over=(0.0, 1.0), evidence=evidence)


def bypass_scenario(fills_per_fault: float, **mix: float) -> Scenario:
    """A shadow-paging guest at an assumed fault rate, with that many shadow pages filled per fault."""
    rates = {"fault_rate": FAULT_RATE, "fill_rate": fills_per_fault * FAULT_RATE, "notrap_fraction": 1.0}
    return Scenario(name="shadow paging", mode="shadow", counts={"slots": 8}, mix={**rates, **mix})


def _bypass_row(fills: float, found: BreakEven) -> AnswerRow:
    label = f"bypassed share below which it loses, {fills:g} shadow pages filled per fault"
    if found.crossings:
        item = found.crossings[0]
        return AnswerRow(
            label, item.value, item.low, item.high, "1", "" if item.high else "open above: never pays in some draws"
        )
    return AnswerRow(
        label, None, None, None, "1", {"never": "never pays", "always": "always pays"}.get(found.verdict, "cannot tell")
    )


def _with(scenario: Scenario, **counts: int) -> Scenario:
    return replace(scenario, counts={**scenario.counts, **counts})


def _saving(scenario: Scenario, evidence: Folders) -> Prediction:
    return predict("saving:fast_mmio", scenario, evidence=evidence)


def _row(label: str, found: Prediction) -> AnswerRow:
    note = f"beyond the evidence in {', '.join(found.outside)}" if found.extrapolates else ""
    return AnswerRow(label, found.value, found.low, found.high, found.unit, note)


def _text(found: Any) -> str:
    return quantity_text(found.value, found.low, found.high, found.unit)


def _widest(found: Prediction) -> str:
    return f"The widest uncertainty: {widest_text(found.widest)}." if found.widest else ""
