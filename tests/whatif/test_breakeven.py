"""Break-even: put back it gives equal costs; verdicts on questions whose answer is known beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmiocost.errors import InvalidInput
from mmiocost.whatif.breakeven import breakeven, default_range
from mmiocost.whatif.predict import predict
from mmiocost.whatif.scenario import Scenario

KNOWN = "skylake-8160/a-6.8-off-host"


def test_a_value_put_back_gives_equal_costs_in_the_median() -> None:
    """Where bypass_guest_pf pays: the regression at that share of true faults is about 0."""
    asked = Scenario(mix={"notrap_fraction": 1.0, "fill_rate": 500.0, "fault_rate": 1e4})
    found = breakeven("true_fault_fraction", ("no-bypass", "bypass"), asked)
    assert found.verdict == "crosses"
    (crossing,) = found.crossings
    assert crossing.low is not None and crossing.high is not None
    assert 0 < crossing.low < crossing.value < crossing.high < 1
    assert (crossing.cheaper_below, crossing.cheaper_above) == ("no-bypass", "bypass")
    at, nearby = (
        predict("regression:bypass_guest_pf", replace(asked, mix={**asked.mix, "true_fault_fraction": share})).value
        for share in (crossing.value, 1.0)
    )
    assert abs(at) < 0.01 * abs(nearby)


def test_the_order_of_the_designs_turns_the_sides_round() -> None:
    one = breakeven("true_fault_fraction", ("no-bypass", "bypass")).crossings[0]
    other = breakeven("true_fault_fraction", ("bypass", "no-bypass")).crossings[0]
    assert other.value == pytest.approx(one.value)
    assert (other.cheaper_below, other.cheaper_above) == (one.cheaper_below, one.cheaper_above)


def test_a_hit_fraction_put_back_gives_no_saving() -> None:
    asked = Scenario(counts={"slots": 8}, mode="shadow")
    found = breakeven("hit_fraction", ("before", "after"), asked)
    assert found.verdict == "crosses"
    value = found.crossings[0].value
    saved = predict("saving:fast_mmio", replace(asked, mix={"hit_fraction": value})).value
    assert abs(saved) < 0.02 * predict("saving:fast_mmio", replace(asked, mix={"hit_fraction": 1.0})).value


def test_what_is_dearer_by_an_event_more_is_never_cheaper() -> None:
    """CPUID is VMCALL and a search; the range of a symbol that neither uses plays no part."""
    found = breakeven("slots", ("v31.any.hypercall", "v31.any.cpuid"))
    assert (found.verdict, found.crossings, found.shares["never"]) == ("never", (), 1.0)
    assert breakeven("slots", ("v31.any.cpuid", "v31.any.hypercall")).verdict == "always"


def test_equal_designs_are_nowhere_cheaper() -> None:
    assert breakeven("slots", ("after", "after")).verdict == "never"


def test_a_crossing_that_is_a_count_is_found_where_counts_say() -> None:
    """A hit at slot 10 against a miss of n: equal at n = 10 whatever a compare costs, and dearer beyond."""
    between = ("v30.slot.hit", "v30.slot.miss")
    found = breakeven("slots", between, Scenario(counts={"ram_slot": 10}), over=(10, 60))
    assert (found.verdict, found.closed_form) == ("never", "10")


def test_the_sign_at_few_slots_is_more_than_the_evidence_can_tell() -> None:
    """Nothing measures the difference of the kinds of exit, which decides at small n."""
    found = breakeven("slots", ("before", "after"))
    assert found.verdict == "cannot_tell" and found.crossings == ()
    assert sum(found.shares.values()) == pytest.approx(1)
    assert {"vm_exit_ept_violation", "vm_exit_ept_misconfig"} <= set(found.prior_bounded)
    assert breakeven("slots", ("before", "after"), over=(117, 512)).verdict == "always"


def test_a_closed_form_is_given_where_the_difference_is_linear() -> None:
    found = breakeven("slots", ("before", "after")).closed_form
    assert found is not None and "theta_slot_compare" in found
    assert breakeven("slots", ("before", "after"), Scenario(after="v40")).closed_form is None  # a bisection is not


@pytest.mark.parametrize(("machine", "kind"), [("population", "new_machine"), (KNOWN, "known_machine")])
def test_the_kind_of_its_intervals_is_said(machine: str, kind: str) -> None:
    found = breakeven("true_fault_fraction", ("no-bypass", "bypass"), Scenario(machine=machine))
    assert (found.machine, found.interval) == (machine, kind)


@pytest.mark.parametrize(
    ("variable", "between", "over", "line"),
    [
        ("slot", ("before", "after"), None, "variable=slot: unknown name; did you mean 'slots'?"),
        ("slots", ("befor", "after"), None, "--between: design=befor: must be a path or one of before, after, unified,"
         " bypass, no-bypass; did you mean 'before'?"),
        ("slots", ("before", "v31.ept.x"), None, "quantity: path=v31.ept.x: unknown path"),
        ("slots", ("before", "after"), (8, 8), "--range: slots=8:8: must be LOW:HIGH with LOW below HIGH"),
        ("slots", ("before", "after"), (9, 8), "--range: slots=9:8: must be LOW:HIGH with LOW below HIGH"),
        ("hit_fraction", ("before", "after"), (0, 2), "--range: hit_fraction=0:2: must lie within 0 to 1"),
    ],
)  # fmt: skip
def test_what_can_not_be_asked_is_refused(
    variable: str, between: tuple[str, str], over: tuple[float, float] | None, line: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        breakeven(variable, between, over=over)
    assert str(caught.value).startswith(line)


def test_a_range_beyond_the_domain_of_a_count_is_refused() -> None:
    with pytest.raises(InvalidInput, match="slots=0: must be an integer of 1 or more"):
        breakeven("slots", ("before", "after"), over=(0, 9))


def test_ranges_have_defaults_within_the_domain() -> None:
    assert default_range("slots") == (1, 512)
    low, high = default_range("mmio_rate")
    assert 0 < low < high and np.isfinite(high)
