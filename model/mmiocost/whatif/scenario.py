"""A scenario: which machine, which change, and the values of the symbols; read strictly from files and options.

Everything that is wrong is reported at once, in the order of the input. Nothing is evaluated: values are numbers
with a unit, names are looked up.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, Problem, nearest_name
from ..fitting.fit import POPULATION
from ..units import UnitError, parse
from ..vocabulary import GENERATIONS, MIX_SYMBOLS, SYMBOLS, MixSymbol, generation_of_kernel, resolve

MODES = ("ept", "shadow", "nonpaging")
_COUNTS = {symbol.name: symbol for symbol in SYMBOLS}
_MIXES = {symbol.name: symbol for symbol in MIX_SYMBOLS}
_GENERATIONS = tuple(item.id for item in GENERATIONS)
_FILE_LIMIT = 1 << 20
_TEXT_LIMIT = 200
_TOO_LARGE = 10**300
_MESSAGE = reprlib.Repr()
_MESSAGE.maxlevel = 2  # aliases of YAML can make a short file unfold without end


@dataclass(frozen=True)
class Scenario:
    """Values set by the user; all others have their defaults.

    ``counts`` are symbols of one access, ``mix`` means and rates; ``machine`` is the population, a machine, or
    MACHINE/STATE; ``before`` and ``after`` are generations; ``notes`` say how a kernel release was resolved.
    """

    name: str = "scenario"
    machine: str = POPULATION
    mode: str = "ept"
    before: str = "v30"
    after: str = "v31"
    counts: Mapping[str, int] = field(default_factory=dict)
    mix: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_scenario(
    sets: Sequence[str] = (), file: Path | None = None, machine: str | None = None, *, path: str | None = None
) -> Scenario:
    """A scenario from a YAML or TOML file, ``name=value`` texts, or both; the texts win.

    Raises InvalidInput with all that is wrong with the file and the texts; with a ``path``, also with every value
    that it does not admit.
    """
    problems: list[Problem] = []
    document = _document(file) if file else {}
    where = str(file) if file else ""
    values = _Values()
    given = document.get("set", {})
    if isinstance(given, Mapping):
        for name, value in given.items():
            values.take(where, str(name), value)
    else:
        problems.append(Problem(where, "set", _shown(given), "must be a mapping of symbols to values"))
    for text in sets:
        name, sign, value = text.partition("=")
        if sign:
            values.take("--set", name.strip(), value.strip())
        else:
            problems.append(Problem("--set", "", text, "must have the form name=value"))
    values.exclude("hit_fraction", "generation_rate")
    head = _Head(document, where)
    problems = [*head.problems, *problems, *values.problems, *_not_admitted(path, values.counts)]
    if problems:
        raise InvalidInput(problems)
    return Scenario(
        head.name, machine or head.machine, head.mode, head.before, head.after, values.counts, values.mix,
        tuple(head.notes),
    )  # fmt: skip


def _not_admitted(path: str | None, counts: Mapping[str, int]) -> tuple[Problem, ...]:
    if path is None:
        return ()
    try:
        resolve(path, counts, "--set" if counts else "")
    except InvalidInput as error:
        return error.problems
    return ()


class _Values:
    """Symbol values taken one by one, with what is wrong with them."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.mix: dict[str, float] = {}
        self.problems: list[Problem] = []

    def take(self, where: str, name: str, value: Any) -> None:
        """Take one value; a text may carry a unit."""
        if name not in _COUNTS and name not in _MIXES:
            nearest = nearest_name(name, [*_COUNTS, *_MIXES])
            self.problems.append(Problem(where, name, "", "unknown name", nearest))
            return
        try:
            number = _number(value, (_MIXES if name in _MIXES else _COUNTS)[name].unit)
        except UnitError as error:
            self.problems.append(Problem(where, name, _shown(value), str(error)))
            return
        if name in _MIXES:
            self._mean(where, _MIXES[name], number, value)
        elif number != int(number):
            self.problems.append(Problem(where, name, _shown(value), "must be an integer"))
        else:
            self.counts[name] = int(number)

    def _mean(self, where: str, symbol: MixSymbol, number: float, value: Any) -> None:
        if symbol.low <= number <= symbol.high:
            self.mix[symbol.name] = number
            return
        upper = f" to {symbol.high:g}" if symbol.high < float("inf") else " or more"
        self.problems.append(Problem(where, symbol.name, _shown(value), f"must be {symbol.low:g}{upper}"))

    def exclude(self, one: str, other: str) -> None:
        """Refuse two symbols of which one is derived from the other."""
        if one in self.mix and other in self.mix:
            self.problems.append(
                Problem("", f"{one}, {other}", "", f"set one of them: {one} is derived from {other} unless set")
            )


