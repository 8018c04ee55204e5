"""Numbers as tools print them."""

from __future__ import annotations

import math

_LONGEST = 40
_BOUND = 1 << 63


def number(text: str) -> float | None:
    """A number with a decimal point, or a decimal comma where there is no point; None for nan and inf.

    Raises ValueError where it is none.
    """
    if len(text) > _LONGEST or "_" in text:
        raise ValueError("no number")
    value = float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    return value if math.isfinite(value) else None


def whole(text: str) -> int:
    """A whole number of plain digits, signed or not, that 64 bits hold. Raises ValueError."""
    digits = text[1:] if text[:1] in "+-" else text
    if not digits.isdecimal() or not digits.isascii() or len(digits) > _LONGEST:
        raise ValueError("no whole number")
    value = int(text)
    if not -_BOUND <= value < _BOUND:
        raise ValueError("too large")
    return value
