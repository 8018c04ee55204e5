"""What a fit can be asked: machines, costs, what is informed by rows and what is only assumed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmiocost.errors import InvalidInput
from mmiocost.evidence import Evidence
from mmiocost.fitting.fit import MEDIAN_MACHINE, Fit, fit_evidence
from mmiocost.fitting.intervals import interval
from mmiocost.fitting.mixture import Mixture
from mmiocost.fitting.parameters import parameter_names
from mmiocost.fitting.prediction import sources_of, weighted_costs, with_row_error
from mmiocost.fitting.rows import Row
from mmiocost.fitting.summary import Estimate, estimates, row_fits, validation

SKYLAKE = ("skylake-8160", "a-6.8-off-host")
# Costs that no row contains, or only together with larger ones: assumed, whatever the rows say.
ASSUMED = [
    "vm_exit_ept_violation", "vm_exit_ept_misconfig", "shadow_pte_read", "mmio_cache_check", "mmu_lock_acquire",
    "mmio_spte_install", "slot_compare", "prefetch_chunk_read", "prefetch_pte_scan", "guest_fault_inject",
    "spte_install",
]  # fmt: skip


@pytest.fixture(scope="session")
def found(fitted: tuple[Fit, Mixture, tuple[Row, ...]]) -> dict[tuple[str, str], Estimate]:
    return {(item.name, item.machine): item for item in estimates(fitted[0], fitted[2])}


@pytest.mark.parametrize("name", ASSUMED)
def test_a_cost_without_rows_is_bounded_by_its_prior_alone(fit: Fit, name: str) -> None:
    assert fit.prior_bounded([name]) == (name,)
    assert fit.width_left(name) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("name", ["vm_exit_instruction", "userspace_exit", "guest_pte_read", "emulate_instruction"])
def test_a_cost_that_is_measured_is_identified_on_the_median_machine(
    found: dict[tuple[str, str], Estimate], name: str
) -> None:
    estimate = found[name, MEDIAN_MACHINE]
    assert estimate.identified and not estimate.prior_bounded
    assert estimate.low < estimate.value < estimate.high


def test_every_parameter_is_listed_for_the_median_machine(found: dict[tuple[str, str], Estimate]) -> None:
    assert {name for name, machine in found if machine == MEDIAN_MACHINE} == set(parameter_names())
    for estimate in found.values():
        assert estimate.unit == "cycle" and not (estimate.identified and estimate.prior_bounded)
        assert (estimate.low is None) == (not estimate.identified and not estimate.prior_bounded)


def test_a_machine_with_a_hypercall_row_knows_its_exit_to_a_percent(found: dict[tuple[str, str], Estimate]) -> None:
    estimate = found["vm_exit_instruction", "unnamed-2012/3.7"]
    assert estimate.identified
    assert 0.97 * 3898 < estimate.low < 3898 < estimate.high < 1.03 * 3898


def test_a_machine_not_yet_measured_is_less_known_than_the_median_one_and_that_less_than_a_known_one(fit: Fit) -> None:
    def width(*machine: str) -> float:
        return float(np.std(fit.log_costs(["vm_exit_instruction"], *machine)))

    assert width("unnamed-2012", "3.7") < 0.02 < width(MEDIAN_MACHINE) < width()
    assert width("unnamed-2012", "3.7") < width("unnamed-2012") < width()


def test_the_spread_of_new_machines_is_that_of_the_scatter_around_the_median_one(fit: Fit) -> None:
    """Variances add: machine, machine by event, state by event."""
    around = fit.log_costs(["vm_exit_instruction"]) - fit.log_costs(["vm_exit_instruction"], MEDIAN_MACHINE)
    expected = np.mean(np.square(fit.scatter).sum(axis=1))
    assert np.var(around) == pytest.approx(expected, rel=0.25)


def test_the_same_question_gets_the_same_answer(fit: Fit) -> None:
    names = ["vm_exit_instruction", "shadow_pte_read"]
    assert np.array_equal(fit.log_costs(names), fit.log_costs(names))
    assert np.array_equal(fit.log_costs(names)[:, 0], fit.log_costs(names[:1])[:, 0])


def test_effects_that_no_row_informs_are_independent_of_each_other(fit: Fit) -> None:
    draws = fit.log_costs(["shadow_pte_read", "generation_check", "mmu_lock_acquire"], MEDIAN_MACHINE)
    assert np.abs(np.corrcoef(draws.T) - np.eye(3)).max() < 0.15


def test_names_of_machines(fit: Fit) -> None:
    assert fit.locate("population") == ("", "")
    assert fit.locate("skylake-8160") == ("skylake-8160", "")
    assert fit.locate("skylake-8160/a-6.8-off-host") == SKYLAKE
    assert len(fit.machines()) == 7 and len(fit.states) == 17


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("skylake", "skylake-8160"),
        ("skylake-8160/a-6.8-of-host", "skylake-8160/a-6.8-off-host"),
        ("", None),
        ("unnamed-2012/", "unnamed-2012"),
    ],
)
def test_an_unknown_machine_is_refused_with_the_nearest_name(fit: Fit, name: str, nearest: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        fit.locate(name)
    (problem,) = caught.value.problems
    assert (problem.field, problem.allowed, problem.nearest) == ("machine", "unknown machine", nearest)


def test_states_of_one_machine_share_its_clock_and_width(fit: Fit) -> None:
    """Nine states of one machine are no nine machines: their exits lie closer than those of machines do."""
    states = [item for item in fit.states if item[0] == "skylake-8160"]
    assert len(states) == 9
    costs = [float(np.median(fit.log_costs(["userspace_exit"], *item))) for item in states]
    assert np.ptp(costs) < 0.5  # a factor 1.6, while published values span a factor 5 through mitigations


def test_a_sum_of_costs_is_the_sum_over_draws(fit: Fit) -> None:
    names = ["vm_exit_instruction", "userspace_exit"]
    costs = np.exp(fit.log_costs(names, *SKYLAKE))
    assert weighted_costs(fit, {names[0]: 2, names[1]: 1, "tlb_flush": 0}, *SKYLAKE) == pytest.approx(costs @ [2, 1])
    assert np.array_equal(weighted_costs(fit, {}), np.zeros(len(fit.effects)))


def test_a_new_measurement_is_wider_than_its_mean(fit: Fit) -> None:
    draws = weighted_costs(fit, {"vm_exit_instruction": 1}, "unnamed-2012", "3.7")
    wider = with_row_error(draws, 0.05)
    assert np.std(np.log(wider)) > 2 * np.std(np.log(draws))
    assert np.median(wider) == pytest.approx(np.median(draws), rel=0.01)


def test_sources_are_those_of_the_rows_and_of_the_prior(fit: Fit) -> None:
    assert "bonzini2012_vmexit_pio" in sources_of(fit, ["vm_exit_instruction"])
    assert sources_of(fit, ["slot_compare_cold"]) == ("mammedov2014_binsearch",)
    assert sources_of(fit, ["spte_install"]) == ()
    assert len(set(sources_of(fit, list(fit.priors)))) == len(sources_of(fit, list(fit.priors)))


def test_a_prior_that_is_missing_is_named(evidence: Evidence) -> None:
    priors = {name: prior for name, prior in evidence.priors.items() if name != "tlb_flush"}
    with pytest.raises(InvalidInput, match="tlb_flush: has no prior"):
        fit_evidence(replace(evidence, priors=priors))


def test_quality_of_the_fit(fitted: tuple[Fit, Mixture, tuple[Row, ...]]) -> None:
    rows = row_fits(*fitted)
    quality = validation(rows)
    assert (quality["rows"], quality["machines"], quality["states"]) == (64, 7, 17)
    residuals = [abs(row.residual) for row in rows]
    assert quality["largest_abs_log_residual"] == max(residuals)
    assert quality["median_abs_log_residual"] == pytest.approx(np.median(residuals))
    assert quality["outliers"] == 1
    for row in rows:
        assert row.residual == pytest.approx(np.log(row.fitted / row.measured))


# --- intervals -------------------------------------------------------------------------------------------------


def test_an_interval_is_the_median_between_the_outer_fortieths() -> None:
    """0, 1, …, 40: the 2.5 %, 50 % and 97.5 % points are 1, 20 and 39."""
    assert interval(np.arange(41.0)) == pytest.approx((20, 1, 39))
    assert interval(np.arange(41.0), level=0.5) == pytest.approx((20, 10, 30))


def test_an_interval_is_open_where_too_many_draws_are_beyond_any_value() -> None:
    draws = np.arange(1000.0)
    assert interval(np.where(draws >= 900, np.inf, draws)).high is None
    assert interval(np.where(draws < 100, -np.inf, draws)).low is None
    assert interval(np.where(draws >= 990, np.inf, draws)).high == pytest.approx(974, abs=1)
