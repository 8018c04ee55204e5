"""Which whole numbers of a symbol's range a path admits, and the one that stands at a coordinate.

Of the admissible values of a symbol, given those of the symbols before it, a coordinate of the unit interval picks
one: evenly, or on a logarithmic scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InvalidInput
from ..fitting.design import Array
from ..vocabulary import SYMBOLS, resolve

LOG_FROM = 100.0  # a range of more than two decades is varied on a logarithmic scale
_LISTED = 64  # a domain of at most so many values is listed, a larger one known by its ends
ORDER = {symbol.name: place for place, symbol in enumerate(SYMBOLS)}

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Varied:
    """A symbol and the range, in ``unit``, over which it is varied."""

    name: str
    low: float
    high: float
    unit: str

    @property
    def is_whole(self) -> bool:
        """Whether the symbol takes whole numbers only."""
        return self.name in ORDER

    @property
    def is_listed(self) -> bool:
        """Whether its whole numbers are few enough to be listed."""
        return self.high - self.low < _LISTED

    @property
    def scale(self) -> str:
        """How values are spread over the range."""
        return "log" if self.low > 0 and self.high / self.low > LOG_FROM else "linear"


class Domain:
    """Which values of a symbol's range a path admits, given those of the symbols before it.

    A short range is listed. Of a long one, the symbols that default to its value are its ``followers``.
    """

    def __init__(self, path: str, counts: Counts, symbol: Varied, before: Sequence[Domain]) -> None:
        self.symbol, self.is_listed = symbol, symbol.is_listed
        self._path, self._counts = path, counts
        self._known: dict[tuple[int, ...], range | list[int]] = {}
        depends = [item for item in before if item.is_listed or self._moves_with(item, before)]
        self._depends = [item.symbol.name for item in depends]
        self.followers = () if self.is_listed else self._followers(_at_end(before, 0))

    def _moves_with(self, other: Domain, before: Sequence[Domain]) -> bool:
        """Whether the values change between the ends of another symbol's, all others at either end of theirs."""
        return any(self._found(_at_end(before, end)) != self._found(_at_end(before, end, other)) for end in (0, -1))

    def _followers(self, before: Counts) -> tuple[str, ...]:
        allowed = self.allowed(before)
        name = self.symbol.name
        low, high = (resolve(self._path, {**self._counts, **before, name: allowed[end]}) for end in (0, -1))
        return tuple(item for item in low if item != name and low[item] != high[item])

    def values(self, place: Array, before: Mapping[str, Array]) -> Array:
        """The value at each place of the domain, (points,)."""
        found = np.empty(len(place), dtype=int)
        first, inverse = groups([before[name] for name in self._depends], len(place))
        for number, row in enumerate(first):
            chosen = inverse == number
            allowed = self.allowed({name: int(before[name][row]) for name in self._depends})
            found[chosen] = _pick(allowed, place[chosen], self.symbol.scale)
        return found

    def allowed(self, before: Counts) -> range | list[int]:
        """Admissible values beside those of the symbols before. Raises InvalidInput where there is none."""
        key = tuple(before[name] for name in self._depends)
        if key not in self._known:
            self._known[key] = self._found(before)
        return self._known[key]

    def _found(self, before: Counts) -> range | list[int]:
        low, high = int(self.symbol.low), int(self.symbol.high)
        if self.is_listed:
            found: range | list[int] = [value for value in range(low, high + 1) if self._admits(before, value)]
        else:
            found = range(low, _last(low, high, lambda value: self._admits(before, value)) + 1)
        if not found:
            given = "".join(f" with {name}={value}" for name, value in before.items())
            allowed = f"holds no value that {self._path} admits{given}"
            raise InvalidInput.one("--over", self.symbol.name, f"{low}:{high}", allowed)
        return found

    def _admits(self, before: Counts, value: int) -> bool:
        try:
            resolve(self._path, {**self._counts, **before, self.symbol.name: value})
        except InvalidInput:
            return False
        return True


def _at_end(domains: Sequence[Domain], end: int, turned: Domain | None = None) -> dict[str, int]:
    """The first (0) or last (-1) admissible value of each symbol, one after the other; of ``turned`` the opposite."""
    found: dict[str, int] = {}
    for domain in domains:
        found[domain.symbol.name] = domain.allowed(found)[-1 - end if domain is turned else end]
    return found


def _last(low: int, high: int, admits: Callable[[int], bool]) -> int:
    """The largest admissible value of a domain without gaps that begins at ``low``; ``low`` - 1 where there is none."""
    if admits(high):
        return high
    good, bad = low - 1, high
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if admits(middle) else (good, middle)
    return good


def _pick(allowed: range | list[int], place: Array, scale: str) -> Any:
    count = len(allowed)
    if isinstance(allowed, list):
        return np.asarray(allowed)[np.minimum((place * count).astype(int), count - 1)]
    low = allowed[0]
    step = low * ((low + count) / low) ** place - low if scale == "log" else place * count
    return low + np.minimum(np.floor(step).astype(int), count - 1)


def groups(columns: Sequence[Array], points: int) -> tuple[Any, Any]:
    """A first point of each combination of values, and the number of its combination for every point."""
    code = np.zeros(points, dtype=int)
    for column in columns:
        values, place = np.unique(column, return_inverse=True)
        code = code * len(values) + place.reshape(-1)
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    return first, inverse.reshape(-1)
