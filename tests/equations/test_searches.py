"""The two searches by halving against their definitions, and how they enter the counts."""

from __future__ import annotations

import functools

import numpy as np
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from mmiocost.equations.integer import bisection_compares, tree_hit_compares
from mmiocost.equations.symbols import Bisection, Equal, Positive, TreeHit, symbol


@functools.cache
def bisection(n: int, g: int) -> int:
    """B as the specification defines it."""
    if n == 0:
        return 0
    middle = n // 2
    return 1 + (bisection(middle, g) if g <= middle else bisection(n - middle - 1, g - middle - 1))


@functools.cache
def tree_hit(n: int, t: int) -> int:
    """H as the specification defines it."""
    middle = n // 2
    if t == middle:
        return 1
    return 1 + (tree_hit(middle, t) if t < middle else tree_hit(n - middle - 1, t - middle - 1))


sizes = st.integers(0, 40000)


@given(n=sizes, data=st.data())
def test_bisection_follows_its_definition_and_its_bounds(n: int, data: st.DataObject) -> None:
    g = data.draw(st.integers(0, n))
    found = bisection_compares(n, g)
    assert found == bisection(n, g)
    assert type(found) is int
    if n:
        assert n.bit_length() - 1 <= found <= n.bit_length()


@given(n=sizes.filter(bool), data=st.data())
def test_a_hit_of_the_tree_follows_its_definition_and_is_no_deeper_than_a_miss(n: int, data: st.DataObject) -> None:
    t = data.draw(st.integers(0, n - 1))
    found = tree_hit_compares(n, t)
    assert found == tree_hit(n, t)
    assert type(found) is int
    assert 1 <= found <= n.bit_length()


def test_all_small_searches_follow_their_definitions_in_arrays_too() -> None:
    pairs = [(n, g) for n in range(70) for g in range(n + 1)]
    n, g = np.array(pairs).T
    assert bisection_compares(n, g).tolist() == [bisection(*pair) for pair in pairs]
    hits = [(n, t) for n, t in pairs if t < n]
    n, t = np.array(hits).T
    assert tree_hit_compares(n, t).tolist() == [tree_hit(*pair) for pair in hits]


def test_every_entry_of_the_tree_is_met_once_a_level() -> None:
    """A tree of 2^k - 1 entries is complete: one root, two below it, and so on."""
    depths = [tree_hit_compares(31, t) for t in range(31)]
    assert [depths.count(depth) for depth in range(1, 6)] == [1, 2, 4, 8, 16]
    assert {bisection_compares(31, g) for g in range(32)} == {5}


@given(n=st.integers(1, 600), data=st.data())
def test_symbols_evaluate_exactly(n: int, data: st.DataObject) -> None:
    g = data.draw(st.integers(0, n - 1))
    assert Bisection(sp.Integer(n), sp.Integer(g)) == bisection(n, g)
    assert TreeHit(sp.Integer(n), sp.Integer(g)) == tree_hit(n, g)
    assert (Positive(g), Positive(-g)) == (int(g > 0), 0)
    assert (Equal(g, 3), Equal(g, g)) == (int(g == 3), 1)


def test_functions_of_symbols_stay_symbols() -> None:
    n, g = symbol("slots"), symbol("mmio_gap")
    assert Bisection(n, g).free_symbols == {n, g} and Bisection(n, g).is_nonnegative
    assert Positive(n).free_symbols == {n}
    assert Positive(n + 1) == 1  # counts are not negative
