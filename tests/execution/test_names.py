from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmiocost.execution.names import safe_name, unique_names


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
