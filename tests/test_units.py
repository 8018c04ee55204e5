"""Text with a unit becomes a float in the unit that is wanted, or an error that says what is wrong."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmiocost import units
from mmiocost.units import UnitError, cycles_to_ns, parse, to_cycles


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("32", "1", 32.0),
        ("20000/s", "1/s", 20000.0),
        ("1.4 ms", "s", 0.0014),
        ("1.4 ms", "us", 1400.0),
        ("50 %", "1", 0.5),
        ("50 %", "percent", 50.0),
        ("0.5", "percent", 0.5),
        ("2.5 GHz", "Hz", 2.5e9),
        ("2596.12MHz", "1/s", 2.59612e9),
        ("700 trans/s", "1/s", 700.0),
        ("7 cycles", "cycle", 7.0),
        ("1 µs", "ns", 1000.0),
        (" -3e2 ", "ns", -300.0),
    ],
)
def test_a_number_with_a_unit_is_read_into_the_unit_wanted(text: str, unit: str, value: float) -> None:
    assert parse(text, unit) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("3ms", "1/s", "is a time, must be a rate (1/s)"),
        ("3 /s", "ns", "is a rate, must be a time (ns)"),
        ("100 cycles", "ns", "is a number of cycles, must be a time (ns)"),
        ("1 ns", "cycle", "is a time, must be a number of cycles (cycle)"),
        ("5 cycle", "1", "is a number of cycles, must be a plain number (1)"),
        ("many", "1", "is not a number"),
        ("", "1", "is empty, must be a number"),
        ("nan", "1", "is not a number"),
        ("inf", "1", "is not a number"),
        ("1e999", "1", "is too large for a number"),
        ("1e308 s", "ns", "is too large for a number of ns"),
        ("1,4 ms", "s", "is not a number: write a decimal point, not a comma"),
        ("1_000", "1", "is not a number"),
        ("1.2.3", "1", "is not a number"),
        ("1 2", "1", "is not a number"),
        ("__import__('os').getcwd()", "s", "is not a number"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(text: str, unit: str, message: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse(text, unit)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["10 pages", "9**9**9", "1/s/s", "1 s; s"])
def test_an_unknown_unit_is_named_and_never_evaluated(text: str) -> None:
    with pytest.raises(UnitError, match="unknown unit"):
        parse(text, "1")


@given(value=st.floats(allow_nan=False, allow_infinity=False), unit=st.sampled_from(sorted(units.DIMENSIONS)))
def test_a_number_in_the_wanted_unit_passes_unchanged(value: float, unit: str) -> None:
    assert parse(f"{value!r} {unit}", unit) == value
    assert parse(repr(value), unit) == value


@given(text=st.text(max_size=40), unit=st.sampled_from(sorted(units.DIMENSIONS)))
def test_any_text_gives_a_finite_number_or_a_unit_error(text: str, unit: str) -> None:
    try:
        value = parse(text, unit)
    except UnitError:
        return
    assert math.isfinite(value)


@given(
    value=st.floats(min_value=1e-3, max_value=1e9),
    pair=st.sampled_from([(a, b) for a in ("ns", "us", "ms", "s") for b in ("ns", "us", "ms", "s")]),
)
def test_there_and_back_is_identity(value: float, pair: tuple[str, str]) -> None:
    there = parse(f"{value!r} {pair[0]}", pair[1])
    assert parse(f"{there!r} {pair[1]}", pair[0]) == pytest.approx(value, rel=1e-12)


def test_cycles_become_time_only_through_a_clock() -> None:
    """1000 cycles at 2.5 GHz last 400 ns."""
    assert cycles_to_ns(1000, 2.5e9) == pytest.approx(400)
    assert to_cycles(400, "ns", 2.5e9) == pytest.approx(1000)
    assert to_cycles(0.46, "us", 2.5e9) == pytest.approx(1150)
    assert to_cycles(7, "cycle", None) == 7
    with pytest.raises(UnitError, match="clock_hz"):
        to_cycles(400, "ns", None)
    with pytest.raises(UnitError, match="must be cycles or a time"):
        to_cycles(400, "1/s", 2.5e9)


@pytest.mark.parametrize("clock_hz", [0.0, -1.0, math.inf, math.nan])
def test_a_clock_that_is_none_is_refused(clock_hz: float) -> None:
    with pytest.raises(UnitError, match="clock_hz"):
        cycles_to_ns(1, clock_hz)


def test_numbers_in_the_wanted_unit_load_no_pint() -> None:
    code = "import sys; from mmiocost.units import parse; parse('3', 'ns'); parse('3 /s', '1/s')"
    done = subprocess.run([sys.executable, "-c", f"{code}; sys.exit('pint' in sys.modules)"], check=False)
    assert done.returncode == 0
