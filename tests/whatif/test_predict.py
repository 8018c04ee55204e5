"""Predictions: kinds of interval, flags, units, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from mmiocost.errors import InvalidInput
from mmiocost.whatif.counting import count
from mmiocost.whatif.predict import Prediction, predict
from mmiocost.whatif.scenario import Scenario

KNOWN = "skylake-8160/a-6.8-off-host"
SAVING, SPEEDUP, REGRESSION = "saving:fast_mmio", "speedup:fast_mmio", "regression:bypass_guest_pf"
OVERHEAD = "overhead:generation_wrap"
_MIX = (
    "hit_fraction", "generation_rate", "zapping_rate", "cold_search_fraction", "cycles_per_transaction",
    "accesses_per_transaction", "mmio_rate", "mmio_pages", "fill_rate", "fault_rate", "notrap_fraction",
    "true_fault_fraction", "address_spaces",
    "userspace_fraction",
)  # fmt: skip


def scenario(machine: str = "population", mode: str = "ept", after: str = "v31", **values: Any) -> Scenario:
    mix = {name: float(value) for name, value in values.items() if name in _MIX}
    counts = {name: value for name, value in values.items() if name not in _MIX}
    return Scenario(machine=machine, mode=mode, after=after, counts=counts, mix=mix)


def refused(quantity: str, asked: Scenario, **options: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        predict(quantity, asked, **options)
    return str(caught.value)


def width(found: Prediction) -> float:
    assert found.low is not None and found.high is not None and found.low <= found.value <= found.high
    return found.high - found.low


def test_each_kind_of_interval_and_its_order() -> None:
    path = "cost:v517.any.hypercall"
    mean = predict(path, scenario(KNOWN))
    again = predict(path, scenario(KNOWN), interval_kind="new_measurement")
    other = predict(path)
    assert (mean.interval, again.interval, other.interval) == ("known_machine", "new_measurement", "new_machine")
    assert width(mean) < width(again) < width(other)
    assert mean.value == pytest.approx(3478, rel=0.01)  # 3536 less 58 for the harness
    assert {found.level for found in (mean, again, other)} == {0.95}


@pytest.mark.parametrize(
    ("machine", "kind", "line"),
    [
        ("population", "known_machine", "--interval: known_machine: needs a machine of the evidence: add --machine"),
        (KNOWN, "new_machine", "--interval: new_machine: is for a machine not yet measured: leave --machine out"),
        (KNOWN, "mean", "--interval: mean: must be one of known_machine, new_machine, new_measurement"),
    ],
)
def test_a_kind_of_interval_that_the_machine_does_not_allow_is_refused(machine: str, kind: str, line: str) -> None:
    assert refused("cost:v31.any.hypercall", scenario(machine), interval_kind=kind) == line


def test_only_an_extent_beyond_the_evidence_is_called_an_extrapolation() -> None:
    """Linear searches were measured at 13 and 117 slots; binary ones too; walks up to four levels."""
    assert predict(SAVING, scenario(slots=32)).outside == ()
    far = predict(SAVING, scenario(slots=509))
    assert far.extrapolates and far.outside == ("slots",)
    deep = predict("cost:v517.ept.mmio_hit", scenario(guest_levels=5))
    assert deep.extrapolates and "guest_levels" in deep.outside
    for found in (predict(SAVING, scenario(slots=32)), far, deep):
        assert found.extrapolates == bool(found.outside)


def test_what_no_row_measures_is_named_and_what_a_row_measures_is_not() -> None:
    found = predict(SAVING, scenario(slots=32))
    assert {"slot_compare", "vm_exit_ept_violation", "vm_exit_ept_misconfig", "mmio_cache_check"} <= set(
        found.prior_bounded
    )
    assert predict("cost:v517.any.hypercall", scenario(KNOWN)).prior_bounded == ()


def test_the_saving_is_what_hits_save_and_refills_lose() -> None:
    always = predict(SAVING, scenario(slots=8, hit_fraction=1.0))
    seldom = predict(SAVING, scenario(slots=8, hit_fraction=0.0))
    assert always.value > 0 > seldom.value
    rate = predict(SAVING, scenario(after="v311", slots=8, mmio_rate=100.0, generation_rate=100.0))
    half = predict(SAVING, scenario(after="v311", slots=8, hit_fraction=0.5))
    assert rate.value == pytest.approx(half.value)  # h = 100/(100 + 1·100)


@pytest.mark.parametrize("mode", ["ept", "shadow", "nonpaging"])
def test_more_slots_never_lower_the_saving_of_a_linear_walk(mode: str) -> None:
    values = [predict(SAVING, scenario(mode=mode, slots=slots)).value for slots in (1, 4, 16, 64, 256)]
    assert values == sorted(values) and values[-1] > 20 * abs(values[0] - values[1])


def test_a_speedup_needs_the_cycles_of_a_transaction() -> None:
    assert refused(SPEEDUP, scenario()) == (
        "--set: cycles_per_transaction: must be set: the cycles of one transaction before the change"
    )
    found = predict(SPEEDUP, scenario(slots=32, cycles_per_transaction=3.5e6, accesses_per_transaction=20))
    saved = predict(SAVING, scenario(slots=32)).value
    assert found.value == pytest.approx(3.5e6 / (3.5e6 - 20 * saved))
    assert found.unit == "1"
    assert "must be more than" in refused(
        SPEEDUP, scenario(slots=117, cycles_per_transaction=1e4, accesses_per_transaction=20)
    )


def test_time_comes_through_a_clock() -> None:
    cycles = predict("cost:v517.any.hypercall", scenario(KNOWN))
    time = predict("cost:v517.any.hypercall", scenario(KNOWN), unit="ns", clock_hz=2e9)
    assert time.unit == "ns" and time.value == pytest.approx(cycles.value / 2)
    assert any("2e+09 Hz" in note for note in time.notes)
    assert (
        refused(REGRESSION, scenario(), unit="ns", clock_hz=2e9) == f"--unit: ns: {REGRESSION} is no number of cycles"
    )


def test_the_regression_grows_with_the_pages_filled() -> None:
    found = [predict(REGRESSION, scenario(fill_rate=rate)).value for rate in (0.0, 1e3, 1e5)]
    assert found == sorted(found) and found[0] < 0 < found[-1]
    assert predict(REGRESSION).unit == "cycle/s"


def test_without_notrap_entries_the_switch_always_loses() -> None:
    found = predict(REGRESSION, scenario(notrap_fraction=0.0))
    assert found.low is not None and found.low > 0 and found.probability_positive == 1


@pytest.mark.parametrize(
    ("quantity", "line"),
    [
        ("saving:fast_mmoi", "quantity=saving:fast_mmoi: must be one of saving:fast_mmio, speedup:fast_mmio,"
         " regression:bypass_guest_pf, overhead:generation_wrap, cost:PATH; did you mean 'saving:fast_mmio'?"),
        ("cost:v31.ept.mmio_hot", "quantity: path=v31.ept.mmio_hot: unknown path; did you mean 'v31.ept.mmio_hit'?"),
    ],
)  # fmt: skip
def test_an_unknown_quantity_is_refused(quantity: str, line: str) -> None:
    assert refused(quantity, scenario()) == line


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        (scenario(machine="skylake"), "did you mean 'skylake-8160'"),
        (scenario(mode="shadow", after="v40"), "mode=shadow: must be one of ept with after=v40"),
        (scenario(after="v30"), "after=v30: must be a generation with MMIO sptes"),
        (Scenario(before="v36", after="v40"), "before=v36: must be v30"),
        (scenario(guest_levels=1), "--set: guest_levels=1: must be one of 0, 2, 3, 4"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(asked: Scenario, part: str) -> None:
    assert part in refused(SAVING, asked)


def test_a_known_state_has_its_own_mitigations_and_a_scenario_may_say_otherwise() -> None:
    path = "cost:v517.ept.mmio_hit"
    on, off = (
        predict(path, scenario(f"skylake-8160/{state}", userspace=1)).value
        for state in ("a-6.8-default", "a-6.8-off-host")
    )
    assert on > 2 * off
    plain, mitigated = (predict(path, scenario(userspace=1, userspace_mitigated=value)).value for value in (0, 1))
    assert mitigated > plain


def test_an_indicator_that_is_stated_wins_over_the_state_and_leaves_its_other_settings() -> None:
    """Off, an exit loses what its mitigations cost; on, it is as in the state, in which all of them are on."""
    state, hypercall = "skylake-8160/a-6.8-default", "cost:v517.any.hypercall"
    as_known = predict(hypercall, Scenario(machine=state))
    off, on = (predict(hypercall, Scenario(machine=state, counts={"exit_mitigated": value})) for value in (0, 1))
    assert on.value == pytest.approx(as_known.value)
    assert off.value < as_known.value and off.high is not None and off.high < as_known.value
    other = predict("cost:v517.guest_walk", Scenario(machine=state, counts={"exit_mitigated": 0}))
    assert other.value == pytest.approx(predict("cost:v517.guest_walk", Scenario(machine=state)).value)


def test_a_nested_machine_is_nested_in_any_state() -> None:
    """Both measured states cost about 15000 cycles an exit; ten times what a host with hardware under it takes."""
    states = [predict("cost:v414.any.hypercall", Scenario(machine=f"unnamed-2019-nested/5.2-nested-{state}"))
              for state in ("before", "after")]  # fmt: skip
    unknown = predict("cost:v414.any.hypercall", Scenario(machine="unnamed-2019-nested"))
    assert unknown.low is not None and unknown.high is not None
    assert all(unknown.low < state.value < unknown.high for state in states)
    assert unknown.low > 5000


def test_a_loop_that_never_ends_is_refused_and_not_called_infinite() -> None:
    """exp(1000) builds are undone: no number. With 700 unlinks in the window there is one, however large."""
    with pytest.raises(InvalidInput, match=r"build_window=0.001: the unified loop never ends with unlink_rate 1e\+06"):
        predict("cost:unified.ept.access", Scenario(mix={"unlink_rate": 1e6, "build_window": 1e-3}))
    assert predict("cost:unified.ept.access", Scenario(mix={"unlink_rate": 1e6, "build_window": 7e-4})).value > 1e300


def test_sources_and_the_widest_uncertainty_are_said() -> None:
    found = predict(SAVING, scenario(slots=32))
    assert "mammedov2014_binsearch" in found.sources
    assert found.widest is not None and 0 <= found.widest.left <= 1
    assert found.widest.parameter in {"the kind of exit", *found.prior_bounded}


def test_counts_leave_zeros_out_and_refuse_what_a_path_does_not_admit() -> None:
    assert count("v30.slot.miss", {"slots": 35}) == {"slot_search": 1, "slot_compare": 35}
    with pytest.raises(InvalidInput, match="guest_levels=1"):
        count("v31.ept.mmio_hit", {"guest_levels": 1})


def test_address_spaces_enter_what_the_wraps_of_the_generation_number_cost() -> None:
    """2¹⁹ bumps a round, divided among the address spaces from 3.16 on: 6.1 days at one update a second, or 3.0."""
    one, two = (predict(OVERHEAD, scenario(after="v414", generation_rate=1, address_spaces=n)) for n in (1, 2))
    assert one.notes == ("the generation number wraps once in 146 hours (6.07 days)",)
    assert two.notes == ("the generation number wraps once in 72.8 hours (3.03 days)",)
    assert two.value == pytest.approx(2 * one.value) and one.unit == "cycle/s"
    early = [predict(OVERHEAD, scenario(after="v311", generation_rate=1, address_spaces=n)).value for n in (1, 2)]
    assert early[0] == early[1] == pytest.approx(one.value)


def test_the_cost_of_the_wraps_is_their_rate_times_that_of_one() -> None:
    asked = scenario(after="v517", generation_rate=40, zapping_rate=10, address_spaces=2, shadow_pages=500)
    wrap = predict("cost:v311.any.slot_update_wrap", scenario(shadow_pages=500))
    found = predict(OVERHEAD, asked)
    for name in ("value", "low", "high"):
        assert getattr(found, name) == pytest.approx(getattr(wrap, name) * (40 + 10) * 2 / 2**19)


def test_without_updates_nothing_wraps_and_before_3_11_nothing_can() -> None:
    found = predict(OVERHEAD, scenario(after="v414"))
    assert (found.value, found.low, found.high) == (0, 0, 0) and "never wraps" in found.notes[0]
    assert refused(OVERHEAD, scenario(after="v36")) == (
        "after=v36: must be v311 or later: before 3.11 MMIO sptes hold no generation number"
    )
    assert refused(OVERHEAD, scenario(after="v40"), unit="ns") == f"--unit: ns: {OVERHEAD} is no number of cycles"


def test_many_predictions_of_one_predictor_are_those_of_each_alone() -> None:
    from mmiocost.whatif.predict import Predictor

    several = Predictor()
    asked = [
        (SAVING, scenario(slots=32), {}), ("cost:v517.any.hypercall", scenario(KNOWN), {"unit": "ns"}),
        (REGRESSION, scenario(), {}),
        ("cost:v517.any.hypercall", scenario(KNOWN), {"interval_kind": "new_measurement"}),
        (SAVING, scenario("unnamed-2012", slots=32), {}),
    ]  # fmt: skip
    for quantity, where, options in (*asked, *reversed(asked)):
        assert several(quantity, where, **options) == predict(quantity, where, **options)
