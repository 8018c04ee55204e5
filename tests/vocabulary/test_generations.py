"""Kernel releases and the generation that each belongs to; borders as read in source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmiocost.errors import InvalidInput
from mmiocost.vocabulary import GENERATIONS, generation, generation_of_kernel

# 3.2 is v31 with another bus, 3.10 the last without a generation, 3.19 the first with a binary search,
# 4.11 the first with the gpa shortcut, 5.6 with one look-up per fault, 5.17 with the tree.
BORDERS = {
    "2.6.36": "v30", "3.0": "v30", "3.0.1": "v30", "3.1": "v31", "3.2": "v31", "3.2.0": "v31", "3.3": "v36",
    "3.9": "v36", "3.10": "v36", "3.10.65": "v36", "3.11": "v311", "3.15": "v311", "3.16": "v315", "3.18.20": "v315",
    "3.19": "v40", "4.0": "v40", "4.9": "v40", "4.10": "v40", "4.10.17": "v40", "4.11": "v414", "5.5": "v414",
    "5.5-rc5": "v414", "5.6": "v56", "5.16": "v56", "5.17": "v517", "5.17-rc5": "v517", "6.8.0-94-generic": "v517",
    "7.1.3": "v517", "v3.1": "v31", "~3.0-rc": "v30",
}  # fmt: skip


@pytest.mark.parametrize(("release", "expected"), BORDERS.items())
def test_a_release_belongs_to_its_generation(release: str, expected: str) -> None:
    assert generation_of_kernel(release).id == expected


@pytest.mark.parametrize("release", ["", "linux", "3", "3.", ".3", "mmio 3.1", "-3.1", "٣.١", "1234.5", "3.1234"])
def test_what_is_no_release_is_refused_with_an_example_of_one(release: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        generation_of_kernel(release)
    (problem,) = caught.value.problems
    assert (problem.field, problem.got) == ("kernel", release)
    assert "6.8.0-94-generic" in problem.allowed


@given(a=st.tuples(st.integers(0, 99), st.integers(0, 99)), b=st.tuples(st.integers(0, 99), st.integers(0, 99)))
def test_a_later_release_never_belongs_to_an_earlier_generation(a: tuple[int, int], b: tuple[int, int]) -> None:
    first, last = (generation_of_kernel("{}.{}".format(*release)) for release in sorted((a, b)))
    assert first.rank <= last.rank


def test_since_follows_the_table_and_not_the_digits() -> None:
    assert generation("v315").since("v36") and generation("v36").since("v36")
    assert not generation("v40").since("v414") and not generation("v36").since("v311")


def test_designs_that_were_only_posted_rank_as_the_kernel_they_were_posted_against() -> None:
    for name in ("proto", "unified"):
        design = generation(name)
        assert design.since("v31") and not design.since("v36")
        assert (design.search, design.bus, design.indirect_page_searches) == ("linear", "linear", 4)


def test_an_unknown_generation_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'v517'"):
        generation("v5.17")


def test_what_a_generation_is_made_of() -> None:
    """Slot search, bus, A and the last range test of a bisection, by the table of generations."""
    table = {item.id: (item.search, item.bus, item.indirect_page_searches, item.binary_tail) for item in GENERATIONS}
    assert {name: row[:3] for name, row in table.items()} == {
        "v30": ("linear", "linear", 4), "v31": ("linear", "linear", 4), "v36": ("linear", "sorted", 2),
        "v311": ("linear", "sorted", 2), "v315": ("linear", "sorted", 2), "v40": ("binary", "sorted", 2),
        "v414": ("binary", "sorted", 2), "v56": ("binary", "sorted", 2), "v517": ("tree", "sorted", 2),
    }  # fmt: skip
    assert [table[name][3] for name in ("v40", "v414", "v56")] == ["always", "always", "below_end"]
