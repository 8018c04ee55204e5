"""Every count by Python's numbers, by NumPy and by numba, against exact substitution: equal integers.

The JavaScript form is held against the same points in test_backends_javascript.py.
"""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from points import ALL_PATHS, LARGE, SIZES, WIDEST, edges, exact, wide_scenarios
from scenarios import domain, paths

from mmiocost.equations import lowering
from mmiocost.equations.compiled import compiled
from mmiocost.equations.exponential import exponential
from mmiocost.equations.integer import bisection_compares, tree_hit_compares
from mmiocost.equations.lowering import Kernel, kernel
from mmiocost.vocabulary import COLD_COMPARE

COLD = {"cold_search_fraction": 0}


def counted(ask: Any, scenario: dict[str, Any]) -> dict[str, Any]:
    """Counts by a kernel or a method of one, without the compares that are only dearer."""
    found = ask({**scenario, **COLD})
    found.pop(COLD_COMPARE, None)
    return dict(found)


def columns(points: list[dict[str, int]]) -> dict[str, Any]:
    return {name: np.array([point[name] for point in points]) for name in points[0]}


def rows(found: dict[str, Any], length: int) -> list[dict[str, int]]:
    """The counts of each point; none of them may have become a float."""
    assert all(np.asarray(value).dtype.kind == "i" for value in found.values())
    whole = {name: np.broadcast_to(value, length) for name, value in found.items()}
    return [{name: int(value[place]) for name, value in whole.items()} for place in range(length)]


def agrees(ask: Any, path: str, points: list[dict[str, int]]) -> bool:
    """Whether each point by itself gives exactly the expected integers."""
    found = [counted(ask, point) for point in points]
    whole = all(type(value) is int for each in found for value in each.values())
    return whole and found == [exact(path, point) for point in points]


@pytest.mark.parametrize("many", SIZES)
def test_the_points_reach_the_ends_of_every_size(many: str) -> None:
    using = [path for path in ALL_PATHS if many in kernel(path).arguments]
    assert len(using) > 10
    for path in using:
        points = edges(path)
        assert {point[many] for point in points} >= {domain(path, many, {})[0][0], *LARGE}
        for other in set(kernel(path).arguments).intersection(SIZES[many]):
            assert max(point[other] for point in points) == WIDEST


@pytest.mark.parametrize("path", ALL_PATHS)
def test_numbers_and_arrays_on_the_edges(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By numbers, in one array, and in blocks that do not divide the length."""
    points = edges(path)
    expected = [exact(path, point) for point in points]
    assert agrees(kernel(path), path, points)
    assert rows(counted(kernel(path), columns(points)), len(points)) == expected
    monkeypatch.setattr(lowering, "_ROWS", 5)
    assert rows(counted(kernel(path).blocks, columns(points)), len(points)) == expected


@given(path=paths(), data=st.data())
@settings(max_examples=200)
def test_numbers_and_arrays_on_any_points(path: str, data: st.DataObject) -> None:
    points = data.draw(st.lists(wide_scenarios(path), min_size=1, max_size=4))
    assert agrees(kernel(path), path, points)
    for ask in (kernel(path), kernel(path).blocks):
        assert rows(counted(ask, columns(points)), len(points)) == [exact(path, point) for point in points]


def test_blocks_take_numbers_beside_arrays_and_keep_what_is_the_same_in_all_rows() -> None:
    slots = np.arange(1, 3 * 2**14)
    found = kernel("v30.slot.miss").blocks({"slots": slots, "cold_search_fraction": 0.5})
    assert np.array_equal(found["slot_compare"], slots)
    assert np.array_equal(found[COLD_COMPARE], slots / 2)
    assert found["slot_search"] == 1


# --- numba: compiling takes a while, so that each run holds some of the kernels against all points ---------------


@cache
def fast(path: str) -> Kernel:
    return compiled(path)


@given(path=paths(), data=st.data())
@settings(max_examples=40)
def test_compiled_kernels_on_the_edges_and_on_any_points(path: str, data: st.DataObject) -> None:
    assert agrees(fast(path), path, edges(path))
    assert agrees(fast(path), path, data.draw(st.lists(wide_scenarios(path), max_size=4)))


@pytest.mark.parametrize("path", ["v40.ept.mmio_first", "v56.slot.miss", "unified.shadow.access", "v517.slot.hit"])
def test_compiled_searches(path: str) -> None:
    assert agrees(fast(path), path, edges(path))


def test_code_that_numba_compiles_may_call_a_compiled_kernel() -> None:
    import numba

    counts = fast("v517.slot.miss").function
    place = kernel("v517.slot.miss").parameters.index("slot_compare")

    @numba.njit
    def most(slots: int) -> int:
        found = 0
        for gap in range(slots + 1):
            found = max(found, counts(0, gap, 1, slots)[place])
        return found

    assert kernel("v517.slot.miss").arguments == ("cold_search_fraction", "mmio_gap", "slot_cache_warm", "slots")
    assert most(31) == 1 + 5


@pytest.mark.parametrize("exponent", [0.0, 0.3, 709.0, 1e9])
def test_the_compiled_exponential_has_the_same_bounds(exponent: float) -> None:
    values = {"unlink_rate": exponent, "unlink_hit_fraction": 1.0, "build_window": 1.0}
    found = fast("expected_retries")(values)["value"]
    assert found == pytest.approx(exponential(exponent) - 1, rel=1e-14)


@pytest.mark.parametrize("function", [bisection_compares, tree_hit_compares])
def test_a_search_in_python_takes_as_many_steps_as_bits(function: Any) -> None:
    assert function(WIDEST, 0) in (30, 31)
    assert function(np.array([WIDEST, 1]), np.array([0, 0])).tolist() == [function(WIDEST, 0), 1]


def test_numba_is_loaded_only_where_a_kernel_is_compiled() -> None:
    code = "import sys, mmiocost.equations.lowering as it; it.kernel('regression'); print('numba' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=True)
    assert found.stdout == "False\n"
