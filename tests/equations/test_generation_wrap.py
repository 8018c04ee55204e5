"""How often the generation number wraps, against a counter that runs, and what one wrap costs."""

from __future__ import annotations

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from mmiocost.equations.generation_wrap import BITS, wrap_terms, wraps_per_second
from mmiocost.equations.lowering import kernel
from mmiocost.equations.paths import terms
from mmiocost.vocabulary import GENERATIONS

WITH_NUMBER = [item.id for item in GENERATIONS if item.since("v311")]


@pytest.mark.parametrize("after", ["v30", "v31", "v36"])
def test_entries_without_a_generation_number_never_wrap(after: str) -> None:
    with pytest.raises(ValueError, match=after):
        wraps_per_second(after)


@given(
    after=st.sampled_from(WITH_NUMBER),
    plain=st.integers(0, 5000),
    zapping=st.integers(0, 5000),
    spaces=st.sampled_from([1, 2]),
)
def test_the_rate_is_that_of_a_counter_of_19_bits(after: str, plain: int, zapping: int, spaces: int) -> None:
    """A second's updates are carried out one by one: one bump each, two where it zaps, each times the spaces."""
    step = 1 if after == "v311" else spaces
    number = sum(step for _ in range(plain)) + sum(2 * step for _ in range(zapping))
    given_rates = {"generation_rate": plain + zapping, "zapping_rate": zapping, "address_spaces": spaces}
    assert kernel(f"generation_wraps:{after}")({**given_rates})["value"] == pytest.approx(number / 2**BITS)


@pytest.mark.parametrize("after", WITH_NUMBER)
def test_a_wrap_is_the_path_of_that_name(after: str) -> None:
    rate = wraps_per_second(after)
    found = wrap_terms(after)
    assert found.keys() == terms("v311.any.slot_update_wrap").keys()
    for name, count in terms("v311.any.slot_update_wrap").items():
        assert sp.simplify(found[name] - rate * count) == 0
