from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmiocost.execution.names import safe_name, steady_names, unique_names


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("payoff", "payoff"),
        ("../../etc/passwd", "etc-passwd"),
        ("a b\tc", "a-b-c"),
        (".hidden", "hidden"),
        ("..", "notebook"),
        ("", "notebook"),
        ("{slots}", "slots"),
        ("CON", "notebook-CON"),
        ("nul.txt", "notebook-nul.txt"),
        ("größe", "gr-e"),
    ],
)
def test_a_name_is_made_safe(given_name: str, expected: str) -> None:
    assert safe_name(given_name) == expected


@given(st.text())
def test_a_safe_name_is_one_visible_component_of_a_path(text: str) -> None:
    name = safe_name(text)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,89}", name)
    assert ".." not in name


@given(st.lists(st.text(alphabet="aA-./ ", max_size=4), max_size=12))
def test_unique_names_differ_by_more_than_letter_case(texts: list[str]) -> None:
    names = unique_names(texts)
    assert len(names) == len(texts)
    assert len({name.lower() for name in names}) == len(names)


@given(st.lists(st.text(alphabet="aA-./ ü", max_size=4), unique=True, max_size=12), st.randoms())
def test_steady_names_do_not_hang_on_the_order(texts: list[str], random: Any) -> None:
    """A scenario keeps its files when the grid is sorted anew; no two share one on a disk that ignores case."""
    names = dict(zip(texts, steady_names(texts), strict=True))
    assert len({name.lower() for name in names.values()}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,110}", name) for name in names.values())
    assert not any(".." in name for name in names.values())
    shuffled = list(texts)
    random.shuffle(shuffled)
    assert dict(zip(shuffled, steady_names(shuffled), strict=True)) == names


def test_a_plain_name_stays_as_it_is_and_a_chosen_clash_is_no_clash() -> None:
    odd = steady_names(["a b"])[0]
    assert steady_names(["payoff", "a b"]) == ["payoff", odd]
    assert len(set(steady_names(["a b", odd]))) == 2
    with pytest.raises(ValueError, match="names must differ"):
        steady_names(["a", "a"])
