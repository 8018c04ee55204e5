"""The one place where a number becomes text: value, interval and unit by one rule of rounding.

The rule is that of the Particle Data Group (Review of Particle Physics, Introduction, section 5.3 "Rounding"),
with two significant digits throughout: the uncertainty is given to two significant digits and the value to
the same decimal place. Of an asymmetric interval the shorter side counts, so that no side loses digits that
it has.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

# Enough for every float written out: 309 digits before the point and 324 + 17 after it.
_EXACT = Context(prec=700)
_INTERVAL_DIGITS = 2
_BOUND_DIGITS = 3
_PLAIN_DIGITS = 4
_SCIENTIFIC_FROM = 15
_SCIENTIFIC_BELOW = -9
_NARROW_SPACE = "\u202f"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SHOWN_UNITS = {"1": "", "cycle": "cycles", "cycle/s": "cycles/s", "1/s": "/s", "transaction": "transactions"}


def quantity_text(
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    unit: str = "1",
    *,
    plain: bool = False,
) -> str:
    """Value, interval and unit as text, for example ``590 [410, 810] cycles``.

    One bound alone gives ``at most 111 cycles`` or ``at least 45 cycles``, rounded outwards to three digits.
    Without bounds the value is shown with up to four significant digits, and all before the point. None or NaN is
    ``unknown``. ``plain`` uses ASCII only (no grouping, hyphen for minus). The decimal mark is always a point.
    """
    if value is None or math.isnan(value):
        if low is None and high is None:
            return "unknown"
        value = None
    text = _number_text(value, low, high)
    return _with_unit(text if plain else _typeset(text), unit, plain)


def estimate_text(value: float, low: float | None, high: float | None, unit: str = "1", *, plain: bool = False) -> str:
    """A value whose interval may be open: ``0.61 (at least 0.12)``, and ``0.24 (no bound)`` on both sides."""
    if low is not None and high is not None:
        return quantity_text(value, low, high, unit, plain=plain)
    bound = "no bound" if low is None and high is None else quantity_text(None, low, high, unit, plain=plain)
    return f"{quantity_text(float(f'{value:.2g}'), unit=unit, plain=plain)} ({bound})"


def percent(value: float | None, low: float | None = None, high: float | None = None, *, plain: bool = False) -> str:
    """A share, given as a fraction of 1, as percent: ``2.00 [1.20, 6.90] %``."""
    value, low, high = (None if part is None else part * 100 for part in (value, low, high))
    return quantity_text(value, low, high, "%", plain=plain)


def shown_unit(unit: str) -> str:
    """The unit as it stands behind a number: ``cycle`` becomes ``cycles``, ``1`` nothing."""
    return _SHOWN_UNITS.get(unit, unit)


def round_shown(value: float) -> float:
    """``value`` as it is shown without an interval: four significant digits, but all before the point.

    NaN and infinity are left as they are.
    """
    if not math.isfinite(value):
        return value
    return float(_rounded(value, min(_place(value, _PLAIN_DIGITS), 0), ROUND_HALF_EVEN))


def _number_text(value: float | None, low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return _interval_text(value, low, high)
    if high is not None:
        return f"at most {_decimal_text(_rounded(high, _place(high, _BOUND_DIGITS), ROUND_CEILING))}"
    if low is not None:
        return f"at least {_decimal_text(_rounded(low, _place(low, _BOUND_DIGITS), ROUND_FLOOR))}"
    assert value is not None
    return _exact_text(value)


def _interval_text(value: float | None, low: float, high: float) -> str:
    middle = value if value is not None else (low + high) / 2
    sides = [side for side in (high - middle, middle - low) if side > 0 and math.isfinite(side)]
    if not sides:
        return _exact_text(middle)
    place = _place(min(sides), _INTERVAL_DIGITS)
    shown_low, shown_high = (_decimal_text(_rounded(end, place, ROUND_HALF_EVEN)) for end in (low, high))
    if value is None:
        return f"[{shown_low}, {shown_high}]"
    return f"{_decimal_text(_rounded(value, place, ROUND_HALF_EVEN))} [{shown_low}, {shown_high}]"


def _exact_text(value: float) -> str:
    if not math.isfinite(value):
        return _decimal_text(Decimal(value))
    if value == int(value) and abs(value) < 10**_SCIENTIFIC_FROM:
        return str(int(value))
    place = _place(value, _PLAIN_DIGITS)
    if abs(value) < 10**_SCIENTIFIC_FROM:
        place = min(place, 0)
    text = _decimal_text(_rounded(value, place, ROUND_HALF_EVEN))
    mantissa, exponent, power = text.partition("e")
    return (mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa) + exponent + power


def _place(size: float, digits: int) -> int:
    """Power of ten of the last of ``digits`` significant digits of ``size``, after rounding to them."""
    if size == 0 or not math.isfinite(size):
        return 0
    return int(f"{size:.{digits - 1}e}".partition("e")[2]) - digits + 1


def _rounded(value: float, place: int, rounding: str) -> Decimal:
    if not math.isfinite(value):
        return Decimal(value)
    # By the shortest decimal form: a reader rounds 1.05, not the binary fraction next to it.
    return Decimal(repr(float(value))).quantize(Decimal((0, (1,), place)), rounding=rounding, context=_EXACT)


def _decimal_text(number: Decimal) -> str:
    if number.is_infinite():
        return "-inf" if number < 0 else "inf"
    if number == 0:
        return f"{abs(number):f}" if number.as_tuple().exponent else "0"  # no negative zero
    if _SCIENTIFIC_BELOW < number.adjusted() < _SCIENTIFIC_FROM:
        return f"{number:f}"
    digits = len(number.as_tuple().digits)
    return f"{number:.{max(digits - 1, 0)}e}".replace("e+", "e") if digits < _SCIENTIFIC_FROM else f"{number:.1e}"


def _typeset(text: str) -> str:
    """Narrow spaces between thousands from five digits on, a true minus, powers of ten written out."""
    return " ".join(_typeset_word(word) for word in text.split(" "))


def _typeset_word(word: str) -> str:
    head, tail = ("[" if word.startswith("[") else ""), word[len(word.rstrip("],")) :]
    body = word[len(head) : len(word) - len(tail)]
    if not any(letter.isdigit() for letter in body):
        return word.replace("-inf", "−∞").replace("inf", "∞")
    mantissa, _, exponent = body.partition("e")
    sign, digits = ("−", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
    whole, point, rest = digits.partition(".")
    grouped = f"{int(whole):,}".replace(",", _NARROW_SPACE) if len(whole) >= 5 else whole
    power = f"×10{exponent.translate(_SUPERSCRIPT)}" if exponent else ""
    return f"{head}{sign}{grouped}{point}{rest}{power}{tail}"


def _with_unit(text: str, unit: str, plain: bool) -> str:
    shown = shown_unit(unit)
    if not shown:
        return text
    glue = "" if shown.startswith("/") else (" " if plain else "\u00a0")
    return f"{text}{glue}{shown}"
