"""A scenario file: read within bounds, and its fields other than the values of symbols.

Nothing is evaluated, and what a stranger wrote never makes a message long.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, Problem, nearest_name
from ..fitting.fit import POPULATION
from ..fitting.parameters import INDICATORS
from ..vocabulary import GENERATIONS, generation_of_kernel

MODES = ("ept", "shadow", "nonpaging")
_GENERATIONS = tuple(item.id for item in GENERATIONS)
_DESIGNS = ("unified", "bypass", "no-bypass")
_FILE_LIMIT = 1 << 16  # a scenario is a page; PyYAML reads some 100 kB a second
_TEXT_LIMIT = 200
_LONG_TEXT_LIMIT = 1000
_FIELDS = ("name", "about", "machine", "state", "mode", "compare", "set", "sources", "questions")
_MESSAGE = reprlib.Repr()
_MESSAGE.maxlevel = 2  # aliases of YAML can make a short file unfold without end


def read_document(file: Path) -> Mapping[str, Any]:
    """The mapping in a YAML or TOML file. Raises InvalidInput for a file that holds none."""
    try:
        with file.open("rb") as stream:
            data = stream.read(_FILE_LIMIT + 1)
        if len(data) > _FILE_LIMIT:
            raise InvalidInput.one(str(file), "", "", "is larger than 64 KiB, which no scenario is")
        text = data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        text_is_wrong = isinstance(error, UnicodeDecodeError)
        reason = "is not UTF-8 text" if text_is_wrong else getattr(error, "strerror", None) or str(error)
        raise InvalidInput.one(str(file), "", "", f"can't be read: {reason}") from error
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
    from .yaml_text import YAML_ERRORS, parse

    try:
        return parse(text)
    except YAML_ERRORS as error:
        reason = " ".join(str(error).split())[:300]
        raise InvalidInput.one(str(file), "", "", f"is no YAML: {reason}") from error


def shown(value: Any) -> str:
    """A value that came in, as text for a message; never long."""
    return value[:_TEXT_LIMIT] if isinstance(value, str) else _MESSAGE.repr(value)


class Head:
    """The fields of a scenario file other than ``set``."""

    def __init__(self, document: Mapping[str, Any], where: str) -> None:
        self.where, self.problems, self.notes = where, list[Problem](), list[str]()
        for name in document:
            if name not in _FIELDS:
                self._problem(str(name)[:_TEXT_LIMIT], "", "unknown field", nearest_name(str(name), _FIELDS))
        self.name = self._text(document, "name", "scenario")
        self.about = self._text(document, "about", "", limit=_LONG_TEXT_LIMIT)
        self.mode = self._text(document, "mode", "ept", MODES)
        self.kernel, self.indicators = "", dict[str, int]()
        self.machine = self._machine(document)
        compare = document.get("compare", {})
        compare = compare if isinstance(compare, Mapping) else {"": compare}
        for name in compare:
            if name not in ("before", "after"):
                self._problem(f"compare.{name}", "", "must be a mapping with before and after")
        self.before = self._generation(compare, "before", "v30")
        # The kernel of the state is the one that is asked about, unless it has no MMIO entries to ask about.
        self.after = self._generation(compare, "after", self.kernel if self.kernel not in ("", "v30") else "v31")
        self.sources = self._sources(document)
        self.questions = self._questions(document)

    def _problem(self, name: str, got: object, allowed: str, nearest: str | None = None) -> None:
        self.problems.append(Problem(self.where, name, shown(got), allowed, nearest))

    def _text(
        self, fields: Mapping[str, Any], name: str, default: str, allowed: Sequence[str] = (), limit: int = _TEXT_LIMIT
    ) -> str:
        value = fields.get(name, default)
        if not isinstance(value, str) or len(value) > limit:
            self._problem(name, value, f"must be a text of at most {limit} characters")
        elif allowed and value not in allowed:
            self._problem(name, value, f"must be one of {', '.join(allowed)}", nearest_name(value, allowed))
        else:
            return value
        return default

    def _sources(self, document: Mapping[str, Any]) -> dict[str, str]:
        """Where the values come from: a text for a symbol that ``set`` gives a value."""
        given, values = document.get("sources", {}), document.get("set", {})
        if not isinstance(given, Mapping) or not all(isinstance(text, str) for text in given.values()):
            self._problem("sources", given, "must be a mapping of symbols to texts")
            return {}
        for name in given:
            if isinstance(values, Mapping) and name not in values:
                self._problem(
                    f"sources.{name}",
                    "",
                    "is no symbol that `set` gives a value",
                    nearest_name(str(name), map(str, values)),
                )
        return {str(name): text for name, text in given.items()}

    def _questions(self, document: Mapping[str, Any]) -> tuple[str, ...]:
        """The quantities that the scenario is about."""
        given = document.get("questions", [])
        if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
            self._problem("questions", given, "must be a list of quantities, such as [saving:fast_mmio]")
            return ()
        return tuple(given)

    def _machine(self, document: Mapping[str, Any]) -> str:
        machine, state = self._text(document, "machine", POPULATION), document.get("state", "")
        if isinstance(state, Mapping):
            self._described(state)
        elif isinstance(state, str):
            return f"{machine}/{state}" if state else machine
        else:
            self._problem("state", state, "must be the name of a state, or a mapping with kernel and mitigations")
        return machine

    def _described(self, state: Mapping[str, Any]) -> None:
        """A state in words: ``kernel`` stands for its generation, ``mitigations`` for the three indicators."""
        for name in state:
            if name not in ("kernel", "mitigations"):
                self._problem(f"state.{name}", "", "unknown field", nearest_name(str(name), ("kernel", "mitigations")))
        if "kernel" in state:
            self.kernel = self._generation(state, "kernel", "", "state")
        mitigations = state.get("mitigations", "none")
        if mitigations not in ("none", "all"):
            self._problem("state.mitigations", mitigations, "must be none or all")
        elif mitigations == "all":
            self.indicators = dict.fromkeys(INDICATORS, 1)

    def _generation(self, fields: Mapping[str, Any], name: str, default: str, within: str = "compare") -> str:
        given = fields.get(name, default)
        if isinstance(given, float):
            self._problem(f"{within}.{name}", given, 'must be in quotes, such as "3.10", which is not 3.1')
            return default
        value = shown(given)
        if value in _GENERATIONS:
            return value
        try:
            found = generation_of_kernel(value)
        except InvalidInput:
            allowed = f"must be a kernel release or one of {', '.join(_GENERATIONS)}"
            if value in _DESIGNS:
                allowed += f"; the design {value} is compared by `breakeven --between`"
            self._problem(f"{within}.{name}", value, allowed, nearest_name(value, _GENERATIONS))
            return default
        self.notes.append(f"{name}: kernel {value} is of generation {found.id} ({found.kernels})")
        return found.id
