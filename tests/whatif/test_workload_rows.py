"""Workload results row by row: predicted under stated assumptions, or listed with the reason why not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from mmiocost.evidence import Evidence, Observation, load
from mmiocost.fitting.fit import Fit
from mmiocost.fitting.score import Score
from mmiocost.fitting.store import current_fit
from mmiocost.whatif.scenario import Scenario
from mmiocost.whatif.scoring import score
from mmiocost.whatif.workload import clock_draws, explanation, pairs, saving_draws
from mmiocost.whatif.workload_rows import ACCESSES, PER_SECOND, SLOTS, stores_needed

PAIR = "xiao2011_v1:netperf_tcp_rr:ept1"


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load()


@pytest.fixture(scope="module")
def fit() -> Fit:
    return current_fit()


@pytest.fixture(scope="module")
def rows(evidence: Evidence) -> dict[str, Observation]:
    return {row.id: row for row in evidence.observations}


@pytest.fixture(scope="module")
def held(evidence: Evidence, fit: Fit) -> Callable[..., Score]:
    return lambda *observations: score(observations, evidence, fit)


def test_every_row_of_the_evidence_is_scored_or_listed_with_a_reason(evidence: Evidence, held: Callable[..., Score]):
    """In the order of the file, each once; only rows of the fit are marked as seen by it."""
    found = held(*evidence.observations)
    ids = [row.id for row in evidence.observations]
    assert sorted([item.id for item in found.observations] + [id_ for id_, _ in found.not_scored]) == sorted(ids)
    order = {id_: place for place, id_ in enumerate(ids)}
    assert [order[item.id] for item in found.observations] == sorted(order[item.id] for item in found.observations)
    assert all(why for _, why in found.not_scored)
    assert {item.id for item in found.observations if item.seen} == {
        row.id for row in evidence.observations if row.use == "fit"
    }
    assert {kind.kind: kind.scored for kind in found.kinds()}["workload"] == 33


def test_every_workload_result_is_predicted_or_told_why_not(evidence: Evidence, held: Callable[..., Score]) -> None:
    """18 runs after a change from the 18 before it, 15 changes of the fast bus; two that the model has no path for."""
    found = held(*(row for row in evidence.observations if row.use == "validation"))
    assert len(found.observations) == 18 + 15
    reasons = dict(found.not_scored)
    assert sum("a run before the change" in why for why in reasons.values()) == 18
    assert "kernel generation is not stated" in reasons["williamson2011_wbtree-001"]
    assert "guest page tables are no path" in reasons["kivity2007_ptewrite-003"]
    assert all("clock of 2.5 GHz" in item.assumed for item in found.observations)


def test_a_run_after_is_the_mean_before_sped_up_by_what_stores_save(
    rows: dict[str, Observation], held: Callable[..., Score], fit: Fit, evidence: Evidence
) -> None:
    """By hand: mean rate 712.8/s; the share saved is stores times cycles saved times the rate over the clock."""
    (found,) = held(rows["xiao2011_v1-002"]).observations
    before = [709.58, 715.40, 713.40]
    middle = math.exp(np.mean(np.log(before)))
    warm, cold = (
        float(np.median(saving_draws(Scenario(counts={"slots": SLOTS}, mix={"cold_search_fraction": share}), fit)))
        for share in (0.0, 1.0)
    )
    gone = [ACCESSES * saving * middle / 2.5e9 for saving in (warm, cold)]
    assert middle / (1 - gone[0]) < found.predicted < middle / (1 - gone[1])
    # The scatter of three runs: a half width of at least t (4.30 with two degrees) times sd times root 4/3.
    half = 4.30 * np.std(np.log(before), ddof=1) * math.sqrt(4 / 3)
    assert math.log(found.high / found.low) / 2 == pytest.approx(half, rel=0.25)
    assert (found.kind, found.interval, found.machine) == ("workload", "new_measurement", "new machine")


def test_a_run_after_needs_runs_before_in_its_own_comparison(
    rows: dict[str, Observation], held: Callable[..., Score]
) -> None:
    after = rows["xiao2011_v1-002"]
    lone = replace(after, comparison="mine")
    assert "fewer than two runs before" in held(lone).not_scored[0][1]
    own = [replace(rows[f"xiao2011_v1-00{n}"], id=f"b{n}", comparison="mine", value=1000.0 + n) for n in (1, 3)]
    assert held(*own, lone).observations[0].predicted == pytest.approx(1002 * 1.005, rel=0.005)
    assert "MMIO sptes" in held(replace(after, mmio_shortcut="none")).not_scored[0][1]


def test_a_build_gets_shorter_where_a_rate_gets_higher(
    rows: dict[str, Observation], held: Callable[..., Score]
) -> None:
    (found,) = held(rows["xiao2011_v1-016"]).observations
    assert found.predicted < 154.65  # the mean before, in s
    assert f"{PER_SECOND:g} stores a second" in found.assumed


def test_a_published_change_and_the_stores_that_explain_it_are_inverse(
    rows: dict[str, Observation], evidence: Evidence, fit: Fit
) -> None:
    """A predicted change needs the rate that it was predicted with; none or a loss needs no store at all."""
    row = rows["wang2015_zerolen-001"]
    (found,) = score([row], evidence, fit).observations
    needed = stores_needed(replace(row, value=found.predicted), evidence, fit)
    assert needed is not None and needed.value == pytest.approx(PER_SECOND, rel=0.02)
    assert needed.low is not None and needed.low < PER_SECOND < (needed.high or 0)
    assert stores_needed(replace(row, value=-3.0), evidence, fit) == (0, 0, 0)
    assert stores_needed(rows["williamson2011_wbtree-001"], evidence, fit) is None


def test_an_explanation_follows_the_fit_that_is_given(evidence: Evidence, fit: Fit) -> None:
    """Twice the cost of a compare and a search: half the stores explain the same gain, if the exits cost the same."""
    pair = next(item for item in pairs(evidence) if item.comparison == PAIR)
    dear = replace(fit, effects=fit.effects + np.log(2) * np.array([key[:1] == ("a",) for key in fit.keys]))
    one, two = (
        explanation(pair, evidence, item, slots=32, cold=0.0, equal_exits=True).needed.value for item in (fit, dear)
    )
    assert two == pytest.approx(one / 2, rel=0.05)


def test_the_assumed_clock_holds_its_factor(evidence: Evidence) -> None:
    draws = clock_draws(evidence, 20000)
    assert np.percentile(draws, (2.5, 50, 97.5)) == pytest.approx([2.5e9 / 1.34, 2.5e9, 2.5e9 * 1.34], rel=0.02)


@pytest.mark.parametrize(
    ("id_", "value", "why"),
    [
        ("wang2015_zerolen-001", -100.0, "no change of a rate"),
        ("xiao2011_v1-002", 0.0, "must be above 0"),
        ("xiao2011_v1-002", 1e300, "larger than any rate"),
    ],
)
def test_a_value_that_no_workload_has_is_listed(
    rows: dict[str, Observation], held: Callable[..., Score], id_: str, value: float, why: str
) -> None:
    assert why in held(replace(rows[id_], value=value)).not_scored[0][1]


def test_runs_that_hardly_agree_predict_nothing(rows: dict[str, Observation], held: Callable[..., Score]) -> None:
    own = [replace(rows[f"xiao2011_v1-00{n}"], id=f"b{n}", comparison="mine", value=10.0**n) for n in (1, 3)]
    after = replace(rows["xiao2011_v1-002"], comparison="mine")
    assert dict(held(*own, after).not_scored)[after.id] == "the runs before the change differ by more than a factor 2"
