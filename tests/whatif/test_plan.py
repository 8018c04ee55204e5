"""Plans: worth by hand where it is known, orders that must come out, and the kept check made again on a sample."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.stats import norm

from mmiocost.cli.main import main
from mmiocost.errors import InvalidInput
from mmiocost.evidence.measurements import measurements
from mmiocost.fitting.parameters import parameter_names
from mmiocost.fitting.store import current_fit
from mmiocost.vocabulary import MIX_SYMBOLS, PATHS
from mmiocost.whatif import next_measurement
from mmiocost.whatif.decision import decision, sample
from mmiocost.whatif.next_measurement import Candidate, Plan, World, plan
from mmiocost.whatif.plan_result import read_checked, written
from mmiocost.whatif.plan_validation import differences, table
from mmiocost.whatif.rules import basis, learnt, threshold
from mmiocost.whatif.scenario import Scenario

QUIET = {"mmio_rate": 2e4, "mmio_pages": 1.0, "zapping_rate": 0.0, "accesses_per_transaction": 20.0,
         "cycles_per_transaction": 3.5e6}  # fmt: skip


@pytest.fixture(scope="module")
def fast() -> Plan:
    return plan("fast-mmio", Scenario(counts={"slots": 2}, mix=QUIET))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans from a quarter of the points, where their last digit does not matter."""
    monkeypatch.setattr(next_measurement, "COPIES", 4)


def of(found: Plan, name: str, machine: str = "same") -> Candidate:
    return next(item for item in found.candidates if (item.measurement, item.machine) == (name, machine))


def place(found: Plan, name: str, machine: str = "same") -> int:
    return found.candidates.index(of(found, name, machine))


@pytest.mark.parametrize("mean", [-0.5, 0.0, 0.3])
def test_a_rule_is_worth_what_theory_says_for_normal_draws_and_errors(mean: float) -> None:
    """Saving ~ N(m, 1), data with error sd 0.5: the expected saving given data is N(m, t²), t² = 1/1.25.

    E max(N(m, t²), 0) = m Φ(m/t) + t φ(m/t) (Raiffa and Schlaifer, 1961).
    """
    rng = np.random.default_rng(7)
    saved = mean + rng.standard_normal(40000)
    terms = basis([saved + 0.5 * rng.standard_normal(40000)])
    half, draw = np.arange(40000) % 2 == 0, np.arange(40000)
    rule = learnt(terms[half], saved[half])
    cut = threshold(rule(terms[half]), saved[half], draw[half])
    worth = float((saved[~half] * (rule(terms[~half]) > cut)).mean())
    t = math.sqrt(1 / 1.25)
    assert worth == pytest.approx(mean * norm.cdf(mean / t) + t * norm.pdf(mean / t), abs=0.015)


def test_data_that_say_nothing_give_no_rule() -> None:
    rng = np.random.default_rng(8)
    saved, noise = 0.2 + rng.standard_normal(4000), rng.standard_normal(4000)
    assert threshold(noise, saved, np.arange(4000)) == -math.inf
    assert threshold(noise, -saved, np.arange(4000)) == math.inf


def test_nothing_is_worth_more_than_the_regret(fast: Plan) -> None:
    for item in fast.candidates:
        assert 0 <= item.expected_narrowing <= item.narrowing_high
        assert item.expected_regret_after == pytest.approx(
            max(fast.expected_regret_now - item.expected_narrowing, 0), abs=1e-6
        )
        assert item.expected_narrowing <= fast.regret_high + 1e-9
        assert 0 <= item.width_left <= 1


def test_the_sign_at_few_slots_rests_on_the_kinds_of_exit(fast: Plan) -> None:
    """Only a measurement of both exits on the host itself tells them apart: another host has factors of its own."""
    assert (fast.choice, fast.open_facts) == ("after", ("cold_search_fraction",))
    first = fast.candidates[0]
    assert (first.measurement, first.machine) == ("vmexit-without-entries", "same")
    assert first.expected_narrowing > 0.5 * fast.expected_regret_now
    assert of(fast, "vmexit-without-entries", "another").expected_narrowing < 0.1 * first.expected_narrowing
    assert of(fast, "vmexit").expected_narrowing < 0.2 * first.expected_narrowing


def test_a_share_of_cold_searches_changes_the_size_and_not_the_sign(fast: Plan) -> None:
    """Warm or cold, an access saves on average: knowing which changes no decision, though it narrows the size."""
    share = of(fast, "cold-share")
    assert share.expected_narrowing == 0
    assert share.width_left < 1


@pytest.mark.usefixtures("few")
def test_where_exits_are_the_same_the_cold_searches_narrow_most_and_then_the_compare() -> None:
    """The order of a prototype: the cold share first; searches known to be warm, the compare before all other costs."""
    unknown = plan("fast-mmio", Scenario(mode="nonpaging", counts={"slots": 32}, mix=QUIET))
    cold = {"cold-share", "cold-search-microbenchmark", "probe-cold-ladder"}
    assert {item.measurement for item in unknown.candidates[:3]} <= cold
    for name in ("slot-search-microbenchmark", "page-table-microbenchmark"):
        assert of(unknown, name).width_left > max(of(unknown, "cold-share").width_left, 0.95)
    warm = plan("fast-mmio", Scenario(mode="nonpaging", counts={"slots": 32}, mix=QUIET | {"cold_search_fraction": 0}))
    assert "cold-share" in warm.not_possible
    assert of(warm, "slot-search-microbenchmark").width_left < 0.7
    assert place(warm, "slot-search-microbenchmark") < place(warm, "page-table-microbenchmark")


