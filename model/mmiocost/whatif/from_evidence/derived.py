"""One value that the evidence gives for a symbol, with all that is needed to judge it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from .estimates import Estimate

Bound = Literal["lower", "upper"]
#: Which of two kinds of file is believed where both speak: single events before sums by reason or address, these
#: before counters, these before what a host says of itself.
TRACE, REPORT, COUNTER, NOTE = range(4)


@dataclass(frozen=True)
class Derived:
    """A value for a symbol: a number with its 95 % interval, or a text such as a mode.

    ``source`` is the base name of its file, ``id`` the import; ``bound`` says on which side of the truth the value
    lies for sure; ``kind`` is TRACE, REPORT, COUNTER or NOTE; a rate is that of one of ``vcpus``.
    """

    symbol: str
    value: float | str
    low: float | None
    high: float | None
    source: str
    rule: str
    bound: Bound | None = None
    id: str = ""
    kind: int = TRACE
    vcpus: int = 1

    def contradicts(self, other: Derived) -> bool:
        """Whether two values can't both hold: other texts, or intervals without a common point."""
        if isinstance(self.value, str) or isinstance(other.value, str):
            return self.value != other.value
        return self._least() > other._most() or other._least() > self._most()

    def text(self) -> str:
        """The value with its interval, for a message."""
        if isinstance(self.value, str):
            return self.value
        low, high = ("open" if end is None else f"{end:.4g}" for end in (self.low, self.high))
        return f"{self.value:.4g} [{low}, {high}]"

    def _least(self) -> float:
        return -math.inf if self.low is None or self.bound == "upper" else self.low

    def _most(self) -> float:
        return math.inf if self.high is None or self.bound == "lower" else self.high


@dataclass(frozen=True)
class File:
    """The file that values are derived from: base name, import, what kind it is, whether events were lost."""

    name: str
    id: str
    kind: int
    lossy: bool = False

    def text(self, symbol: str, value: str, rule: str) -> Derived:
        """A value that is no number."""
        return Derived(symbol, value, None, None, self.name, rule, None, self.id, self.kind)

    def share(self, symbol: str, found: Estimate, rule: str) -> Derived:
        """A share, which losses do not bend to one side."""
        return Derived(symbol, found.value, found.low, found.high, self.name, rule, None, self.id, self.kind)

    def rate(self, symbol: str, found: Estimate, rule: str, bound: Bound | None = None, vcpus: int = 1) -> Derived:
        """A rate or number; a lower bound where events were lost, and then open to above."""
        if bound is None and self.lossy:
            bound, rule = "lower", f"{rule}; events were lost"
        made = self.share(symbol, found, rule)
        if bound == "lower":
            made = replace(made, high=None)
        elif bound == "upper":
            made = replace(made, low=None)
        return replace(made, bound=bound, vcpus=vcpus)
