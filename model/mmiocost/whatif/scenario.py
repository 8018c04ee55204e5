"""A scenario: which machine, which change, and the values of the symbols; read strictly from files and options.

Everything that is wrong is reported at once, in the order of the input. Nothing is evaluated: values are numbers
with a unit, names are looked up.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import InvalidInput, Problem, nearest_name
from ..fitting.fit import POPULATION
from ..units import UnitError, parse
from ..vocabulary import MIX_SYMBOLS, SYMBOLS, MixSymbol, resolve
from .library import file_of
from .scenario_file import Head, read_document, shown

_COUNTS = {symbol.name: symbol for symbol in SYMBOLS}
_MIXES = {symbol.name: symbol for symbol in MIX_SYMBOLS}
_TOO_LARGE = 10**300
_MOST_PROBLEMS = 100  # more than there are symbols
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Scenario:
    """Values set by the user; all others have their defaults.

    ``counts`` are symbols of one access, ``mix`` means and rates; ``machine`` is the population, a machine, or
    MACHINE/STATE; ``before`` and ``after`` are generations; ``notes`` say how a kernel release was resolved.
    ``about``, ``sources`` (a text for each symbol) and ``questions`` (quantities) are for a reader.
    """

    name: str = "scenario"
    machine: str = POPULATION
    mode: str = "ept"
    before: str = "v30"
    after: str = "v31"
    counts: Mapping[str, int] = field(default_factory=dict)
    mix: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    about: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    questions: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)  # file or option that gave a value


def read_scenario(
    sets: Sequence[str] = (),
    file: str | os.PathLike[str] | None = None,
    machine: str | None = None,
    *,
    path: str | None = None,
) -> Scenario:
    """A scenario from a YAML or TOML file or the library, ``name=value`` texts, or both; the texts win.

    ``file`` is a file or, where there is none of that name, a name of the library (``library``). Raises InvalidInput
    with all that is wrong with the file and the texts; with a ``path``, also with every value that it does not admit.
    """
    found = file_of(file) if file is not None else None
    document = read_document(found) if found else {}
    return scenario_of(document, str(file) if found else "", sets, machine, path=path)


def scenario_of(
    document: Mapping[str, Any],
    where: str = "",
    sets: Sequence[str] = (),
    machine: str | None = None,
    *,
    path: str | None = None,
) -> Scenario:
    """A scenario from the fields of a file, ``where`` for messages, and ``name=value`` texts; see read_scenario."""
    problems: list[Problem] = []
    values = _Values()
    given = document.get("set", {})
    if isinstance(given, Mapping):
        for name, value in given.items():
            values.take(where, str(name), value)
    else:
        problems.append(Problem(where, "set", shown(given), "must be a mapping of symbols to values"))
    for text in sets:
        name, sign, value = text.partition("=")
        if sign:
            values.take("--set", name.strip(), value.strip())
        else:
            values.problems.append(Problem("--set", "", text, "must have the form name=value"))
    values.exclude("hit_fraction", "generation_rate")
    values.keep_below("zapping_rate", "generation_rate")
    head = Head(document, where)
    found = Scenario(
        head.name, machine or head.machine, head.mode, head.before, head.after, {**head.indicators, **values.counts},
        values.mix, tuple(head.notes), head.about, _still_true(head.sources, sets), head.questions, values.origins,
    )  # fmt: skip
    problems = [*head.problems, *problems, *values.problems, *_not_admitted(path, found)]
    if problems:
        raise InvalidInput(problems)
    return found


def _still_true(sources: Mapping[str, str], sets: Sequence[str]) -> dict[str, str]:
    """The sources of the values that no option replaces."""
    replaced = {text.partition("=")[0].strip() for text in sets}
    return {name: text for name, text in sources.items() if name not in replaced}


def admitted(path: str, scenario: Scenario) -> dict[str, int]:
    """All symbols of one access on a path, as ``vocabulary.resolve`` fills them in.

    Raises InvalidInput, each problem with the file or option that the value is from.
    """
    try:
        return resolve(path, scenario.counts, "--set" if scenario.counts else "")
    except InvalidInput as error:
        origins = scenario.origins
        raise InvalidInput(
            replace(item, where=origins.get(item.field, item.where)) for item in error.problems
        ) from None


def _not_admitted(path: str | None, scenario: Scenario) -> tuple[Problem, ...]:
    if path is not None:
        try:
            admitted(path, scenario)
        except InvalidInput as error:
            return error.problems
    return ()


class _Values:
    """Symbol values taken one by one, with what is wrong with them."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.mix: dict[str, float] = {}
        self.origins: dict[str, str] = {}
        self.problems: list[Problem] = []

    def take(self, where: str, name: str, value: Any) -> None:
        """Take one value; a text may carry a unit."""
        if len(self.problems) >= _MOST_PROBLEMS:
            self._stop(where)
            return
        if name not in _COUNTS and name not in _MIXES:
            nearest = nearest_name(name, [*_COUNTS, *_MIXES])
            self.problems.append(Problem(where, name[:_LONGEST_NAME], "", "unknown name", nearest))
            return
        try:
            number = _number(value, (_MIXES if name in _MIXES else _COUNTS)[name].unit)
        except UnitError as error:
            self.problems.append(Problem(where, name, shown(value), str(error)))
            return
        if name in _MIXES:
            self._mean(where, _MIXES[name], number, value)
        elif number != int(number):
            self.problems.append(Problem(where, name, shown(value), "must be an integer"))
        else:
            self.counts[name] = int(number)
            self.origins[name] = where

    def _mean(self, where: str, symbol: MixSymbol, number: float, value: Any) -> None:
        if symbol.low <= number <= symbol.high:
            self.mix[symbol.name] = number
            return
        upper = f" to {symbol.high:g}" if symbol.high < float("inf") else " or more"
        self.problems.append(Problem(where, symbol.name, shown(value), f"must be {symbol.low:g}{upper}"))

    def _stop(self, where: str) -> None:
        if len(self.problems) == _MOST_PROBLEMS:
            self.problems.append(Problem(where, "", "", f"has more errors than these {_MOST_PROBLEMS}"))

    def exclude(self, one: str, other: str) -> None:
        """Refuse two symbols of which one is derived from the other."""
        if one in self.mix and other in self.mix:
            self.problems.append(
                Problem("", f"{one}, {other}", "", f"set one of them: {one} is derived from {other} unless set")
            )

    def keep_below(self, part: str, whole: str) -> None:
        """Refuse a rate that is part of another and larger than it."""
        if part in self.mix and self.mix.get(whole, float("inf")) < self.mix[part]:
            allowed = f"must be at most {whole}={self.mix[whole]:g}, of which it is a part"
            self.problems.append(Problem("", part, f"{self.mix[part]:g}", allowed))


def _number(value: Any, unit: str) -> float:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int) and abs(value) >= _TOO_LARGE:
        raise UnitError("is too large for a number")
    if isinstance(value, int | float):
        return parse(repr(value), unit)
    if isinstance(value, str):
        return parse(value, unit)
    raise UnitError("must be a number, with a unit or without")
