"""Break-even: put back it gives equal costs; verdicts on questions whose answer is known beforehand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import Costs

from mmiocost.errors import InvalidInput
from mmiocost.fitting.prediction import weighted_costs
from mmiocost.fitting.store import current_fit
from mmiocost.vocabulary import MIX_SYMBOLS, SYMBOLS, resolve
from mmiocost.whatif import breakeven as room
from mmiocost.whatif.breakeven import BreakEven, breakeven, default_range
from mmiocost.whatif.closed_form import closed_form, regression_in_parts
from mmiocost.whatif.crossings import roots
from mmiocost.whatif.differences import columns, set_to
from mmiocost.whatif.predict import predict
from mmiocost.whatif.ranges import is_whole
from mmiocost.whatif.scenario import Scenario
from mmiocost.whatif.terms import by_parameter, design_terms

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
        ("slots", ("before", "v31.ept.x"), None, "--between: path=v31.ept.x: unknown path"),
        ("slots", ("before", "bypass"), None, "--between: design=bypass: costs cycles a second, before"),
        ("slots", ("before", "after"), (1.5, 8), "--range: slots=1.5:8: must be two whole numbers"),
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


# --- every variable ------------------------------------------------------------------------------------------

# fmt: off
PAIRS: dict[str, tuple[tuple[str, str], Scenario]] = {
    "fast MMIO, EPT": (("before", "after"), Scenario(counts={"slots": 8})),
    "fast MMIO, shadow paging": (("before", "after"), Scenario(
        mode="shadow", after="v311", counts={"slots": 8}, mix={"generation_rate": 50.0}
    )),
    "bypass": (("no-bypass", "bypass"), Scenario()),
    "unified": (("after", "unified"), Scenario(counts={"slots": 8}, mix={"unlink_rate": 1000.0})),
    "paths": (("v40.ept.mmio_stale", "v40.ept.fast_mmio"), Scenario()),
}
# fmt: on
VARIABLES = [item.name for item in (*SYMBOLS, *MIX_SYMBOLS)]


@pytest.fixture
def no_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "closed_form", lambda *_: None)


def draws_at(between: tuple[str, str], scenario: Scenario, variable: str, value: float) -> np.ndarray:
    """Cost of the first design less that of the second at one value, one scenario at a time."""
    fit, asked = current_fit(), set_to(scenario, variable, value)
    one, other = (by_parameter(design_terms(name, asked)[0], asked, fit) for name in between)
    return weighted_costs(fit, {name: one.get(name, 0) - other.get(name, 0) for name in {**one, **other}})


def check_crossings(found: BreakEven, scenario: Scenario) -> None:
    """On either side of a crossing the median difference has another sign; a mean's break-even gives equal costs."""
    low, high = found.range
    for item in found.crossings:
        assert low <= item.value <= high
        if is_whole(found.variable):
            assert item.value == int(item.value)
            before = max(value for value in (item.value - 1, item.value - 2) if admitted(found, scenario, value))
            sides = [before, item.value]
        else:
            sides = [item.value * (1 - 1e-6), item.value * (1 + 1e-6)]
            at = np.median(draws_at(found.between, scenario, found.variable, item.value))
            ends = [np.median(draws_at(found.between, scenario, found.variable, end)) for end in found.range]
            assert abs(at) < 1e-9 * max(map(abs, ends))
        below, above = (np.median(draws_at(found.between, scenario, found.variable, side)) > 0 for side in sides)
        assert (found.between[int(below)], found.between[int(above)]) == (item.cheaper_below, item.cheaper_above)


def admitted(found: BreakEven, scenario: Scenario, value: float) -> bool:
    try:
        draws_at(found.between, scenario, found.variable, value)
    except InvalidInput:
        return False
    return True


@pytest.mark.usefixtures("no_formula")
@pytest.mark.parametrize("pair", PAIRS)
def test_every_variable_has_an_answer_that_holds_at_its_crossings(pair: str) -> None:
    between, scenario = PAIRS[pair]
    for variable in VARIABLES:
        found = breakeven(variable, between, scenario)
        assert found.verdict in ("crosses", "always", "never", "cannot_tell")
        assert sum(found.shares.values()) == pytest.approx(1)
        assert sum(found.cases.values()) == pytest.approx(found.shares["crosses"])
        assert found.effect or found.shares["crosses"] == 0
        assert bool(found.crossings) <= (found.verdict == "crosses")
        check_crossings(found, scenario)


