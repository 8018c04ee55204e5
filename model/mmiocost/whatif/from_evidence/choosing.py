"""One value for each symbol out of those that several files give."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from ...errors import InvalidInput, Problem
from .derived import Derived


def chosen(candidates: Iterable[Derived], prefer: str | None, where: str) -> tuple[dict[str, Derived], list[str]]:
    """The value of each symbol, and what to say of those that lost against a better kind of file.

    A file that is preferred (the id of its import) wins wherever it speaks; else the best kind does, of which the
    narrowest interval is taken. Raises InvalidInput where two files of the best kind contradict each other.
    """
    by_symbol: dict[str, list[Derived]] = {}
    for item in candidates:
        by_symbol.setdefault(item.symbol, []).append(item)
    found: dict[str, Derived] = {}
    problems: list[Problem] = []
    warnings: list[str] = []
    for symbol, items in by_symbol.items():
        best = [item for item in items if item.id == prefer] or _best_kind(items)
        problems += _contradictions(best, where)
        found[symbol] = min(best, key=_looseness)
        warnings += _overruled(found[symbol], [item for item in items if item not in best])
    if problems:
        raise InvalidInput(problems)
    return found, warnings


def _best_kind(items: Sequence[Derived]) -> list[Derived]:
    kind = min(item.kind for item in items)
    return [item for item in items if item.kind == kind]


def _contradictions(items: Sequence[Derived], where: str) -> Iterator[Problem]:
    for one, other in combinations(items, 2):
        if one.id != other.id and one.contradicts(other):
            allowed = (
                f"two files disagree: {one.source} ({one.id}) says {one.text()}, {other.source} ({other.id}) says"
                f" {other.text()}; --prefer FILE decides, or import them into different folders"
            )
            yield Problem(where, one.symbol, "", allowed)


def _looseness(item: Derived) -> tuple[float, float]:
    """How little a value says: a bound less than an interval, a lower bound less the lower it is."""
    if isinstance(item.value, str):
        return 0.0, 0.0
    if item.bound is not None:
        return 1.0, -item.value if item.bound == "lower" else item.value
    width = math.inf if item.low is None or item.high is None else item.high - item.low
    return 0.0, width / item.value if item.value else math.inf


def _overruled(winner: Derived, others: Sequence[Derived]) -> Iterator[str]:
    for other in others:
        if other.contradicts(winner):
            yield (
                f"{winner.symbol}: {winner.source} ({winner.text()}) is taken against {other.source} ({other.text()})"
            )
