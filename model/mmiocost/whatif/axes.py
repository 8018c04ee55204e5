"""The axes of a sweep: what is varied and over which values, read from text or given by the caller.

A symbol takes values in order or a span; the paging mode and the generation after the change take names. Everything
that is wrong is reported at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InvalidInput, Problem, nearest_name
from ..fitting.design import Array
from ..units import UnitError, parse
from ..vocabulary import GENERATIONS, MIX_SYMBOLS, SYMBOLS
from .scenario import Scenario
from .scenario_file import MODES

CHOICES: dict[str, tuple[str, ...]] = {"mode": MODES, "after": tuple(item.id for item in GENERATIONS[1:])}
_UNITS = {item.name: item.unit for item in SYMBOLS} | {item.name: item.unit for item in MIX_SYMBOLS}
_MIX = {item.name: item for item in MIX_SYMBOLS}
SHORT = 8  # domains with gaps have fewer values, and none beyond 8 but the width of an entry
_WHERE = "--over"
_MOST_VALUES = 10_000_000
_LARGE = 2**31 - 1


@dataclass(frozen=True)
class Span:
    """Values from ``low`` to ``high``: ``count`` of them on a grid, any of them in a sample (``count`` 0)."""

    low: float
    high: float
    count: int = 0
    log: bool = False


Over = Mapping[str, Span | Sequence[float] | Sequence[str]]


@dataclass(frozen=True)
class Axis:
    """What is varied: ``values`` in the order of a grid, or the ``span`` that a sample is taken from.

    Of a span that is sampled ``values`` are the ends, or all whole numbers if they are few.
    """

    name: str
    values: Array
    span: Span | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the symbol takes whole numbers only."""
        return self.name not in _MIX and not self.is_choice

    @property
    def is_choice(self) -> bool:
        """Whether the values are names: of paging modes or of generations."""
        return self.name in CHOICES

    @property
    def is_short(self) -> bool:
        """Whether the values are names or few whole numbers, so that each can be a case of its own."""
        size = len(self.values) if self.span is None else self.span.high - self.span.low + 1
        return self.is_choice or (self.is_whole and size <= SHORT)

    @property
    def ends(self) -> Array:
        """Smallest and largest value of a symbol."""
        return np.array([self.values.min(), self.values.max()])

    def at(self, unit: Array) -> Array:
        """Values at coordinates (rows,) that are uniform on the unit interval."""
        if self.span is None:
            return self.values[(unit * len(self.values)).astype(np.intp)]
        low, high = self.span.low, self.span.high
        if self.is_whole:  # each whole number has an equal share; on a logarithmic scale, of the logarithm
            first, beyond = (math.log(low), math.log(high + 1)) if self.span.log else (low, high + 1)
            spread = first + unit * (beyond - first)
            return np.clip(np.floor(np.exp(spread) if self.span.log else spread), low, high).astype(np.int64)
        return low * (high / low) ** unit if self.span.log else low + unit * (high - low)


def read_over(texts: Sequence[str], sampled: bool = False) -> dict[str, Span | tuple[Any, ...]]:
    """Axes from ``NAME=LOW:HIGH:COUNT[:log]``, for a sample ``NAME=LOW:HIGH[:log]``, or ``NAME=VALUE,VALUE,...``.

    Raises InvalidInput with all that is wrong.
    """
    found: dict[str, Span | tuple[Any, ...]] = {}
    problems: list[Problem] = []
    for text in texts:
        name, sign, values = (part.strip() for part in text.partition("="))
        if not sign or not values:
            problems.append(Problem(_WHERE, "", text, f"must have the form {_form(sampled)}, or NAME=VALUE,VALUE,..."))
        elif name in found:
            problems.append(Problem(_WHERE, name, values, "is given twice"))
        elif name in CHOICES:
            found[name] = tuple(item.strip() for item in values.split(","))
        elif name not in _UNITS:
            problems.append(_unknown(name))
        else:
            try:
                found[name] = _span(values, name, sampled) if ":" in values else _list(values, name)
            except UnitError as error:
                problems.append(Problem(_WHERE, name, values, str(error)))
    if problems:
        raise InvalidInput(problems)
    return found


def _form(sampled: bool) -> str:
    return "NAME=LOW:HIGH[:log] in a sample" if sampled else "NAME=LOW:HIGH:COUNT[:log] on a grid"


def _unknown(name: str) -> Problem:
    return Problem(_WHERE, name, "", "unknown name", nearest_name(name, [*_UNITS, *CHOICES]))


def _list(values: str, name: str) -> tuple[float, ...]:
    return tuple(parse(item, _UNITS[name]) for item in values.split(","))


