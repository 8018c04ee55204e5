"""Intervals of draws against NumPy's quantiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmiocost.fitting.intervals import interval, quantiles

numbers = st.floats(-1e12, 1e12)


@given(
    draws=st.lists(numbers, min_size=1, max_size=40).map(np.array),
    shares=st.lists(st.floats(0, 1), min_size=1, max_size=4),
)
def test_quantiles_are_those_of_numpy(draws: np.ndarray, shares: list[float]) -> None:
    expected = np.quantile(draws, shares)
    assert quantiles(draws, shares) == pytest.approx(expected, rel=1e-9, abs=1e-6)
    both = quantiles(np.stack([draws, -draws]), shares)
    assert both.shape == (2, len(shares)) and both[0] == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_an_interval_is_open_where_too_many_draws_are_infinite() -> None:
    draws = np.arange(1000.0)
    found = interval(draws)
    assert (found.low, found.value, found.high) == pytest.approx((24.975, 499.5, 974.025))
    draws[900:] = np.inf
    found = interval(draws)
    assert found.high is None and found.low in (24.0, 25.0)
    assert interval(-draws).low is None
