"""Faults that can be put into a module, one at a time: source text in, changed syntax trees out; nothing is run.

A fault is a constant that is one off, a term or factor dropped, a branch swapped, a comparison off by one, a
neighbouring kernel generation, or a step left out. Texts, type hints, decorators, assertions and errors are left alone.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from types import CodeType
from typing import Any

from .changes import Change, changes


@dataclass(frozen=True)
class Fault:
    """One fault: where it is, the statement as it stands and as the fault makes it.

    ``number`` counts in the module. ``at_import`` says that the statement runs when the module is imported.
    """

    module: str
    number: int
    line: int
    last_line: int
    function: str
    kind: str
    original: str
    mutated: str
    at_import: bool


@dataclass(frozen=True)
class _Place:
    """A node, how to put another one there, its statement, and the functions and classes around it."""

    node: ast.AST
    put: Callable[[Any], None]
    statement: ast.stmt
    inside: tuple[ast.FunctionDef | ast.ClassDef, ...] = ()


_UNTOUCHED = (ast.Assert, ast.Raise, ast.Import, ast.ImportFrom, ast.JoinedStr, ast.Pass, ast.Global, ast.Nonlocal)
_UNTOUCHED_FIELDS = {"annotation", "returns", "decorator_list", "bases", "type_params"}


def faults(module: str, source: str, left_out: frozenset[str] = frozenset()) -> list[Fault]:
    """All faults of a module, in the order of its text; none in the functions named in ``left_out``."""
    return [_described(module, number, *item) for number, item in enumerate(_all(source, left_out))]


def compiled(source: str, number: int, file: str, left_out: frozenset[str] = frozenset()) -> CodeType:
    """The module with fault ``number`` in it."""
    place, (_, new) = _all(source, left_out)[number]
    with _fault(place, new):
        return compile(ast.fix_missing_locations(_tree(source)), file, "exec", dont_inherit=True)


@cache
def _tree(source: str) -> ast.Module:
    return ast.parse(source)


@cache
def _all(source: str, left_out: frozenset[str]) -> list[tuple[_Place, Change]]:
    """Places and changes; of several that give one text of a statement, the first."""
    found: dict[tuple[int, str], tuple[_Place, Change]] = {}
    for place in _places(_tree(source), None, (), left_out):
        unchanged = _head(place.statement)
        for change in changes(place.node):
            text = _mutated(place, change[1])
            if text != unchanged:
                found.setdefault((id(place.statement), text), (place, change))
    return list(found.values())


class _fault:  # noqa: N801
    """While it is entered, the tree has the fault."""

    def __init__(self, place: _Place, new: ast.AST) -> None:
        self.place, self.new = place, new

    def __enter__(self) -> None:
        self.place.put(ast.copy_location(self.new, self.place.node))

    def __exit__(self, *_: object) -> None:
        self.place.put(self.place.node)


def _described(module: str, number: int, place: _Place, change: Change) -> Fault:
    kind, new = change
    original, mutated = _head(place.statement), _mutated(place, new)
    node, statement = place.node, place.statement
    line = getattr(node, "lineno", statement.lineno)
    function = ".".join(item.name for item in place.inside)
    later = any(isinstance(item, ast.FunctionDef) for item in place.inside)
    return Fault(module, number, line, _last_line(statement), function, kind, original, mutated, not later)


def _mutated(place: _Place, new: ast.AST) -> str:
    """The statement's text with the change."""
    if isinstance(new, ast.stmt):
        return _head(new)
    with _fault(place, new):
        return _head(place.statement)


def _last_line(statement: ast.stmt) -> int:
    """Where a statement's own text ends: of one with a body, where that begins."""
    body = getattr(statement, "body", None)
    return body[0].lineno if body else statement.end_lineno or statement.lineno


def _head(statement: ast.stmt) -> str:
    """A statement's text, of one with a body the line or lines ahead of it."""
    shown = copy.copy(statement)
    for name in ("body", "orelse", "finalbody", "handlers", "cases", "decorator_list"):
        if hasattr(shown, name):
            setattr(shown, name, [ast.Pass()] if name == "body" else [])
    return ast.unparse(shown).removesuffix("\n    pass")


def _places(
    node: ast.AST,
    statement: ast.stmt | None,
    inside: tuple[ast.FunctionDef | ast.ClassDef, ...],
    left_out: frozenset[str],
) -> Iterator[_Place]:
    """Every node that may be changed, parents first, with its statement."""
    for name, value in ast.iter_fields(node):
        if name in _UNTOUCHED_FIELDS:
            continue
        for child, put in _children(node, name, value):
            if isinstance(child, _UNTOUCHED) or _is_untouched(child) or getattr(child, "name", None) in left_out:
                continue
            own = child if isinstance(child, ast.stmt) else statement
            if own is not None:
                yield _Place(child, put, own, inside)
            below = (*inside, child) if isinstance(child, ast.FunctionDef | ast.ClassDef) else inside
            yield from _places(child, own, below, left_out)


def _children(node: ast.AST, name: str, value: Any) -> Iterator[tuple[ast.AST, Callable[[Any], None]]]:
    if isinstance(value, ast.AST):
        yield value, lambda new: setattr(node, name, new)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            if isinstance(child, ast.AST):
                yield child, lambda new, index=index: value.__setitem__(index, new)


def _is_untouched(node: ast.AST) -> bool:
    """Docstrings, and names given to types."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.annotation) == "TypeAlias"
    return isinstance(node, ast.Subscript) and ast.unparse(node.value) in ("Literal", "Callable")
