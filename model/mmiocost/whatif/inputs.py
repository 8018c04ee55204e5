"""Symbols of a scenario varied over their ranges: numbers of the unit interval in, admissible scenarios out.

Each symbol has a coordinate of its own, uniform and independent of the others. A symbol whose domain hangs on
others (``ram_slot`` on ``slots``) takes the place in its domain that its coordinate says, so that every point is
a scenario that the path admits and the coordinates stay independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InvalidInput
from ..fitting.design import Array
from ..vocabulary import MIX_SYMBOLS, generation, resolve
from .domains import ORDER, Domain, Varied, groups
from .ranges import default_range, symbol_unit
from .scenario import Scenario

#: Symbols of one access that are varied unless others are named: the extents of the machine and its guest.
COUNTED = (
    "slots", "guest_levels", "bus_devices", "fast_bus_devices", "missing_levels", "shadow_pages", "ad_updates",
)  # fmt: skip
_MIXES = {symbol.name: symbol for symbol in MIX_SYMBOLS}


def varied(path: str, scenario: Scenario, over: Mapping[str, tuple[float, float]]) -> tuple[Varied, ...]:
    """The symbols to vary: those named in ``over``, or else all that the scenario leaves open, over their ranges.

    Raises InvalidInput with a name that is unknown or also set, and a range that is none or leaves the domain.
    """
    known = {*scenario.counts, *scenario.mix}
    if over:
        _exclude({*over, *known})
        return tuple(_checked(name, low, high, known) for name, (low, high) in over.items())
    left_out = {*known, "hit_fraction"}
    # Before 3.11 only updates that zap spoil entries: of all updates they would be but the part spread below.
    if "hit_fraction" in known or not generation(scenario.after).since("v311"):
        left_out |= {"generation_rate"}
    if "userspace" in known:
        left_out |= {"userspace_fraction"}
    found = (Varied(name, *default_range(name), symbol_unit(name)) for name in (*_MIXES, *COUNTED))
    return tuple(item for item in found if item.name not in left_out and _is_open(path, scenario, item))


def _is_open(path: str, scenario: Scenario, symbol: Varied) -> bool:
    """Whether a path admits more than one value of the symbol's range."""
    if not symbol.is_whole:
        return True
    try:
        return len(Domain(path, scenario.counts, symbol, ()).allowed({})) > 1
    except InvalidInput:
        return False


def _exclude(names: set[str]) -> None:
    if {"hit_fraction", "generation_rate"} <= names:
        allowed = "vary or set one of them: hit_fraction is derived from generation_rate unless set"
        raise InvalidInput.one("--over", "hit_fraction, generation_rate", "", allowed)


def _checked(name: str, low: float, high: float, known: set[str]) -> Varied:
    unit = symbol_unit(name)
    if name in known:
        raise InvalidInput.one("--over", name, "", "is set: set a symbol or vary it, not both")
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InvalidInput.one("--over", name, f"{low:g}:{high:g}", "must be LO:HI with LO below HI")
    mix = _MIXES.get(name)
    if mix and not mix.low <= low < high <= mix.high:
        allowed = f"must lie within {mix.low:g} to {mix.high:g}"
        raise InvalidInput.one("--over", name, f"{low:g}:{high:g}", allowed)
    if mix is None and (low != int(low) or high != int(high)):
        raise InvalidInput.one("--over", name, f"{low:g}:{high:g}", "must be two whole numbers")
    return Varied(name, low, high, unit)


def scenarios(path: str, scenario: Scenario, symbols: Sequence[Varied], places: Array) -> dict[str, Any]:
    """Values of all symbols that hang on the coordinates: arrays (points,), for ``places`` (symbols, points).

    They override the scenario's. Raises InvalidInput where a range holds no value that the path admits.
    """
    columns = {symbol.name: place for symbol, place in zip(symbols, places, strict=True)}
    whole = sorted((s for s in symbols if s.is_whole), key=lambda s: (not s.is_listed, ORDER[s.name]))
    found = _means([s for s in symbols if not s.is_whole], columns, scenario)
    found.update(_whole(path, scenario, whole, columns))
    return found


def _means(symbols: Sequence[Varied], columns: Mapping[str, Array], scenario: Scenario) -> dict[str, Array]:
    found = {s.name: _spread(columns[s.name], s.low, s.high, s.scale) for s in symbols}
    # Updates that zap are a part of all updates: the one is spread over what the other leaves it.
    part, all_ = ("zapping_rate", "generation_rate")
    limits = {s.name: s for s in symbols}
    if part in found:
        whole = found.get(all_, scenario.mix.get(all_, math.inf))
        high = np.minimum(limits[part].high, whole)
        found[part] = _spread(columns[part], np.minimum(limits[part].low, high), high, limits[part].scale)
    elif all_ in found and scenario.mix.get(part, 0.0) > limits[all_].low:
        low = min(scenario.mix[part], limits[all_].high)
        found[all_] = np.maximum(_spread(columns[all_], low, limits[all_].high, limits[all_].scale), scenario.mix[part])
    return found


def _spread(place: Array, low: Any, high: Any, scale: str) -> Array:
    if scale == "log" and np.all(np.asarray(low) > 0):
        return np.asarray(low * (high / low) ** place)
    return np.asarray(low + (high - low) * place)


def _whole(path: str, scenario: Scenario, symbols: Sequence[Varied], columns: Mapping[str, Array]) -> dict[str, Array]:
    """Values of the varied whole numbers, and of all symbols whose defaults hang on them."""
    if not symbols:
        return {}
    domains: list[Domain] = []
    for symbol in symbols:
        domains.append(Domain(path, scenario.counts, symbol, domains))
    values: dict[str, Array] = {}
    for domain in domains:
        values[domain.symbol.name] = domain.values(columns[domain.symbol.name], values)
    followers = {name: domain.symbol.name for domain in domains if not domain.is_listed for name in domain.followers}
    first, inverse = groups([values[d.symbol.name] for d in domains if d.is_listed], len(next(iter(values.values()))))
    full = [
        resolve(path, {**scenario.counts, **{name: int(column[row]) for name, column in values.items()}})
        for row in first
    ]
    found = dict(values)
    for name in full[0]:
        column = np.array([item[name] for item in full])
        if name in followers:
            found[name] = values[followers[name]]
        elif name not in values and (column != column[0]).any():
            found[name] = column[inverse]
    return found
