"""What either side counts: the closed forms by exact evaluation, the reference machine by running it.

Both take what is imported at the moment, so that they see a fault that ``rooms`` has put in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import sympy as sp

from mmiocost.vocabulary import COLD_COMPARE, event_names

from .drawn import Point

Counts = dict[str, int]


class PartedError(Exception):
    """Two forms of one function, or two ways to run one path, give different numbers."""


def expressions(path: str) -> dict[str, Any]:
    """The closed form of a path, by event; of a slot search in vain also its compares if it is cold."""
    paths = import_module("mmiocost.equations.paths")
    found = dict(paths.counts(path))
    if path.endswith(".slot.miss"):
        cold = paths.terms(path)[COLD_COMPARE]
        found[COLD_COMPARE] = cold.xreplace(
            {item: 1 for item in cold.free_symbols if item.name == "cold_search_fraction"}
        )
    return found


def counted(found: Mapping[str, Any], scenarios: Sequence[Point]) -> list[Counts]:
    """Counts by a closed form in each scenario; zero counts left out. Raises ArithmeticError for a fraction."""
    columns = {name: np.array([point[name] for point in scenarios]) for name in scenarios[0]}
    rows: list[Counts] = [{} for _ in scenarios]
    for event, expression in found.items():
        values = np.broadcast_to(_evaluated(sp.sympify(expression), columns), len(scenarios))
        for row, value in zip(rows, values.tolist(), strict=True):
            if value:
                row[event] = value
    return rows


def _evaluated(expression: Any, columns: Mapping[str, Any]) -> Any:
    if expression.is_Integer:
        return int(expression)
    if expression.is_Symbol:
        return columns[expression.name]
    arguments = [_evaluated(argument, columns) for argument in expression.args]
    if expression.is_Add:
        return sum(arguments[1:], arguments[0])
    if expression.is_Mul:
        return np.prod(np.broadcast_arrays(*arguments), axis=0)
    if isinstance(expression, sp.Function | sp.Max):
        return _applied(expression.func, np.broadcast_arrays(*arguments))
    raise ArithmeticError(f"no count: {expression}")


def _applied(function: Any, arguments: Sequence[Any]) -> Any:
    """A function at each place of the arguments, once for equal ones, in SymPy's integers."""
    rows = list(zip(*(argument.ravel().tolist() for argument in arguments), strict=True))
    values = {row: int(function(*(sp.Integer(value) for value in row))) for row in set(rows)}
    found = np.array([values[row] for row in rows]).reshape(arguments[0].shape)
    if function.__module__.startswith("mmiocost."):
        _check_partly_known(function, values)
    name = {"Bisection": "bisection_compares", "TreeHit": "tree_hit_compares"}.get(function.__name__)
    if name and not np.array_equal(getattr(sys.modules["mmiocost.equations.integer"], name)(*arguments), found):
        raise PartedError(f"{name} of an array is not what it is of its numbers")
    return found


def run(path: str, scenario: Point) -> Counts:
    """Counts by the machine; zero counts left out.

    Raises PartedError if the state that stands for the path leads to another, or ``simulate`` counts other events.
    """
    machine = import_module("mmiocost.mechanism")
    outcome = machine.run(*machine.build(path, scenario))
    if outcome.path != path:
        raise PartedError(f"{outcome.path} instead of {path}")
    if machine.simulate(path, scenario) != outcome.events:
        raise PartedError("simulate and run count different events")
    events = dict(outcome.events)
    return events | {COLD_COMPARE: events["slot_compare"]} if path.endswith(".slot.miss") else events


def _check_partly_known(function: Any, values: Mapping[tuple[int, ...], int]) -> None:
    """An argument that gets its number later makes no difference (break-evens are solved for one symbol)."""
    for row in sorted(values)[:3]:
        for place in range(len(row)):
            later = sp.Symbol("later", integer=True)
            known: list[Any] = [sp.Integer(value) for value in row]
            known[place] = later
            if function(*known).subs(later, row[place]) != values[row]:
                raise PartedError(f"{function.__name__} is another if argument {place} is known later")


def check_shapes() -> list[str]:
    """The halving searches give an array wherever one of their arguments is one. Raises PartedError if not."""
    integer = import_module("mmiocost.equations.integer")
    for name in ("bisection_compares", "tree_hit_compares"):
        for many in (np.array([0, 0]), np.array([1, 1])):
            for arguments in ((many, 0), (int(many[0]), np.array([0, 0]))):
                if np.shape(getattr(integer, name)(*arguments)) != (2,):
                    raise PartedError(f"{name} of an array is none")
    return []


@cache
def _order() -> dict[str, int]:
    return {name: place for place, name in enumerate(event_names())}


def differing(found: Counts, expected: Counts) -> Iterator[str]:
    """Events that are counted differently, in the order of the vocabulary."""
    names = found.keys() | expected.keys()
    for name in sorted(names, key=lambda name: _order().get(name, len(_order()))):
        if found.get(name, 0) != expected.get(name, 0):
            yield name
