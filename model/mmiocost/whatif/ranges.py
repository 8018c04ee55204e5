"""Over which values of a symbol a question is asked: its range, in whole numbers where the symbol counts."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..errors import InvalidInput, nearest_name
from ..fitting.design import Array
from ..vocabulary import MIX_SYMBOLS, SYMBOLS
from .scenario import Scenario

WHOLE = 513  # a range of fewer whole numbers is gone through number by number, of a longer one as many are tried
_MEANS = 65  # values of a mean or rate between which a crossing is bracketed
_LISTED = 16
_LOG_FROM = 100.0  # over more than two decades they are spaced on a logarithmic scale
_UNITS = {item.name: item.unit for item in SYMBOLS} | {item.name: item.unit for item in MIX_SYMBOLS}
_MIX = {item.name: item for item in MIX_SYMBOLS}
# Widest range of interest of each count; what a path admits of it is taken (vocabulary.admissible).
# fmt: off
_COUNTED: dict[str, tuple[float, float]] = {
    "slots": (1, 512), "ram_slot": (1, 512), "mmio_gap": (0, 512), "guest_levels": (0, 5), "leaf_level": (1, 3),
    "code_leaf_level": (1, 3), "fault_level": (1, 5), "nested_levels": (0, 5), "ad_updates": (0, 6),
    "shadow_levels": (3, 5), "missing_levels": (0, 4), "prefetch_index": (0, 7), "fast_bus_devices": (0, 200),
    "bus_devices": (1, 200), "bus_position": (1, 200), "bus_gap": (0, 200), "fast_bus_position": (1, 200),
    "fast_bus_gap": (0, 200), "guest_pte_bits": (32, 64), "shadow_pages": (0, 100000), "retries": (0, 10),
    "unlinked_levels": (1, 4),
}
# fmt: on
_BIT = (0.0, 1.0)


def symbol_unit(variable: str) -> str:
    """Unit of a symbol. Raises InvalidInput for an unknown name."""
    if variable not in _UNITS:
        raise InvalidInput.one("", "variable", variable, "unknown name", nearest_name(variable, _UNITS))
    return _UNITS[variable]


def default_range(variable: str) -> tuple[float, float]:
    """Range over which a symbol is varied unless one is given; of a count, what a path admits of it."""
    symbol_unit(variable)
    return _MIX[variable].range if variable in _MIX else _COUNTED.get(variable, _BIT)


def is_whole(variable: str) -> bool:
    """Whether a symbol takes whole numbers only: the symbols of one access do, means and rates do not."""
    return variable not in _MIX


def checked_range(variable: str, over: tuple[float, float] | None, scenario: Scenario) -> tuple[float, float]:
    """The range asked for, or the default one, within the domain of the symbol.

    Updates that zap are a part of all updates: a rate of the one that the scenario sets bounds the other.
    Raises InvalidInput for a range that is none, leaves the domain or needs whole numbers.
    """
    symbol_unit(variable)
    low, high = over or default_range(variable)
    least, most = _domain(variable, scenario)
    if over is None:
        return max(low, least), min(high, most)
    shown = f"{low:g}:{high:g}"
    if not (low < high and math.isfinite(low) and math.isfinite(high)):
        raise InvalidInput.one("--range", variable, shown, "must be LOW:HIGH with LOW below HIGH")
    if not least <= low < high <= most:
        raise InvalidInput.one("--range", variable, shown, f"must lie within {least:g} to {most:g}")
    if is_whole(variable) and (low != int(low) or high != int(high)):
        raise InvalidInput.one("--range", variable, shown, "must be two whole numbers")
    return low, high


def _domain(variable: str, scenario: Scenario) -> tuple[float, float]:
    if variable not in _MIX:
        return -math.inf, math.inf
    least, most = _MIX[variable].low, _MIX[variable].high
    if variable == "zapping_rate":
        most = scenario.mix.get("generation_rate", most)
    if variable == "generation_rate":
        least = scenario.mix.get("zapping_rate", least)
    return least, most


def points_over(variable: str, low: float, high: float) -> Array:
    """Values to look at first, in ascending order: all whole numbers of a short range, else a grid."""
    if is_whole(variable) and high - low + 1 < WHOLE:
        return np.arange(low, high + 1)
    count = WHOLE if is_whole(variable) else _MEANS
    spaced = np.geomspace(low, high, count) if low > 0 and high / low > _LOG_FROM else np.linspace(low, high, count)
    spaced[0], spaced[-1] = low, high  # geomspace may miss them by a rounding
    return np.unique(np.round(spaced)) if is_whole(variable) else spaced


def admitted(points: Array, admits: Callable[[float], bool]) -> Array:
    """Those of the points, in ascending order, that are admitted; few are tested one by one.

    Many points span a domain without gaps, of which only the ends are sought.
    """
    if len(points) <= _LISTED:
        return np.array([value for value in points if admits(value)])
    low, high = admits(points[0]), admits(points[-1])
    if low and high:
        return points
    if not low and not high:
        return np.array([value for value in points if admits(value)])
    good, bad = (0, len(points) - 1) if low else (len(points) - 1, 0)
    while abs(good - bad) > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if admits(points[middle]) else (good, middle)
    return points[: good + 1] if low else points[good:]
