"""Expected texts are worked out by hand from the rule in the module's docstring."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mmiocost.reporting.numbers import percent, quantity_text, round_shown

NUMBERS = st.floats(min_value=-1e12, max_value=1e12).filter(lambda x: x == 0 or abs(x) > 1e-6)


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "expected"),
    [
        # shorter side 180 -> two digits end at the tens
        (588.0, 408.0, 813.0, "cycle", "590 [410, 810] cycles"),
        # shorter side 305 -> tens, although the longer one is 1825
        (501.0, 196.0, 2326.0, "cycle", "500 [200, 2330] cycles"),
        # shorter side 18 400 -> thousands
        (26_600.0, 8_200.0, 108_000.0, "cycle", "27000 [8000, 108000] cycles"),
        # shorter side 3.09 -> tenths
        (2.04, -1.05, 5.13, "%", "2.0 [-1.0, 5.1] %"),
        # shorter side 0.06 -> thousandths
        (0.077, 0.017, 0.27, "1", "0.077 [0.017, 0.270]"),
        # shorter side 0.096, which two digits end at the thousandths
        (1.0, 0.904, 1.2, "ns", "1.000 [0.904, 1.200] ns"),
        # a side that rounds up to 0.10
        (1.0, 0.9004, 1.2, "ns", "1.00 [0.90, 1.20] ns"),
        (None, None, 110.4, "cycle", "at most 111 cycles"),
        (5.0, None, 110.4, "cycle", "at most 111 cycles"),
        (5.0, 45.67, None, "cycle", "at least 45.6 cycles"),
        (None, 1.0, 3.0, "cycle", "[1.0, 3.0] cycles"),
        (5.0, 5.0, 5.0, "cycle", "5 cycles"),
        (12345.0, None, None, "1", "12345"),
        (1234.5678, None, None, "1", "1235"),
        (0.5, None, None, "1", "0.5"),
        (20_000.0, None, None, "1/s", "20000/s"),
        (-0.0, None, None, "1", "0"),
        (3.0, 1.0, math.inf, "cycle", "3.0 [1.0, inf] cycles"),
        (-math.inf, None, None, "1", "-inf"),
        (None, None, None, "cycle", "unknown"),
        (math.nan, None, None, "cycle", "unknown"),
        (1e18, None, None, "1", "1e18"),
    ],
)
def test_a_number_in_plain_text(
    value: float | None, low: float | None, high: float | None, unit: str, expected: str
) -> None:
    assert quantity_text(value, low, high, unit, plain=True) == expected


def test_typeset_numbers_have_narrow_spaces_a_true_minus_and_a_unit_that_stays() -> None:
    assert quantity_text(26_600.0, 8_200.0, 108_000.0, "cycle") == "27\u202f000 [8000, 108\u202f000]\u00a0cycles"
    assert quantity_text(-3.0, -5.0, 1.0) == "−3.0 [−5.0, 1.0]"
    assert quantity_text(3.0, 1.0, math.inf) == "3.0 [1.0, ∞]"
    assert quantity_text(2.5e-12) == "2.5×10⁻¹²"


def test_a_share_is_shown_as_percent() -> None:
    assert percent(0.02, 0.01, 0.07, plain=True) == "2.0 [1.0, 7.0] %"
    assert percent(None, None, 0.5, plain=True) == "at most 50.0 %"
    assert percent(None, plain=True) == "unknown"


@given(NUMBERS, NUMBERS, NUMBERS)
def test_value_and_interval_end_at_one_place_and_are_near_what_they_stand_for(a: float, b: float, c: float) -> None:
    low, value, high = sorted((a, b, c))
    shorter = min(value - low, high - value)
    assume(shorter > 1e-6)
    texts = re.findall(r"-?\d+(?:\.\d+)?", quantity_text(value, low, high, plain=True))
    assert len({len(text.partition(".")[2]) for text in texts}) == 1
    # Two digits of the shorter side: a side of 99.5 rounds to 100, whose second digit is ten, and half of it is 5/99.5.
    for text, number in zip(texts, (value, low, high), strict=True):
        assert abs(float(text) - number) <= 5 / 99.5 * shorter * (1 + 1e-9) + 1e-12 * abs(number)


@given(NUMBERS)
def test_a_bound_is_rounded_outwards(bound: float) -> None:
    upper = float(quantity_text(None, None, bound, plain=True).removeprefix("at most "))
    lower = float(quantity_text(None, bound, None, plain=True).removeprefix("at least "))
    assert lower <= bound <= upper
    assert upper - lower <= 0.0101 * abs(bound)


@given(st.none() | st.floats(), st.none() | st.floats(), st.none() | st.floats())
def test_every_input_gives_text_with_a_point_or_none(
    value: float | None, low: float | None, high: float | None
) -> None:
    text = quantity_text(value, low, high, plain=True)
    assert text.isascii()
    assert text
    assert quantity_text(value, low, high)


@given(st.floats(allow_nan=False))
def test_rounding_for_charts_keeps_four_digits_and_all_before_the_point(value: float) -> None:
    shown = round_shown(value)
    assert shown == value or abs(shown - value) <= max(0.5 if abs(value) >= 1000 else 0, 0.000501 * abs(value))
    assert round_shown(shown) == shown