def _shown(value: Any) -> str:
    """A value that came in, as text for a message; never long."""
    return value[:_TEXT_LIMIT] if isinstance(value, str) else _MESSAGE.repr(value)


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


class _Head:
    """The fields of a scenario file other than ``set``."""

    def __init__(self, document: Mapping[str, Any], where: str) -> None:
        self.where, self.problems, self.notes = where, list[Problem](), list[str]()
        known = ("name", "machine", "state", "mode", "compare", "set")
        for name in document:
            if name not in known:
                self._problem(str(name), "", "unknown field", nearest_name(str(name), known))
        self.name = self._text(document, "name", "scenario")
        self.mode = self._text(document, "mode", "ept", MODES)
        self.machine = self._machine(document)
        compare = document.get("compare", {})
        compare = compare if isinstance(compare, Mapping) else {"": compare}
        for name in compare:
            if name not in ("before", "after"):
                self._problem(f"compare.{name}", "", "must be a mapping with before and after")
        self.before = self._generation(compare, "before", "v30")
        self.after = self._generation(compare, "after", "v31")

    def _problem(self, name: str, got: object, allowed: str, nearest: str | None = None) -> None:
        self.problems.append(Problem(self.where, name, _shown(got), allowed, nearest))

    def _text(self, document: Mapping[str, Any], name: str, default: str, allowed: Sequence[str] = ()) -> str:
        value = document.get(name, default)
        if not isinstance(value, str) or len(value) > _TEXT_LIMIT:
            self._problem(name, value, "must be a short text")
        elif allowed and value not in allowed:
            self._problem(name, value, f"must be one of {', '.join(allowed)}", nearest_name(value, allowed))
        else:
            return value
        return default

    def _machine(self, document: Mapping[str, Any]) -> str:
        machine, state = self._text(document, "machine", POPULATION), document.get("state", "")
        if isinstance(state, str):
            return f"{machine}/{state}" if state else machine
        self._problem("state", state, "must be the name of a state of the machine")
        return machine

    def _generation(self, compare: Mapping[str, Any], name: str, default: str) -> str:
        given = compare.get(name, default)
        if isinstance(given, float):
            self._problem(f"compare.{name}", given, 'must be in quotes, such as "3.10", which is not 3.1')
            return default
        value = _shown(given)
        if value in _GENERATIONS:
            return value
        try:
            found = generation_of_kernel(value)
        except InvalidInput:
            allowed = f"must be a kernel release or one of {', '.join(_GENERATIONS)}"
            self._problem(f"compare.{name}", value, allowed, nearest_name(value, _GENERATIONS))
            return default
        self.notes.append(f"{name}: kernel {value} is of generation {found.id} ({found.kernels})")
        return found.id


def _document(file: Path) -> Mapping[str, Any]:
    """The mapping in a YAML or TOML file. Raises InvalidInput for a file that holds none."""
    try:
        with file.open("rb") as stream:
            data = stream.read(_FILE_LIMIT + 1)
        text = data.decode()
    except (OSError, ValueError) as error:
        text_is_wrong = isinstance(error, UnicodeDecodeError)
        reason = "is not UTF-8 text" if text_is_wrong else getattr(error, "strerror", None) or str(error)
        raise InvalidInput.one(str(file), "", "", f"can't be read: {reason}") from error
    if len(data) > _FILE_LIMIT:
        raise InvalidInput.one(str(file), "", "", "is larger than 1 MiB, which no scenario is")
    document = _toml(file, text) if file.suffix == ".toml" else _yaml(file, text)
    if not isinstance(document, Mapping):
        raise InvalidInput.one(str(file), "", "", "must be a mapping of fields, such as `set: {slots: 32}`")
    return document


def _toml(file: Path, text: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput.one(str(file), "", "", f"is no TOML: {error}") from error


def _yaml(file: Path, text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    # PyYAML looks up and converts what a tag such as !!timestamp names without a check of its own.
    except (yaml.YAMLError, RecursionError, ValueError, LookupError, AttributeError, TypeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InvalidInput.one(str(file), "", "", f"is no YAML: {reason}") from error
