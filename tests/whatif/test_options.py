"""Options weighed: identities that any draws must keep, agreement with the plan, and a regret by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mmiocost.errors import InvalidInput
from mmiocost.whatif import options
from mmiocost.whatif.decision import BYPASS, FAST, UNIFIED, decision, sample
from mmiocost.whatif.next_measurement import plan
from mmiocost.whatif.options import BOUND, OPTIONS, Outcome, weigh
from mmiocost.whatif.predict import predict
from mmiocost.whatif.scenario import Scenario, read_scenario

ASKED = {FAST: "netperf-2011", BYPASS: "shadow-kernel-build", UNIFIED: "netperf-2011"}


@pytest.fixture(scope="module")
def found() -> dict[str, Outcome]:
    return {name: weigh(name, read_scenario(file=file), turns=name == BYPASS) for name, file in ASKED.items()}


@pytest.mark.parametrize("question", OPTIONS)
def test_the_option_of_the_lowest_mean_is_taken_and_its_regret_is_the_smallest(
    found: dict[str, Outcome], question: str
) -> None:
    """Regrets differ by what means differ by, since each is a mean cost less that of the cheapest."""
    outcome = found[question]
    fixed = [item for item in outcome.options if item.name != BOUND]
    chosen = min(fixed, key=lambda item: item.cost)
    assert (outcome.choice, outcome.probability, outcome.expected_regret) == (
        chosen.name, chosen.probability, pytest.approx(chosen.regret),
    )  # fmt: skip
    assert sum(item.probability or 0 for item in fixed) == pytest.approx(1)
    for item in fixed:
        assert (item.regret or 0) - (chosen.regret or 0) == pytest.approx(item.cost - chosen.cost, rel=1e-6)
        assert item.against == pytest.approx(item.cost - fixed[0].cost, abs=1e-6 * abs(item.cost) + 1e-9)
    assert outcome.regret_low <= outcome.expected_regret <= outcome.regret_high


def test_the_two_designs_of_a_plan_are_told_apart_as_there(found: dict[str, Outcome]) -> None:
    """Costs of two designs, drawn separately, differ by what the plan's own difference gives."""
    scenario = read_scenario(file=ASKED[UNIFIED])
    asked = decision(UNIFIED, scenario)
    fit = options.current_fit()
    drawn = sample(asked, fit, options.COPIES)
    saved = drawn.total(asked.counts(asked.values(drawn.unit), fit))
    assert -found[UNIFIED].options[1].against == pytest.approx(float(saved.mean()), rel=1e-9)
    assert found[UNIFIED].expected_regret == pytest.approx(float(np.maximum(saved, 0).mean()), rel=1e-9)


def test_keeping_both_costs_what_the_prediction_of_the_regression_says(found: dict[str, Outcome]) -> None:
    said = predict("regression:bypass_guest_pf", read_scenario(file=ASKED[BYPASS]))
    keep = next(item for item in found[BYPASS].options if item.name == "keep both")
    assert (keep.low, keep.high) == (pytest.approx(said.low, rel=0.1), pytest.approx(said.high, rel=0.1))


def test_a_switch_that_is_set_right_costs_no_more_than_either_setting(found: dict[str, Outcome]) -> None:
    cost = {item.name: item.cost for item in found[BYPASS].options}
    assert cost[BOUND] <= min(cost["drop"], cost["MMIO faults off"])
    assert found[BYPASS].choice != BOUND


def test_no_true_faults_leave_nothing_to_gain_from_bypass_guest_pf() -> None:
    rates = {"fault_rate": 1e4, "true_fault_fraction": 0.0, "notrap_fraction": 1.0, "fill_rate": 500.0,
             "unsync_rate": 1.0, "mmio_rate": 1e3}  # fmt: skip
    outcome = weigh("bypass_guest_pf", Scenario(mode="shadow", mix=rates), turns=False)
    assert (outcome.choice, outcome.probability, outcome.open_facts) == ("drop", 1.0, ())
    assert outcome.expected_regret == 0


def test_the_regret_is_also_given_as_a_share_of_a_transaction(found: dict[str, Outcome]) -> None:
    share = found[FAST].transaction_share
    assert share == pytest.approx(found[FAST].expected_regret * 20 / 3.51e6)
    assert found[BYPASS].transaction_share is None


def test_what_turns_it_over_is_the_break_even_of_the_symbols_that_matter(found: dict[str, Outcome]) -> None:
    turns = {item.variable: item for item in found[BYPASS].turns}
    assert turns["true_fault_fraction"].crossings[0].value < 0.286 < 1  # the scenario's own, where both are kept
    assert turns["fill_rate"].crossings[0].cheaper_above == "no-bypass"


def test_an_unknown_question_names_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'fast-mmio'"):
        weigh("fast-mmoi")


def test_a_loop_that_never_ends_is_refused_and_no_mean_is_made_of_it() -> None:
    """By decide and plan alike, and where only some draws of the open facts have it."""
    for mix in ({"unlink_rate": 1e6, "build_window": 1e-3}, {"unlink_rate": 1e6}):
        for ask in (weigh, plan):
            with pytest.raises(InvalidInput, match="in some draws the unified loop never ends"):
                ask(UNIFIED, Scenario(mix=mix))
