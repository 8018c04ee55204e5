"""How much of an interval's width each assumed cost makes: the prior's own width set to 0, and the interval again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmiocost.fitting.fit import Fit
from mmiocost.fitting.intervals import interval
from mmiocost.fitting.prediction import weighted_costs
from mmiocost.fitting.store import current_fit
from mmiocost.whatif.predict import predict
from mmiocost.whatif.scenario import Scenario
from mmiocost.whatif.terms import by_parameter, quantity_terms
from mmiocost.whatif.widths import EXIT_KINDS, Draws

CHURN = Scenario(counts={"slots": 32, "missing_levels": 2}, mix={"hit_fraction": 0.5, "cold_search_fraction": 0.5})


def width(fit: Fit, counts: dict[str, float]) -> float:
    found = interval(weighted_costs(fit, counts))
    assert found.low is not None and found.high is not None
    return found.high - found.low


def with_known(fit: Fit, *names: str) -> Fit:
    """The fit with the priors of some costs made certain: costs that no row contains are drawn from them."""
    return replace(fit, priors={**fit.priors, **{name: replace(fit.priors[name], log_sd=1e-9) for name in names}})


def test_a_share_is_what_the_interval_loses_when_the_prior_is_made_certain() -> None:
    fit = current_fit()
    counts = by_parameter(quantity_terms("saving:fast_mmio", CHURN)[0], CHURN, fit)
    shares = predict("saving:fast_mmio", CHURN).prior_bounded_shares
    whole = width(fit, counts)
    in_no_row = [name for name in shares if ("a", name) not in fit.keys and not name.startswith("vm_exit_")]
    assert {"shadow_page_alloc", "slot_compare_cold", "mmu_lock_acquire"} <= set(in_no_row)
    for name in in_no_row:
        left = width(with_known(fit, name), counts) / whole
        assert shares[name] == pytest.approx(max(0.0, 1 - left), abs=0.005), name


def test_the_shares_are_of_exactly_the_costs_that_nothing_measures() -> None:
    found = predict("saving:fast_mmio", CHURN)
    assert tuple(found.prior_bounded_shares) == found.prior_bounded
    assert all(0 <= share <= 1 for share in found.prior_bounded_shares.values())
    assert max(found.prior_bounded_shares.values()) <= found.assumed_share <= 1
    measured = predict("cost:v517.any.hypercall", Scenario(machine="skylake-8160/a-6.8-off-host"))
    assert measured.prior_bounded_shares == {} and measured.assumed_share == 0


def test_one_cost_that_makes_the_whole_width_has_the_whole_share() -> None:
    asked = Scenario(after="v40", mix={"generation_rate": 10.0}, counts={"shadow_pages": 100000})
    found = predict("overhead:generation_wrap", asked)
    assert found.prior_bounded_shares["shadow_page_zap"] > 0.99
    assert sum(share for name, share in found.prior_bounded_shares.items() if name != "shadow_page_zap") < 0.01


def test_the_kinds_of_exit_are_known_together_or_by_their_factor() -> None:
    """A saving holds one exit against another: one fixed alone, the anchor included, would tear them apart."""
    draws, counts = Draws(current_fit()), {"vm_exit_ept_violation": 1.0, "vm_exit_ept_misconfig": -1.0}
    (group,) = draws.widths(counts)
    assert group.parameter == EXIT_KINDS and group.left == pytest.approx(0, abs=1e-9)
    shares = draws.shares(counts)
    assert shares.together > 0.9
    assert all(0.1 < share < 0.6 for share in shares.assumed.values())  # each factor is half of the difference


def test_nothing_counted_has_no_width() -> None:
    shares = Draws(current_fit()).shares({})
    assert shares.widest is None and shares.assumed == {} and shares.together == 0
