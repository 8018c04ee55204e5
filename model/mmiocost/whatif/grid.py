"""A grid file: scenarios for a batch of notebooks, the product of what varies and single ones, on top of a base.

Comes in: YAML (or TOML) with ``base``, ``notebooks``, ``over`` and ``scenarios``. Goes out: every scenario in the form
of a scenario file, checked as if each had been read from one of its own; all that is wrong is reported at once.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, Problem, nearest_name
from ..vocabulary import MIX_SYMBOLS, PATHS, SYMBOLS
from .library import file_of
from .scenario import Scenario, scenario_of
from .scenario_file import Head, read_document, shown
from .terms import SAVING, quantity_kernel

MOST = 10_000
_FIELDS = ("base", "notebooks", "over", "scenarios")
_SYMBOLS = (*(item.name for item in SYMBOLS), *(item.name for item in MIX_SYMBOLS))
_CHOICES = ("mode", "machine", "state", "before", "after")
_PATHS = {item.name for item in PATHS}
_MOST_PROBLEMS = 100

Document = dict[str, Any]


@dataclass(frozen=True)
class Member:
    """One scenario of a grid: as a scenario file has it, and as it was read."""

    document: Document
    scenario: Scenario

    @property
    def name(self) -> str:
        """Its name, which no other member has."""
        return self.scenario.name


@dataclass(frozen=True)
class Grid:
    """The scenarios of a grid and the notebooks, by name or path, that each of them goes through."""

    file: Path
    notebooks: tuple[str, ...]
    members: tuple[Member, ...]


def read_grid(file: Path) -> Grid:
    """The grid in a file. Raises InvalidInput with all that is wrong with it and with each of its scenarios."""
    document = read_document(file)
    problems = [
        Problem(str(file), str(name)[:60], "", "unknown field", nearest_name(str(name), _FIELDS))
        for name in document
        if name not in _FIELDS
    ]
    notebooks = _texts(file, document, problems)
    base = _base(file, document, problems)
    over = _over(file, document, problems)
    single = _single(file, document, problems)
    count = math.prod(map(len, over.values())) if over else 0
    if count + len(single) > MOST:
        allowed = f"makes {count + len(single)} scenarios; a batch has at most {MOST}"
        problems.append(Problem(str(file), "over", "", allowed))
    if problems:
        raise InvalidInput(problems)
    return Grid(file, notebooks, tuple(_checked(file, list(_documents(base, over, single)))))


def _texts(file: Path, document: Mapping[str, Any], problems: list[Problem]) -> tuple[str, ...]:
    given = document.get("notebooks", [])
    listed = given if isinstance(given, list) and given else [None]
    if not all(isinstance(name, str) and name for name in listed) or len(set(map(str, listed))) < len(listed):
        allowed = "must be a list of different names or paths of notebooks, such as [what-if-scenario]"
        problems.append(Problem(str(file), "notebooks", shown(given), allowed))
        return ()
    return tuple(listed)


def _base(file: Path, document: Mapping[str, Any], problems: list[Problem]) -> Document:
    """The fields that all scenarios start from: a mapping, a file beside the grid, or one of the library."""
    given = document.get("base", {})
    if isinstance(given, Mapping):
        return {str(name): value for name, value in given.items()}
    if isinstance(given, str):
        beside = file.parent / given
        try:
            return dict(read_document(beside if beside.is_file() else file_of(given)))
        except InvalidInput as error:
            problems.extend(error.problems)
    else:
        problems.append(Problem(str(file), "base", shown(given), "must be a scenario: a mapping, or a file's name"))
    return {}


def _over(file: Path, document: Mapping[str, Any], problems: list[Problem]) -> dict[str, list[Any]]:
    given = document.get("over", {})
    if not isinstance(given, Mapping):
        problems.append(Problem(str(file), "over", shown(given), "must be a mapping of names to lists of values"))
        return {}
    found = {}
    for name, values in given.items():
        known = (*_SYMBOLS, *_CHOICES)
        if name not in known:
            nearest = nearest_name(str(name), known)
            problems.append(Problem(str(file), f"over.{str(name)[:60]}", "", "unknown name", nearest))
        elif not isinstance(values, list) or not values or not all(map(_is_plain, values)):
            allowed = "must be a list of numbers or texts, such as [8, 32]"
            problems.append(Problem(str(file), f"over.{name}", shown(values), allowed))
        elif len(set(map(str, values))) < len(values):
            problems.append(Problem(str(file), f"over.{name}", shown(values), "must be a list of different values"))
        else:
            found[str(name)] = values
    return found


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _single(file: Path, document: Mapping[str, Any], problems: list[Problem]) -> list[Document]:
    given = document.get("scenarios", [])
    if not isinstance(given, list) or not all(isinstance(item, Mapping) for item in given):
        problems.append(Problem(str(file), "scenarios", shown(given), "must be a list of scenarios, each with a name"))
        return []
    names = [item.get("name") for item in given]
    for number, name in enumerate(names, start=1):
        if not isinstance(name, str) or not name:
            problems.append(Problem(str(file), f"scenarios[{number}].name", "", "must be a text: it names the files"))
        elif name in names[: number - 1]:
            problems.append(Problem(str(file), f"scenarios[{number}].name", shown(name), "stands twice"))
    return [{str(name): value for name, value in item.items()} for item in given]


def _documents(base: Document, over: Mapping[str, Sequence[Any]], single: Sequence[Document]) -> Iterator[Document]:
    """The product first, its last name varying fastest; then the single ones; the base alone if there is neither."""
    named = {**base, "name": base.get("name", "scenario")}
    if over:
        for values in itertools.product(*over.values()):
            yield _product(named, dict(zip(over, values, strict=True)))
    for document in single:
        yield _on_top(named, document)
    if not over and not single:
        yield named


def _product(base: Document, chosen: Mapping[str, Any]) -> Document:
    counted = {name: value for name, value in chosen.items() if name not in _CHOICES}
    compared = {name: value for name, value in chosen.items() if name in ("before", "after")}
    plain = {name: value for name, value in chosen.items() if name in ("mode", "machine", "state")}
    parts = [f"{name}-{re.sub('[^A-Za-z0-9.]+', '-', str(value)).strip('-')}" for name, value in chosen.items()]
    return _on_top(base, {"name": "-".join([str(base["name"]), *parts]), "set": counted, "compare": compared, **plain})


def _on_top(base: Document, document: Document) -> Document:
    """A scenario with the fields of another over its own; values and generations are taken over one by one.

    A source stays with the value that it is of.
    """
    found = {**base, **document}
    for name in ("set", "compare"):
        old, new = base.get(name, {}), document.get(name, {})
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found[name] = {**old, **new}
    replaced = document.get("set", {})
    sources = base.get("sources")
    if isinstance(sources, Mapping) and isinstance(replaced, Mapping) and "sources" not in document:
        found["sources"] = {name: text for name, text in sources.items() if name not in replaced}
    return {name: value for name, value in found.items() if value != {} or name in document}


def _checked(file: Path, documents: Sequence[Document]) -> Iterator[Member]:
    """Each scenario as it is read. Raises InvalidInput with every problem once, at the first scenario that has it."""
    problems: dict[tuple[str, str, str], Problem] = {}
    members, names = [], set[str]()
    for document in documents:
        where = f"{file}: {shown(document.get('name'))}"
        try:
            scenario = scenario_of(document, where, path=_path(document))
            quantity_kernel(SAVING, scenario)
        except InvalidInput as error:
            for item in error.problems:
                told = Problem(item.where or where, item.field, item.got, item.allowed, item.nearest)
                told = told if told.where.startswith(str(file)) else Problem(where, *_fields(told))
                problems.setdefault((told.field, told.got, told.allowed), told)
            continue
        if scenario.name in names:
            told = Problem(where, "name", "", "stands twice: scenarios of one grid have different names")
            problems.setdefault((where, "", ""), told)
        names.add(scenario.name)
        members.append(Member(document, scenario))
    if problems:
        found = list(problems.values())
        more = f"has {len(found) - _MOST_PROBLEMS} more errors"
        raise InvalidInput(
            [*found[:_MOST_PROBLEMS], *([Problem(str(file), "", "", more)] * (len(found) > _MOST_PROBLEMS))]
        )
    return iter(members)


def _path(document: Document) -> str | None:
    """The path that says which values are admissible, as far as the fields that choose it are right."""
    head = Head(document, "")
    path = f"{head.after}.{head.mode}.mmio_hit"
    return path if path in _PATHS else None


def _fields(problem: Problem) -> tuple[str, str, str, str | None]:
    return problem.field, problem.got, problem.allowed, problem.nearest