def _span(values: str, name: str, sampled: bool) -> Span:
    low, high, *rest = (item.strip() for item in values.split(":"))
    log = bool(rest) and rest[-1] == "log"
    counts = rest[:-1] if log else rest
    if len(counts) != (0 if sampled else 1) or not all(item.isdecimal() for item in counts):
        raise UnitError(f"must have the form {_form(sampled)}")
    return Span(parse(low, _UNITS[name]), parse(high, _UNITS[name]), int(counts[0]) if counts else 0, log)


def checked_axes(over: Over, scenario: Scenario, sampled: bool = False) -> tuple[Axis, ...]:
    """The axes with their values. Raises InvalidInput with every name, value and span that is not allowed.

    Which whole numbers a path admits is not looked at here.
    """
    problems = [] if over else [Problem(_WHERE, "", "", f"give at least one, in the form {_form(sampled)}")]
    axes = []
    for name, given in over.items():
        fault = _unknown(name) if name not in _UNITS and name not in CHOICES else _fault(name, given, sampled)
        if fault is None:
            axes.append(_axis(name, given, sampled))
        else:
            problems.append(fault)
    if not problems:
        problems = _excluded(axes, scenario)
    if problems:
        raise InvalidInput(problems)
    return tuple(axes)


def _fault(name: str, given: Any, sampled: bool) -> Problem | None:
    """What is wrong with the values of a known axis."""
    if name in CHOICES:
        for item in given:
            if item not in CHOICES[name]:
                allowed = f"must be one of {', '.join(CHOICES[name])}"
                return Problem(_WHERE, name, str(item), allowed, nearest_name(str(item), CHOICES[name]))
        return None if len(given) else Problem(_WHERE, name, "", "has no values")
    wrong = _wrong_span(name, given, sampled) if isinstance(given, Span) else _wrong_values(name, given)
    return Problem(_WHERE, name, _shown(given), wrong) if wrong else None


def _shown(given: Any) -> str:
    items = [f"{item:g}" for item in ((given.low, given.high) if isinstance(given, Span) else given[:8])]
    return ":".join(items) if isinstance(given, Span) else ",".join(items)


def _wrong_span(name: str, span: Span, sampled: bool) -> str:
    if not span.low < span.high:
        return "must have LOW below HIGH"
    if span.log and not span.low > 0:
        return "must lie above 0 on a logarithmic scale"
    if not sampled and not 2 <= span.count <= _MOST_VALUES:
        return f"must have a count from 2 to {_MOST_VALUES}"
    return _wrong_values(name, (span.low, span.high))


def _wrong_values(name: str, values: Sequence[float]) -> str:
    if not len(values):
        return "has no values"
    if name not in _MIX:
        whole = all(value == int(value) and abs(value) <= _LARGE for value in values)
        return "" if whole else "must be whole numbers"
    low, high = _MIX[name].low, _MIX[name].high
    if all(low <= value <= high and math.isfinite(value) for value in values):
        return ""
    return f"must be {low:g}{f' to {high:g}' if high < math.inf else ' or more'}"


def _axis(name: str, given: Any, sampled: bool) -> Axis:
    if name in CHOICES:
        return Axis(name, np.array(list(dict.fromkeys(given))))
    kind = np.float64 if name in _MIX else np.int64
    if not isinstance(given, Span):
        return Axis(name, np.array(list(dict.fromkeys(kind(value) for value in given)), dtype=kind))
    if sampled:
        few = name not in _MIX and given.high - given.low < SHORT
        ends = (given.low, given.high)
        return Axis(name, np.array(np.arange(ends[0], ends[1] + 1) if few else ends, dtype=kind), given)
    return Axis(name, _spaced(given) if name in _MIX else np.unique(np.round(_spaced(given))).astype(kind))


def _spaced(span: Span) -> Array:
    if not span.log:
        return np.linspace(span.low, span.high, span.count)
    spaced = np.geomspace(span.low, span.high, span.count)
    spaced[[0, -1]] = span.low, span.high  # geomspace may miss them by a rounding
    return np.asarray(spaced)


def _excluded(axes: Sequence[Axis], scenario: Scenario) -> list[Problem]:
    """Axes that exclude each other, or a value that the scenario sets; an axis replaces a value of its own name."""
    ends = {name: (value, value) for name, value in scenario.mix.items()}
    ends |= {axis.name: tuple(axis.ends) for axis in axes if axis.name in _MIX}
    found = []
    if {"hit_fraction", "generation_rate"} <= set(ends):
        both = "hit_fraction, generation_rate"
        found.append(Problem(_WHERE, both, "", "vary or set one of them: hit_fraction is derived unless set"))
    part, whole = ends.get("zapping_rate"), ends.get("generation_rate")
    if part and whole and part[1] > whole[0]:
        allowed = f"must be at most generation_rate={whole[0]:g}, of which it is a part"
        found.append(Problem(_WHERE, "zapping_rate", f"{part[1]:g}", allowed))
    return found