@pytest.mark.usefixtures("no_formula")
@pytest.mark.parametrize(
    ("pair", "with_effect", "without"),
    [
        ("fast MMIO, EPT", {"slots", "is_write", "hit_fraction", "zapping_rate"}, {"ad_updates", "generation_rate"}),
        ("fast MMIO, shadow paging", {"ram_slot", "guest_levels", "generation_rate", "mmio_rate"}, {"zapping_rate"}),
        ("bypass", {"true_fault_fraction", "fill_rate", "unsync_rate", "mmio_faults_on"}, {"is_write", "mmio_rate"}),
        ("unified", {"retries", "unlink_rate", "build_window", "missing_levels"}, {"fault_rate", "bus_devices"}),
    ],
)
def test_a_variable_that_changes_nothing_is_said_so(pair: str, with_effect: set[str], without: set[str]) -> None:
    """From the equations: EPT stores walk nothing, 3.1 spoils entries by zapping updates only, and so on."""
    between, scenario = PAIRS[pair]
    assert {name for name in with_effect | without if breakeven(name, between, scenario).effect} == with_effect


@pytest.mark.usefixtures("no_formula")
def test_what_the_designs_do_not_admit_is_left_out_of_the_range() -> None:
    """A slot of rank 10 needs ten slots, paging that is off has no levels, and there are no tables of one level."""
    assert breakeven("slots", ("before", "after"), Scenario(counts={"ram_slot": 10})).range == (10, 512)
    assert breakeven("guest_levels", ("before", "after")).range == (0, 4)
    assert breakeven("guest_levels", ("before", "after"), Scenario(mode="nonpaging")).range == (0, 0)
    part = breakeven("zapping_rate", ("before", "after"), Scenario(mix={"generation_rate": 5.0}))
    assert part.range == (0.001, 5)
    with pytest.raises(InvalidInput, match="ram_slot=10: must be 1 on v31"):
        breakeven("slots", ("before", "after"), Scenario(counts={"ram_slot": 10}), over=(1, 20))


@pytest.mark.parametrize("path", ["v31.ept.mmio_hit", "v40.ept.mmio_stale", "v311.shadow.mmio_stale", "v517.bus.miss"])
def test_what_hangs_on_a_variable_changes_with_it(path: str) -> None:
    """Columns of many values beside the scenario of each value resolved alone."""
    for variable in ("slots", "ram_slot", "mmio_gap", "bus_devices", "bus_gap", "fast_bus_devices", "shadow_pages"):
        asked = Scenario(
            counts={"slots": 300, "bus_devices": 300} | ({"mmio_gap": 7} if variable == "ram_slot" else {})
        )
        values = np.arange(1.0, 301.0)
        found = columns(path, asked, variable, values)
        for place in (0, 1, 77, 150, 299):
            alone = resolve(path, {**asked.counts, variable: int(values[place])})
            changed = {
                name for name, value in alone.items() if value != resolve(path, {**asked.counts, variable: 1})[name]
            }
            assert changed <= set(found)
            assert {name: column[place] for name, column in found.items()} == {name: alone[name] for name in found}


# --- cases by the signs of D_hit and D_first --------------------------------------------------------------------

# An EPT store with n = 4: D_hit = violation - misconfig + 3(search + 4 compare) - 3 cache, D_first = lock +
# install + 4 sp + 2 cache - (search + 4 compare). With search = 100 and nothing else: D_hit = 300, D_first = -100.
BOTH_GAIN = {"slot_search": 100.0, "mmu_lock_acquire": 300.0}  # 300 and 200
ALWAYS = {"slot_search": 100.0, "mmu_lock_acquire": 50.0}  # 300 and -50
NEVER = {**BOTH_GAIN, "vm_exit_ept_misconfig": 1000.0}  # -700 and 200
BOTH_LOSE = {**ALWAYS, "vm_exit_ept_misconfig": 1000.0}  # -700 and -50
CASES = {
    "above": (BOTH_GAIN, "crosses", 0.4, ("before", "after")),
    "always": (ALWAYS, "always", None, None),
    "never": (NEVER, "never", None, None),
    "below": (BOTH_LOSE, "crosses", 1 / 15, ("after", "before")),
}


def answered(monkeypatch: pytest.MonkeyPatch, costs: Costs, variable: str, *options: Any, **more: Any) -> BreakEven:
    monkeypatch.setattr(room, "current_fit", lambda _: costs)
    return breakeven(variable, *options, **more)


