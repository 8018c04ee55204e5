"""Cycles, times, rates and shares: the unit names of the project, and text with a unit read into a float.

Comes in: a number as text, with or without a unit, and the unit that is wanted. Goes out: a float in that unit.
Cycles have a dimension of their own here (in pint's stock registry a cycle is a turn) and become a time only
through a clock that the caller names. Nothing is evaluated: the text is one number and one unit name.
"""

from __future__ import annotations

import functools
import math
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pint

_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_HERTZ = {"Hz": 1.0, "MHz": 1e6, "GHz": 1e9}

#: Unit name and its dimension: ``cycles``, ``time``, ``rate`` or ``number``.
DIMENSIONS = MappingProxyType(
    {"cycle": "cycles"}
    | dict.fromkeys(_PER_SECOND, "time")
    | dict.fromkeys(("1/s", "trans/s", *_HERTZ), "rate")
    | {"percent": "number", "1": "number"}
)

_ALIASES = {"cycles": "cycle", "%": "percent", "/s": "1/s", "µs": "us", "μs": "us"}
_IN_WORDS = {"cycles": "a number of cycles", "time": "a time", "rate": "a rate", "number": "a plain number"}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class UnitError(ValueError):
    """A text that is no number, or a unit that is unknown or of another dimension than the one wanted."""


def parse(text: str, unit: str) -> float:
    """The number in ``text`` as a float in ``unit``; a bare number is taken to be in ``unit`` already.

    ``parse("1.4 ms", "s")`` is 0.0014, ``parse("20000/s", "1/s")`` is 20000.0. Raises :class:`UnitError` for
    what is no finite number with a decimal point, for unknown units and for units of another dimension.
    """
    stripped = text.strip()
    match = _NUMBER.match(stripped)
    if match is None:
        raise UnitError(_not_a_number(text) if stripped else "is empty, must be a number")
    given = canonical(stripped[match.end() :].strip() or unit)
    value = parse_number(match.group()) if given in DIMENSIONS else _refuse(stripped, given)
    return value if given == unit else _convert(value, given, unit)


def parse_number(text: str) -> float:
    """A bare finite number with a decimal point: no unit, no thousands separator, no ``nan``, no ``inf``."""
    if not _NUMBER.fullmatch(text):
        raise UnitError(_not_a_number(text))
    value = float(text)
    if not math.isfinite(value):
        raise UnitError("is too large for a number")
    return value


def canonical(unit: str) -> str:
    """The name that the project uses for a unit: ``cycle`` for ``cycles``, ``percent`` for ``%``, …."""
    return _ALIASES.get(unit, unit)


def dimension(unit: str) -> str:
    """Dimension of a known unit; raises :class:`UnitError` for an unknown one."""
    try:
        return DIMENSIONS[unit]
    except KeyError:
        raise UnitError(f"is an unknown unit, must be one of {', '.join(DIMENSIONS)}") from None


def cycles_to_ns(cycles: float, clock_hz: float) -> float:
    """The time in ns that ``cycles`` take on a clock of ``clock_hz`` (1/s)."""
    return cycles * _PER_SECOND["ns"] / _checked_clock(clock_hz)


def to_cycles(value: float, unit: str, clock_hz: float | None) -> float:
    """``value`` in cycles of a clock of ``clock_hz`` (1/s); cycles pass unchanged and need no clock.

    Raises :class:`UnitError` for a unit that is neither cycles nor a time, and for a time without a clock.
    """
    if unit == "cycle":
        return value
    if dimension(unit) != "time":
        raise UnitError(f"is {_IN_WORDS[dimension(unit)]}, must be cycles or a time")
    if clock_hz is None:
        raise UnitError("is a time without a clock, must come with clock_hz to become cycles")
    return value * _checked_clock(clock_hz) / _PER_SECOND[unit]


def _checked_clock(clock_hz: float) -> float:
    if not (math.isfinite(clock_hz) and clock_hz > 0):
        raise UnitError(f"clock_hz={clock_hz} must be a finite rate above 0")
    return clock_hz


def _convert(value: float, given: str, unit: str) -> float:
    have, want = dimension(given), dimension(unit)
    if have != want:
        raise UnitError(f"is {_IN_WORDS[have]}, must be {_IN_WORDS[want]} ({unit})")
    registry = _registry()
    result = float(registry.Quantity(value, _expression(given)).to(_expression(unit)).magnitude)
    if not math.isfinite(result):
        raise UnitError(f"is too large for a number of {unit}")
    return result


def _refuse(text: str, given: str) -> float:
    if re.match(r"[,_0-9.eE+-]", given):
        raise UnitError(_not_a_number(text))
    raise UnitError(f"has the unknown unit '{given}', must be one of {', '.join(DIMENSIONS)}")


def _not_a_number(text: str) -> str:
    hint = ": write a decimal point, not a comma" if re.fullmatch(r"[+-]?[0-9]+,[0-9]+\D*", text) else ""
    return f"is not a number{hint}"


def _expression(unit: str) -> str:
    """The unit as the registry spells it: ``1`` is its dimensionless unit."""
    return "" if unit == "1" else unit


@functools.cache
def _registry() -> pint.UnitRegistry[Any]:
    """Pint with nothing in it but our own units, so that no stock meaning of ``cycle`` can slip in."""
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(None)
    registry.define("cycle = [cycle]")
    registry.define("trans = []")
    registry.define("percent = 0.01")
    registry.define("ns = [time]")  # the smallest time is the base, so that all factors are whole numbers
    for name, per_second in _PER_SECOND.items():
        if name != "ns":
            registry.define(f"{name} = {_PER_SECOND['ns'] / per_second!r} * ns")
    for name, hertz in _HERTZ.items():
        registry.define(f"{name} = {hertz!r} / s")
    return registry
