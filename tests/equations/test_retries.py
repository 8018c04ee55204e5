"""Retries of the unified loop: the closed form against the mechanism, simulated window by window."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from mmiocost.equations.exponential import exponential
from mmiocost.equations.lowering import kernel
from mmiocost.equations.symbols import symbol
from mmiocost.equations.unified_loop import expected_retries

DRAWS = 10**6
STANDARD_ERRORS = 4
# Twenty points (rate in 1/s, share that hits the chain, window in s): 0.001 to 2 hits expected in a window.
HITS = np.geomspace(0.001, 2, 20)
SHARES = np.resize([1.0, 0.5, 0.2, 0.05], 20)
WINDOWS = np.resize([1e-7, 1e-6, 1e-5, 2e-6, 1e-4], 20)
POINTS = [
    (float(hits / (share * window)), float(share), float(window))
    for hits, share, window in zip(HITS, SHARES, WINDOWS, strict=True)
]


def simulated(rate: float, share: float, window: float, draws: np.random.Generator) -> np.ndarray:
    """Retries of each access: it builds again as long as an unlink of its chain falls into the window.

    In a window the unlinks are Poisson, and each of them hits the chain or another one.
    """
    retries = np.zeros(DRAWS, dtype=np.int64)
    building = np.arange(DRAWS)
    while building.size:
        unlinks = draws.poisson(rate * window, building.size)
        undone = draws.binomial(unlinks, share) > 0
        building = building[undone]
        retries[building] += 1
    return retries


@pytest.mark.parametrize("number", range(len(POINTS)))
def test_a_million_simulated_accesses_agree_with_the_closed_form(number: int) -> None:
    """Mean, and P(rho >= k) = (1 - exp(-rate*share*window))^k, inside four standard errors."""
    rate, share, window = POINTS[number]
    retries = simulated(rate, share, window, np.random.default_rng([20110609, number]))
    scenario = {"unlink_rate": rate, "unlink_hit_fraction": share, "build_window": window}
    mean = kernel("expected_retries")(scenario)["value"]
    assert abs(retries.mean() - mean) < STANDARD_ERRORS * retries.std() / math.sqrt(DRAWS)
    for k in (1, 2, 3):
        chance = (1 - math.exp(-rate * share * window)) ** k
        error = math.sqrt(chance * (1 - chance) / DRAWS)
        # Where hardly any event is expected the normal law does not hold; one event is then no surprise.
        assert abs((retries >= k).mean() - chance) < max(STANDARD_ERRORS * error, 1.5 / DRAWS)


def test_the_simulation_notices_another_law() -> None:
    """Counting the hits instead of the windows with a hit is off by many standard errors."""
    rate, share, window = POINTS[-1]
    retries = simulated(rate, share, window, np.random.default_rng(1))
    assert abs(retries.mean() - rate * share * window) > 100 * retries.std() / math.sqrt(DRAWS)


def test_the_mean_is_the_sum_over_the_geometric_law() -> None:
    """E rho = sum of P(rho >= k), a geometric series in 1 - exp(-x)."""
    chance, k = sp.Symbol("q", positive=True), sp.Symbol("k", integer=True, positive=True)
    exponent = symbol("unlink_rate") * symbol("unlink_hit_fraction") * symbol("build_window")
    series = sp.summation(chance**k, (k, 1, sp.oo)).args[0][0]
    assert sp.simplify(series.subs(chance, 1 - sp.exp(-exponent)) - expected_retries()) == 0


@given(rate=st.floats(0, 1e5), share=st.floats(0, 1), window=st.floats(0, 1e-4))
def test_number_and_array_give_the_exact_value(rate: float, share: float, window: float) -> None:
    exact = float(expected_retries().subs({
        symbol("unlink_rate"): rate, symbol("unlink_hit_fraction"): share, symbol("build_window"): window,
    }))  # fmt: skip
    ask = kernel("expected_retries")
    one = ask({"unlink_rate": rate, "unlink_hit_fraction": share, "build_window": window})["value"]
    many = ask({"unlink_rate": np.array([rate, 0.0]), "unlink_hit_fraction": share, "build_window": window})["value"]
    assert one == pytest.approx(exact, rel=1e-9, abs=1e-12)
    assert many == pytest.approx([exact, 0], rel=1e-9, abs=1e-12)


def test_what_no_float_can_hold_is_infinite_without_a_warning() -> None:
    assert exponential(1e9) == math.inf
    assert exponential(np.array([1e9, 0.0])).tolist() == [math.inf, 1.0]
    assert exponential(709) == math.exp(709)
