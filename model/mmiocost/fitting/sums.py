"""Sums of costs that the evidence knows although it can't tell their parts: differences inside one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .fit import Fit
from .intervals import Interval, interval
from .prediction import weighted_costs
from .rows import Row


@dataclass(frozen=True)
class KnownSum:
    """A sum of costs on one machine in one state: ``parts`` with their counts, and its interval in cycles.

    ``weakest`` is the relative width of the least known part, against ``relative`` of the sum.
    """

    machine: str
    state: str
    parts: tuple[tuple[str, float], ...]
    cycles: Interval
    relative: float
    weakest: float


def known_sums(fit: Fit, rows: Sequence[Row], sharper_by: float = 3.0) -> tuple[KnownSum, ...]:
    """Differences of two rows of one state in which each part is known far less well than the sum.

    ``sharper_by`` is how many times narrower, relative to its size, the sum must be than its widest part.
    """
    found: dict[tuple[str, str, tuple[tuple[str, float], ...]], KnownSum] = {}
    for one in rows:
        for other in rows:
            if (one.machine, one.state) == (other.machine, other.state) and not one.per and not other.per:
                item = _sum(fit, one, other)
                if item and item.weakest > sharper_by * item.relative:
                    found.setdefault((item.machine, item.state, item.parts), item)
    return tuple(found.values())


def _sum(fit: Fit, one: Row, other: Row) -> KnownSum | None:
    names = dict.fromkeys([*one.counts, *other.counts])
    parts = {name: one.counts.get(name, 0) - other.counts.get(name, 0) for name in names}
    parts = {name: count for name, count in parts.items() if count != 0}
    if len(parts) < 2 or not all(count > 0 for count in parts.values()):
        return None
    whole = interval(weighted_costs(fit, parts, one.machine, one.state))
    widest = max(_relative(interval(weighted_costs(fit, {name: 1}, one.machine, one.state))) for name in parts)
    return KnownSum(one.machine, one.state, tuple(parts.items()), whole, _relative(whole), widest)


def _relative(found: Interval) -> float:
    return ((found.high or found.value) - (found.low or 0.0)) / found.value
