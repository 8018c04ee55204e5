"""Points at which the back ends are compared: the edges of every domain, and what exact evaluation says there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import sympy as sp
from hypothesis import strategies as st
from scenarios import NAMES, WHOLE, domain, scenarios

from mmiocost.equations.lowering import kernel
from mmiocost.equations.paths import counts
from mmiocost.equations.symbols import symbol
from mmiocost.vocabulary import PATHS, resolve

Point = dict[str, int]

WIDEST = 2**31 - 2  # the largest value of a symbol whose domain has no upper end
LARGE = (32764, 2**29 - 1, WIDEST)  # slots of KVM 5.17 less three; a tree that is complete; the widest
SIZES = {
    "slots": ("ram_slot", "mmio_gap"),
    "bus_devices": ("bus_position", "bus_gap"),
    "fast_bus_devices": ("fast_bus_position", "fast_bus_gap"),
}
ALL_PATHS = tuple(path.name for path in PATHS)


@cache
def edges(path: str) -> list[Point]:
    """Each symbol that the path's counts use at its ends, the others default; then large searches, cold."""
    used = kernel(path).arguments
    given = [*_ends(path), *_large(path)]
    kept = {tuple((name, full[name]) for name in used if name in full): full for full in given}
    return list(kept.values())


def _ends(path: str) -> Iterator[Point]:
    defaults = resolve(path, {})
    yield defaults
    for name in NAMES:
        allowed, _ = domain(path, name, defaults)
        for value in (allowed[0], WIDEST if allowed[-1] == WHOLE - 1 else allowed[-1]):
            yield resolve(path, {name: value})


def _large(path: str) -> Iterator[Point]:
    for size in LARGE:
        for place in (0, size // 3, size):
            point = {"slot_cache_warm": 0}
            for many, (position, gap) in SIZES.items():
                point |= {many: size, position: max(1, place), gap: place}
            yield resolve(path, point)


def exact(path: str, scenario: Point) -> dict[str, int]:
    """Counts by substitution into the expressions of the path, zeros included."""
    used = kernel(path).arguments
    return dict(_exact(path, tuple((name, scenario[name]) for name in used if name in scenario)))


@cache
def _exact(path: str, scenario: tuple[tuple[str, int], ...]) -> dict[str, int]:
    values = {symbol(name): sp.Integer(value) for name, value in scenario}
    found = {event: sp.sympify(count).xreplace(values) for event, count in counts(path).items()}
    assert all(count.is_Integer for count in found.values()), found
    return {event: int(count) for event, count in found.items()}


@st.composite
def wide_scenarios(draw: st.DrawFn, path: str) -> Point:
    """A scenario of a path, in half of the draws with as many slots and devices as may be."""
    point = draw(scenarios(path))
    if draw(st.booleans()):
        for many, (position, gap) in SIZES.items():
            if point[many]:
                size = draw(st.integers(max(2, point[many]), WIDEST))
                point |= {many: size, position: draw(st.integers(1, size)), gap: draw(st.integers(0, size))}
    assert resolve(path, point) == point
    return point
