"""Scores of rival forms as cells and columns of a table."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from ...fitting.selection import scores
from ..numbers import quantity_text


def score_columns(schemes: Sequence[str]) -> tuple[str, ...]:
    """Columns of the cells of :func:`score_numbers`."""
    return ("parameters", "rms residual", *(f"{name} left out" for name in schemes))


def score_numbers(item: scores.Score, schemes: Sequence[str]) -> tuple[object, ...]:
    """Parameters, residual, and by scheme the error of the log with the log density in parentheses."""
    found = (item.scheme(name) for name in schemes)
    return (
        item.parameters,
        digits(item.rms),
        *(f"{digits(scheme.error)} ({signed(scheme.log_density)})" for scheme in found),
    )


def verdict_text(used: scores.Score, item: scores.Score, left_out: str) -> str:
    """Difference of a rival to the form that is used, its standard error, and the verdict."""
    if item.form == used.form:
        return "this one"
    found = scores.compare(used, item, left_out)
    if found.verdict == scores.SAME:
        return found.verdict
    error = f" ± {quantity_text(round(found.error, 1))}" if math.isfinite(found.error) else ""
    return f"{signed(found.difference)}{error}: {found.verdict}"


def digits(value: float) -> str:
    """Two significant digits."""
    return quantity_text(float(f"{value:.2g}"))


def signed(value: float) -> str:
    """A log density to a tenth, with its sign."""
    shown = round(value, 1)
    return f"+{quantity_text(shown)}" if shown > 0 else quantity_text(shown)


def by_verdict(used: scores.Score, rivals: Sequence[scores.Score], left_out: str) -> str:
    """Rivals by verdict, as a sentence each."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for item in rivals:
        if item.form != used.form:
            found[scores.compare(used, item, left_out).verdict].append(item.form)
    return ". ".join(f"{verdict[:1].upper()}{verdict[1:]}: {'; '.join(names)}" for verdict, names in found.items())