def test_a_fact_is_worth_what_its_bins_say() -> None:
    """Unlinks measured: by hand, the better design in each of ten bins of the rate, against the one for all of them."""
    scenario = Scenario(counts={"slots": 8})
    here = World(sample(decision("unified-loop", scenario), current_fit(), 16), 2.5e9)
    (counters,) = [item for item in measurements() if item.name == "tdp-zap-counters"]
    found = here.candidate(counters, "same")
    assert found is not None
    rate = np.asarray(here.values["unlink_rate"])
    bins = np.minimum((10 * np.argsort(np.argsort(rate)) / len(rate)).astype(int), 9)
    known = sum(max(float(here.saved[bins == b].sum()), 0.0) for b in range(10)) / len(rate)
    worth = known - max(float(here.saved.mean()), 0.0)
    assert found.expected_narrowing == pytest.approx(worth, rel=0.35)


@pytest.mark.usefixtures("few")
def test_a_number_that_no_sign_hangs_on_is_worth_nothing() -> None:
    found = plan("fast-mmio", Scenario(counts={"slots": 8}))
    item = of(found, "accesses-per-transaction")
    assert (item.expected_narrowing, item.width_left) == (0.0, pytest.approx(1.0, abs=0.01))


@pytest.mark.usefixtures("few")
def test_bypass_asks_for_the_workload_before_the_costs() -> None:
    """Rates of faults and fills span decades, costs a factor: a pair of builds and the counters come first."""
    found = plan("bypass_guest_pf")
    assert found.unit == "cycle/s"
    assert {item.measurement for item in found.candidates[:2]} == {"kernbench-pair", "kvm-stat-faults"}


@pytest.mark.usefixtures("few")
def test_a_known_machine_is_measured_as_itself() -> None:
    found = plan("fast-mmio", Scenario(machine="skylake-8160/a-6.8-off-host", counts={"slots": 8}, mix=QUIET))
    assert of(found, "vmexit").expected_narrowing == 0  # that machine has such rows already
    assert found.candidates[0].measurement in ("vmexit-without-entries", "probe-first-touch")


@pytest.mark.usefixtures("few")
def test_the_seed_is_fixed() -> None:
    one, other = (plan("unified-loop", Scenario(mode="shadow")) for _ in range(2))
    assert one == other


def test_every_reading_names_something_of_the_model() -> None:
    """A path of some generation and mode, a cost parameter, a symbol, or a quantity; and each has a recipe."""
    families = {path.name.partition(".")[2] for path in PATHS} | {f"any.{p.way}" for p in PATHS}
    known = {*parameter_names(), *(item.name for item in MIX_SYMBOLS), "saving:fast_mmio", "regression:bypass_guest_pf"}
    for item in measurements():
        assert item.recipe
        for reading in item.readings:
            for name in filter(None, (reading.observes, reading.less)):
                family = name.replace("MODE", "ept").replace("BEFORE.mmio", "GEN.ept.mmio").partition(".")[2]
                assert name in known or family in families, name


def test_every_measurement_is_possible_for_some_question() -> None:
    asked = [("fast-mmio", Scenario()), ("fast-mmio", Scenario(after="v315")), ("unified-loop", Scenario()),
             ("bypass-guest-pf", Scenario(mode="shadow"))]  # fmt: skip
    here = [World(sample(decision(question, scenario), current_fit(), 1), 2.5e9) for question, scenario in asked]
    silent = [item.name for item in measurements() if not any(world.columns(item, "same") for world in here)]
    assert silent == []


def test_wrong_questions_are_refused() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'unified-loop'"):
        plan("unified-lop")
    with pytest.raises(InvalidInput, match="must be ept or shadow"):
        plan("unified-loop", Scenario(mode="nonpaging"))


@pytest.mark.usefixtures("few")
def test_the_command_prints_a_list_and_words(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["plan", "fast_mmio", "--set", "slots=2", *(f"--set={name}={value}" for name, value in QUIET.items())]
    assert main([*line, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    worth = [item["expected_narrowing"] for item in document]
    assert worth == sorted(worth, reverse=True)
    assert {"measurement", "machine", "recipe", "expected_regret_now", "unit", "version", "evidence"} <= set(
        document[0]
    )
    assert main(line) == 0
    text = capsys.readouterr().out
    assert "1. vmexit-without-entries on the host itself: takes away" in text
    assert "unknown over their ranges, unless set: cold_search_fraction" in text


def test_the_kept_check_is_current_and_its_differences_are_above_0() -> None:
    """240 replicates a decision: the regret falls more after the first than after a random or the last measurement."""
    kept = read_checked()
    assert kept.why_not_current == ""
    assert {item.question for item in kept.studies} == {"fast-mmio", "bypass-guest-pf", "unified-loop"}
    for item in kept.studies:
        assert len(item.now) == len(item.after_random) >= 200
        for other in (item.after_random, item.after_last):
            assert item.fall(other).low > 0
    assert "falls more than after the random" in table(kept)
    assert json.loads(written(kept))["format"] == 1


def test_a_sample_of_the_kept_check_made_again_agrees() -> None:
    assert differences(read_checked(), replicates=(0, 1, 2), studies=1) == []
