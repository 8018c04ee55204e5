"""Counts of events with the slot searches kept apart, so that building blocks can be added up.

Searches that find the RAM slot and searches that find nothing are counted as two numbers until a path is
complete: what they compare depends on their number and order and on the generation's data structure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

ZERO = sp.Integer(0)


@dataclass(frozen=True)
class Tally:
    """Events with their counts (expressions), searches that hit and searches that miss."""

    events: Mapping[str, Any] = field(default_factory=dict)
    hits: Any = ZERO
    misses: Any = ZERO

    def __add__(self, other: Tally) -> Tally:
        names = dict.fromkeys([*self.events, *other.events])
        events = {name: self.events.get(name, ZERO) + other.events.get(name, ZERO) for name in names}
        return Tally(events, self.hits + other.hits, self.misses + other.misses)

    def times(self, factor: Any) -> Tally:
        """Every count multiplied by a factor."""
        events = {name: factor * count for name, count in self.events.items()}
        return Tally(events, factor * self.hits, factor * self.misses)


def tally(hits: Any = 0, misses: Any = 0, **events: Any) -> Tally:
    """A tally from keyword counts."""
    counts = {name: sp.sympify(count) for name, count in events.items()}
    return Tally(counts, sp.sympify(hits), sp.sympify(misses))
