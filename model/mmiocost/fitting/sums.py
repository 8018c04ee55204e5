"""Sums of costs that the evidence knows although it can't tell their parts: rows of one state, and their differences.

What is looked for is small: a sum that contains another one says no more than its rest. Another kind of exit is the
anchor with a factor of its own, so two exits of one count cancel but for what their kinds differ.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..evidence import Prior
from .fit import Fit
from .intervals import Interval, interval
from .parameters import ANCHOR, is_relative
from .prediction import weighted_costs
from .rows import Row

Counts = Mapping[str, float]
WIDEST = 0.5  # width of an interval over its value: a sum that is wider is not known
SHARPER = 3.0  # how many times narrower than its least known part a sum is that says more than its parts


@dataclass(frozen=True)
class KnownSum:
    """A sum of costs on one machine in one state: ``parts`` with their counts, and its interval in cycles.

    A part with a negative count is taken off. ``relative`` is the width of the interval over its value;
    ``sharper`` is how many times wider that of the least known part is, in cycles; ``shares`` are the medians of
    the parts over that of the sum.
    """

    machine: str
    state: str
    parts: tuple[tuple[str, float], ...]
    cycles: Interval
    relative: float
    sharper: float
    shares: tuple[float, ...]

    @property
    def says_more_than_its_parts(self) -> bool:
        """Whether one of the parts is known much less well than the sum."""
        return self.sharper >= SHARPER


def known_sums(fit: Fit, rows: Sequence[Row]) -> tuple[KnownSum, ...]:
    """Sums of every machine in every state that are known although a part of them is not."""
    return tuple(item for item in determined_sums(fit, rows) if item.says_more_than_its_parts)


def determined_sums(fit: Fit, rows: Sequence[Row]) -> tuple[KnownSum, ...]:
    """The same with those whose parts are known as well."""
    found = []
    for machine, state in dict.fromkeys((row.machine, row.state) for row in rows):
        own = [row.counts for row in rows if (row.machine, row.state) == (machine, state) and not row.per]
        found += [_known(fit, machine, state, counts) for counts in smallest_sums(own, fit.priors)]
    return tuple(item for item in found if 0 < item.relative <= WIDEST)


def smallest_sums(rows: Iterable[Counts], priors: Mapping[str, Prior]) -> tuple[Counts, ...]:
    """Of rows' counts and their differences those of two parts or more that say something the others don't.

    At most one cost is taken off, exits that cancel not counted: a difference of two paths that share little is no
    sum that anyone would add up. A sum is left out if it adds all that a smaller one adds, or nothing else.
    """
    distinct = list({tuple(sorted(row.items())): row for row in rows}.values())
    candidates = [(_with_one_exit(item, priors), item) for item in _rows_and_differences(distinct)]
    candidates = [(merged, item) for merged, item in candidates if len(_added(merged)) > 1 >= _taken_off(merged)]
    candidates.sort(key=lambda pair: (len(pair[0]) + _taken_off(pair[0]), _taken_off(pair[0])))
    kept: list[tuple[Counts, Counts]] = []
    for merged, item in candidates:
        added = _added(merged)
        if not any(_within(smaller, added) or set(added) <= set(smaller) for smaller, _ in kept):
            kept.append((added, item))
    return tuple(item for _, item in kept)


def _added(counts: Counts) -> Counts:
    return {name: count for name, count in counts.items() if count > 0}


def _taken_off(counts: Counts) -> int:
    return sum(count < 0 for count in counts.values())


def _within(part: Counts, whole: Counts) -> bool:
    return all(whole.get(name, 0) >= count for name, count in part.items())


def _rows_and_differences(rows: Sequence[Counts]) -> Iterator[Counts]:
    yield from rows
    for one, other in itertools.permutations(rows, 2):
        names = dict.fromkeys([*one, *other])
        parts = {name: one.get(name, 0) - other.get(name, 0) for name in names}
        yield {name: count for name, count in parts.items() if count != 0}


def _with_one_exit(counts: Counts, priors: Mapping[str, Prior]) -> dict[str, float]:
    """Counts with all kinds of exit as one; those that cancel are left out."""
    found: dict[str, float] = {}
    for name, count in counts.items():
        kind = ANCHOR if is_relative(priors[name]) else name
        found[kind] = found.get(kind, 0) + count
    return {name: count for name, count in found.items() if count != 0}


def _known(fit: Fit, machine: str, state: str, counts: Counts) -> KnownSum:
    whole = interval(weighted_costs(fit, counts, machine, state))
    each = {name: interval(weighted_costs(fit, {name: count}, machine, state)) for name, count in counts.items()}
    width = _width(whole)
    return KnownSum(
        machine,
        state,
        tuple((name, float(count)) for name, count in counts.items()),
        whole,
        width / whole.value,
        max(_width(item) for item in each.values()) / width,
        tuple(item.value / whole.value for item in each.values()),
    )


def _width(found: Interval) -> float:
    return (found.high or found.value) - (found.low or 0.0)