@pytest.mark.usefixtures("no_formula")
@pytest.mark.parametrize("case", CASES)
def test_each_case_of_the_signs_by_costs_made_for_it(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """h* = D_first/(D_hit + D_first), and in between or beyond it by both signs (model/mechanism.md, mixes)."""
    costs, verdict, value, sides = CASES[case]
    found = answered(monkeypatch, Costs(**costs), "hit_fraction", ("before", "after"))
    assert (found.verdict, {**found.cases, **found.shares}[case]) == (verdict, 1.0)
    assert [item.value for item in found.crossings] == pytest.approx([] if value is None else [value])
    assert [(item.cheaper_below, item.cheaper_above) for item in found.crossings] == ([sides] if sides else [])


@pytest.mark.usefixtures("no_formula")
def test_draws_that_disagree_leave_the_question_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """One draw in four of each case; then a majority that crosses, with an interval open where the others lie."""
    mixed = Costs.of(*(CASES[case][0] for case in CASES))
    found = answered(monkeypatch, mixed, "hit_fraction", ("before", "after"))
    assert found.verdict == "cannot_tell" and found.crossings == ()
    assert found.shares == {"crosses": 0.5, "always": 0.25, "never": 0.25}
    assert found.cases == {"above": 0.25, "below": 0.25, "several": 0.0}
    most = Costs.of(*[BOTH_GAIN] * 9, ALWAYS)
    (crossing,) = answered(monkeypatch, most, "hit_fraction", ("before", "after")).crossings
    assert (crossing.value, crossing.low, crossing.high) == (pytest.approx(0.4), None, pytest.approx(0.4))


@pytest.mark.usefixtures("no_formula")
@pytest.mark.parametrize(
    ("variable", "value"), [("generation_rate", 30000.0), ("mmio_rate", 100 / 1.5), ("mmio_pages", 300.0)]
)
def test_rates_break_even_where_hits_pay_for_refills(
    variable: str, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """λ* = (r_m/k)·D_hit/D_first with D_hit/D_first = 300/200 from 3.11; the same for r_m and k."""
    rates = {"mmio_rate": 20000.0, "mmio_pages": 1.0, "generation_rate": 100.0}
    asked = Scenario(after="v311", counts={"mmio_cached": 1}, mix={n: v for n, v in rates.items() if n != variable})
    found = answered(monkeypatch, Costs(**BOTH_GAIN), variable, ("before", "after"), asked, over=(1.0, 1e5))
    assert [item.value for item in found.crossings] == pytest.approx([value])
    assert found.crossings[0].cheaper_above == ("after" if variable == "mmio_rate" else "before")


@pytest.mark.usefixtures("no_formula")
def test_several_break_evens_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """MMIO sptes given up for bypass: r² - 8900 r + 10⁶ = 0 for search 100, lock 10000, λ_z 1000/s, 625 fills/s.

    D_hit = 8·100 + 2·100, D_first = 10000 - 100 - 400 + 400, a fill costs 16 searches: regression
    = r·(1000 r - 9.9·10⁶)/(r + 1000) + 625·1600.
    """
    rates = {"mmio_faults_on": 0.0, "zapping_rate": 1000.0, "fill_rate": 625.0, "fault_rate": 0.0}
    costs = Costs(slot_search=100.0, mmu_lock_acquire=10000.0)
    found = answered(monkeypatch, costs, "mmio_rate", ("no-bypass", "bypass"), Scenario(mix=rates))
    expected = [(8900 + sign * np.sqrt(8900**2 - 4e6)) / 2 for sign in (-1, 1)]
    assert [item.value for item in found.crossings] == pytest.approx(expected)
    assert [item.cheaper_above for item in found.crossings] == ["bypass", "no-bypass"]
    assert found.cases == {"above": 0.0, "below": 0.0, "several": 1.0}


@pytest.mark.usefixtures("no_formula")
def test_a_count_breaks_even_at_a_whole_number_in_a_long_range_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two searches of n entries against 30001.5 compares of a bus: cheaper until n = 15000."""
    costs = Costs(slot_compare=1.0, io_bus_compare=0.5)
    asked = Scenario(counts={"bus_devices": 60003, "bus_position": 60003})
    between = ("v30.bus.hit", "v30.slot.miss")
    for over in ((1, 10**6), (30000, 30005)):
        found = answered(monkeypatch, costs, "slots", between, asked, over=over)
        assert [item.value for item in found.crossings] == [30002]  # at 30001.5 they cost the same
        assert found.crossings[0].cheaper_above == "v30.bus.hit"


# --- closed forms ---------------------------------------------------------------------------------------------------


def theta_draws(names: list[str]) -> list[np.ndarray]:
    return list(np.exp(current_fit().log_costs([name.removeprefix("theta_") for name in names])).T)


def value_of(expression: str) -> np.ndarray:
    """A formula in costs evaluated draw by draw, names after "with" put in first."""
    head, _, rest = expression.partition(" with ")
    found = sp.sympify(head)
    for part in filter(None, rest.split(", ")):
        name, _, cost = part.partition(" = ")
        found = found.subs(sp.Symbol(name), sp.sympify(cost))
    names = sorted(str(item) for item in found.free_symbols)
    return np.asarray(sp.lambdify([sp.Symbol(name) for name in names], found)(*theta_draws(names)))


FORMS = {
    "true_fault_fraction": PAIRS["bypass"],
    "fill_rate": PAIRS["bypass"],
    "hit_fraction": PAIRS["fast MMIO, shadow paging"],
    "generation_rate": (("before", "after"), Scenario(mode="shadow", after="v311", counts={"mmio_cached": 1})),
    "retries": PAIRS["unified"],
}


@pytest.mark.parametrize("variable", FORMS)
def test_a_closed_form_gives_the_break_even_of_each_draw(variable: str) -> None:
    """By SymPy's own parser and evaluation, beside the root that bracketing finds."""
    between, scenario = FORMS[variable]
    form = closed_form(variable, between, scenario)
    assert form is not None
    values = value_of(form.text)
    for number in (0, 500, 999):
        value = values[number]
        if not 0 < value < (1 if variable.endswith("fraction") else 1e7):
            continue
        if is_whole(variable):
            sides = [draws_at(between, scenario, variable, side)[number] for side in (np.floor(value), np.ceil(value))]
            assert sides[0] * sides[1] <= 0
        else:
            at, far = (draws_at(between, scenario, variable, item)[number] for item in (value, value / 2))
            assert abs(at) < 1e-6 * abs(far)


def test_a_closed_form_says_for_which_signs_it_holds() -> None:
    """The four cases of model/mechanism.md; turned round for a rate of updates; a slope whose sign is known is not."""
    hits = closed_form("hit_fraction", ("before", "after"), Scenario())
    rate = closed_form("generation_rate", ("before", "after"), Scenario(after="v311"))
    slots = closed_form("slots", ("before", "after"), Scenario())
    assert hits is not None and rate is not None and slots is not None
    assert hits.text.startswith("D_first/(D_first + D_hit) with D_hit = ")
    assert rate.text.startswith("20000*D_hit/D_first with D_hit = ")
    assert hits.holds[0] == "D_hit > 0 and D_first > 0: after is cheaper above it"
    assert rate.holds[0] == "D_hit > 0 and D_first > 0: after is cheaper below it"
    assert [line.split(": ")[0] for line in hits.holds[2:]] == ["D_hit >= 0 >= D_first", "D_hit <= 0 <= D_first"]
    assert slots.holds[0] == "after is cheaper above it"


@pytest.mark.parametrize(
    ("variable", "between", "scenario"),
    [
        ("slots", ("before", "after"), Scenario(after="v40")),
        ("slots", ("before", "after"), Scenario(after="v517")),
        ("is_write", ("before", "after"), Scenario()),
        ("guest_levels", ("before", "after"), Scenario(mode="shadow")),
        ("generation_rate", ("before", "after"), Scenario()),
    ],
)
def test_no_closed_form_is_claimed_where_there_is_none(
    variable: str, between: tuple[str, str], scenario: Scenario
) -> None:
    """Searches of trees and sorted arrays, a symbol that is 0 or 1, cases by level, a variable without effect."""
    assert closed_form(variable, between, set_to(scenario, variable, 1 if variable == "is_write" else 4)) is None


# --- roots ----------------------------------------------------------------------------------------------------------

shapes: list[Callable[[np.ndarray, np.ndarray], np.ndarray]] = [
    lambda x, at: x - at, lambda x, at: (x - at) ** 3, lambda x, at: np.exp(x) - np.exp(at),
    lambda x, at: (x - at) / (x + 7), lambda x, at: np.where(x < at, -1.0, 1.0),
]  # fmt: skip


@settings(max_examples=30)
@given(at=st.lists(st.floats(0.001, 9.9), min_size=1, max_size=8), shape=st.sampled_from(shapes))
def test_roots_are_those_of_scipy(at: list[float], shape: Any) -> None:
    from scipy.optimize import elementwise

    places = np.array(at)
    numbers = np.arange(len(at))
    found = roots(lambda x, lines: shape(x, places[lines]), numbers, np.zeros(len(at)), np.full(len(at), 10.0))
    theirs = elementwise.find_root(shape, (np.zeros(len(at)), np.full(len(at), 10.0)), args=(places,))
    assert found == pytest.approx(theirs.x, rel=1e-4 if shape is shapes[1] else 1e-9)
    assert found == pytest.approx(places, rel=1e-4 if shape is shapes[1] else 1e-9)


def test_the_regression_in_parts_is_the_regression() -> None:
    """Each name put back gives the sum of costs that is evaluated, term by term."""
    from mmiocost.equations import payoff
    from mmiocost.equations.paths import cost

    parts = {"fault": payoff.fault_saved(), "fill": payoff.fill_paid(), "unsync": payoff.unsync_paid(),
             "check": payoff.check_paid(), "saving": payoff.saving("shadow", "v31")}  # fmt: skip
    whole = regression_in_parts()
    written = whole.xreplace({item: cost(parts[item.name]) for item in whole.free_symbols if item.name in parts})
    assert sp.expand(written - cost(payoff.regression())) == 0
