"""A sweep split into cases: one for each combination of paging mode, generation and count with few values.

Within a case only means, rates and long axes of counts (``slots``) vary, as arrays. The vocabulary's own rules say
what a path admits and which defaults follow a count: they are asked at the ends of the long axes, since every domain
with more values than a short axis holds has no gaps and widens or narrows with the counts that it hangs on.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import InvalidInput, Problem
from ..fitting.design import Array
from ..fitting.fit import Fit
from ..vocabulary import SYMBOLS
from .axes import Axis
from .scenario import Scenario
from .terms import OVERHEAD, SAVING, SPEEDUP, indicators, quantity_kernel

_MOST = 20_000
_COUNTS = tuple(item.name for item in SYMBOLS)
_CHOICES_OF: dict[str, tuple[str, ...]] = {SAVING: ("mode", "after"), SPEEDUP: ("mode", "after"), OVERHEAD: ("after",)}


@dataclass(frozen=True)
class Case:
    """A scenario with everything chosen that is no array; ``chosen`` are the values of the axes behind it.

    ``follows``: counts that equal another one wherever it varies, such as ``mmio_gap`` with ``slots``.
    """

    quantity: str
    scenario: Scenario
    chosen: Mapping[str, Any]
    follows: Mapping[str, str]
    settings: Mapping[str, int]

    def full(self, columns: Mapping[str, Array]) -> tuple[str, dict[str, Any]]:
        """Kernel of the quantity and all symbols, for columns (arrays that broadcast) of some of the long axes."""
        mix: dict[str, Any] = {name: column for name, column in columns.items() if name not in _COUNTS}
        counts = {name: column for name, column in columns.items() if name in _COUNTS}
        counts |= {name: columns[leader] for name, leader in self.follows.items() if leader in columns}
        scenario = replace(self.scenario, mix={**self.scenario.mix, **mix})
        return quantity_kernel(self.quantity, scenario, **{**self.settings, **counts})


def cases(quantity: str, scenario: Scenario, axes: Sequence[Axis], fit: Fit) -> list[Case]:
    """All cases, the last axis varying fastest. Raises InvalidInput with all that a path does not admit."""
    short = [axis for axis in axes if axis.is_short]
    _check_choices(quantity, short)
    if np.prod([len(axis.values) for axis in short], dtype=float) > _MOST:
        allowed = f"have more than {_MOST} combinations of modes, generations and counts: sweep fewer at once"
        raise InvalidInput.one("--over", ", ".join(axis.name for axis in short), "", allowed)
    long = [axis for axis in axes if not axis.is_short]
    problems: dict[Problem, None] = {}
    found = []
    for values in itertools.product(*(axis.values.tolist() for axis in short)):
        chosen = dict(zip((axis.name for axis in short), values, strict=True))
        try:
            found.append(_case(quantity, _chosen(scenario, chosen), chosen, long, fit))
        except InvalidInput as error:
            names = {axis.name for axis in axes}
            problems.update((_renamed(problem, names), None) for problem in error.problems)
    if problems:
        raise InvalidInput(problems)
    return found


def _check_choices(quantity: str, short: Sequence[Axis]) -> None:
    for axis in short:
        if axis.is_choice and axis.name not in _CHOICES_OF.get(quantity, ()):
            raise InvalidInput.one("--over", axis.name, "", f"does not vary {quantity}")


def _renamed(problem: Problem, axes: set[str]) -> Problem:
    return replace(problem, where="--over") if problem.field in axes else problem


def _chosen(scenario: Scenario, chosen: Mapping[str, Any]) -> Scenario:
    counts = {name: value for name, value in chosen.items() if name in _COUNTS}
    return replace(
        scenario, mode=chosen.get("mode", scenario.mode), after=chosen.get("after", scenario.after),
        counts={**scenario.counts, **counts},
    )  # fmt: skip


def _case(quantity: str, scenario: Scenario, chosen: Mapping[str, Any], long: Sequence[Axis], fit: Fit) -> Case:
    """One case, with its long axes at their lowest values."""
    mix = {axis.name: float(axis.ends[0]) for axis in long if not axis.is_whole}
    scenario = replace(scenario, mix={**scenario.mix, **mix})
    settings = indicators(scenario, fit)
    whole = [axis for axis in long if axis.is_whole]
    corners = [
        quantity_kernel(quantity, replace(scenario, counts={**scenario.counts, **corner}), **settings)[1]
        for corner in _corners(whole)
    ]
    lowest = {axis.name: int(axis.ends[0]) for axis in whole}
    follows = {
        name: _leader(name, corners, lowest)
        for name in _COUNTS
        if name not in lowest and any(corner[name] != corners[0][name] for corner in corners)
    }
    return Case(quantity, replace(scenario, counts={**scenario.counts, **lowest}), chosen, follows, settings)


def _corners(whole: Sequence[Axis]) -> Iterator[dict[str, int]]:
    for values in itertools.product(*(axis.ends.tolist() for axis in whole)):
        yield dict(zip((axis.name for axis in whole), values, strict=True))


def _leader(name: str, corners: Sequence[Mapping[str, int]], lowest: Mapping[str, int]) -> str:
    """The axis of counts that the default of a symbol equals."""
    for leader in lowest:
        if all(corner[name] == corner[leader] for corner in corners):
            return leader
    raise AssertionError(f"the default of {name} follows no single count")  # tests hold every path against this
