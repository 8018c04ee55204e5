"""A notebook file as it was written by its author: read and checked, with no kernel and no heavy import."""

from __future__ import annotations

import ast
import json
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmiocost.errors import InvalidInput, Problem, nearest_name
from mmiocost.execution.task import Task

_MESSAGE = reprlib.Repr()
_MESSAGE.maxlevel = 2


@dataclass(frozen=True)
class NotebookSource:
    """A notebook's bytes and the names that its cell tagged ``parameters`` assigns."""

    path: Path
    content: bytes
    parameters: tuple[str, ...]


def source_of(path: Path) -> NotebookSource:
    """Read one notebook. Raises InvalidInput for a file that is missing, unreadable or no notebook of format 4."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput.one(str(path), "", "", f"cannot be read: {error.strerror}") from None
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise InvalidInput.one(str(path), "", "", "is not a notebook: not valid JSON") from None
    if not _is_notebook(document):
        raise InvalidInput.one(str(path), "", "", "is not a notebook of format 4")
    return NotebookSource(path, content, _parameter_names(path, document))


def read_sources(tasks: Iterable[Task]) -> dict[Path, NotebookSource]:
    """Read the notebooks of all tasks, each once, and check the parameters of each task against its notebook.

    Raises InvalidInput with every problem of every file, each once: missing or unreadable, not a notebook of format
    4, a parameter that a notebook does not know or whose value JSON cannot hold.
    """
    problems: dict[Problem, None] = {}
    sources: dict[Path, NotebookSource | None] = {}
    for task in tasks:
        if task.notebook not in sources:
            try:
                sources[task.notebook] = source_of(task.notebook)
            except InvalidInput as error:
                sources[task.notebook] = None
                problems.update(dict.fromkeys(error.problems))
        source = sources[task.notebook]
        problems.update(dict.fromkeys(_value_problems(task.parameters)))
        if source is not None:
            problems.update(dict.fromkeys(_name_problems(source, task.parameters)))
    if problems:
        raise InvalidInput(problems)
    return {path: source for path, source in sources.items() if source is not None}


def _is_notebook(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and document.get("nbformat") == 4
        and isinstance(document.get("cells"), list)
        and all(_is_cell(cell) for cell in document["cells"])
    )


def _is_cell(cell: Any) -> bool:
    return isinstance(cell, dict) and isinstance(cell.get("metadata", {}), dict) and "cell_type" in cell


def _parameter_names(path: Path, document: Mapping[str, Any]) -> tuple[str, ...]:
    for cell in document["cells"]:
        if "parameters" in (cell.get("metadata", {}).get("tags") or ()):
            return _assigned_names(path, cell.get("source", ""))
    return ()


def _assigned_names(path: Path, source: str | list[str]) -> tuple[str, ...]:
    try:
        tree = ast.parse(source if isinstance(source, str) else "".join(source))
    except (SyntaxError, ValueError):
        raise InvalidInput.one(str(path), "parameters", "", "the cell of parameters is not valid Python") from None
    targets: list[ast.expr] = []
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            targets.extend(statement.targets)
        elif isinstance(statement, ast.AnnAssign):
            targets.append(statement.target)
    return tuple(dict.fromkeys(target.id for target in targets if isinstance(target, ast.Name)))


def _name_problems(source: NotebookSource, parameters: Mapping[str, object]) -> list[Problem]:
    known = source.parameters
    allowed = f"unknown parameter; the notebook has {', '.join(known)}" if known else "the notebook has no parameters"
    return [
        Problem(source.path.name, name, _MESSAGE.repr(value), allowed, nearest_name(name, known))
        for name, value in parameters.items()
        if name not in known
    ]


def _value_problems(parameters: Mapping[str, object]) -> list[Problem]:
    return [
        Problem(
            "parameters",
            name,
            _MESSAGE.repr(value),
            "must be a number, text, boolean, list or mapping of these, or null",
        )
        for name, value in parameters.items()
        if not _is_json(value)
    ]


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
