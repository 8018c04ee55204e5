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
_FILE_LIMIT = 1 << 20
_TEXT_LIMIT = 200
_MESSAGE = reprlib.Repr()
_MESSAGE.maxlevel = 2  # aliases of YAML can make a short file unfold without end


def read_document(file: Path) -> Mapping[str, Any]:
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


def shown(value: Any) -> str:
    """A value that came in, as text for a message; never long."""
    return value[:_TEXT_LIMIT] if isinstance(value, str) else _MESSAGE.repr(value)


class Head:
    """The fields of a scenario file other than ``set``."""

    def __init__(self, document: Mapping[str, Any], where: str) -> None:
        self.where, self.problems, self.notes = where, list[Problem](), list[str]()
        known = ("name", "machine", "state", "mode", "compare", "set")
        for name in document:
            if name not in known:
                self._problem(str(name), "", "unknown field", nearest_name(str(name), known))
        self.name = self._text(document, "name", "scenario")
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

    def _problem(self, name: str, got: object, allowed: str, nearest: str | None = None) -> None:
        self.problems.append(Problem(self.where, name, shown(got), allowed, nearest))

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
            self._problem(f"{within}.{name}", value, allowed, nearest_name(value, _GENERATIONS))
            return default
        self.notes.append(f"{name}: kernel {value} is of generation {found.id} ({found.kernels})")
        return found.id
