"""The pages of reference: every command from its parser, every public name from its signature and docstring.

The command line and the package stand above this room, so whoever asks for the pages hands both in.
"""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from types import ModuleType
from typing import Any

from markupsafe import Markup

from .anchors import anchor

_WIDTH = 88
_ROLE = re.compile(r":\w+:`~?\.*([^`]+)`")
_CODE = re.compile(r"``(.+?)``|`([^`]+)`")


@dataclass(frozen=True)
class Reference:
    """What is described: ``parser`` builds the whole command line, ``package`` is the one with the public names."""

    parser: Callable[[], argparse.ArgumentParser]
    package: ModuleType


@dataclass(frozen=True)
class Option:
    """An argument or option as it is written, and its help."""

    written: str
    says: str


@dataclass(frozen=True)
class Command:
    """One command of the command line with its usage line."""

    name: str
    about: str
    usage: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Name:
    """One public name: ``signature`` is empty for what can't be called."""

    name: str
    kind: str
    signature: str
    doc: str


def commands(parser: argparse.ArgumentParser) -> Iterator[Command]:
    """The parser and all parsers below it, each once, in the order in which they were registered."""
    formatter = argparse.HelpFormatter(parser.prog, width=_WIDTH)
    # argparse has no public way to ask a parser what it takes; documentation generators read the same two lists.
    actions = parser._actions
    formatter.add_usage(parser.usage, actions, parser._mutually_exclusive_groups)
    about = (parser.description or "").replace("%%", "%")
    options = tuple(_option(action, parser) for action in actions if not isinstance(action, argparse._SubParsersAction))
    yield Command(parser.prog, about, formatter.format_help().removeprefix("usage: ").strip(), options)
    for action in actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from commands(below)


def _option(action: argparse.Action, parser: argparse.ArgumentParser) -> Option:
    formatter = argparse.HelpFormatter(parser.prog, width=_WIDTH)
    # One form with the value behind all spellings, as it has been written since Python 3.13.
    value = "" if action.nargs == 0 else formatter._format_args(action, (action.dest or "").upper())
    written = f"{', '.join(action.option_strings)} {value}".strip()
    return Option(written, formatter._expand_help(action) if action.help else "")


def public_names(package: ModuleType) -> Iterator[Name]:
    """Every name of ``__all__``, and below a module those of its own ``__all__``, with what its docstring says."""
    for name in package.__all__:
        found = getattr(package, name)
        yield _described(name, found)
        if isinstance(found, ModuleType):
            yield from (_described(f"{name}.{inner}", getattr(found, inner)) for inner in found.__all__)


def _described(name: str, found: Any) -> Name:
    if isinstance(found, ModuleType):
        return Name(name, "module", "", inspect.getdoc(found) or "")
    if not callable(found):
        return Name(name, "constant", "", f"``{found}``, of type {type(found).__name__}")
    kind = "class" if isinstance(found, type) else "function"
    return Name(name, kind, _signature(found), inspect.getdoc(found) or "")


class _Written:
    """Text that a signature shows as it is, not in quotes."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _signature(found: Callable[..., Any]) -> str:
    signature = inspect.signature(found)
    parameters = [_parameter(item) for item in signature.parameters.values()]
    returns = signature.return_annotation
    kept = _Written(returns) if isinstance(returns, str) else returns
    return str(signature.replace(parameters=parameters, return_annotation=kept))


def _parameter(item: inspect.Parameter) -> inspect.Parameter:
    if isinstance(item.annotation, str):
        item = item.replace(annotation=_Written(item.annotation))
    # The text of a function, or of a default that dataclass makes, holds an address that differs in each run.
    return item.replace(default=_Written("…")) if " at 0x" in repr(item.default) or "<" in repr(item.default) else item


def prose(text: str) -> Markup:
    """A docstring as paragraphs: roles and quoted code as code, all else escaped."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()) if part.strip()]
    return Markup("".join(f"<p>{_marked(part)}</p>" for part in paragraphs))


def _marked(text: str) -> str:
    roles = _ROLE.sub(lambda match: f"`{match[1].rpartition('.')[2]}`", escape(text, quote=False))
    return _CODE.sub(lambda match: f"<code>{match[1] or match[2]}</code>", roles)


def command_line_body(parser: argparse.ArgumentParser) -> str:
    """The page of the command line as trusted HTML; ids are ``command-…``, for instance ``command-evidence-show``."""
    from .pages import render

    shown = [
        {"anchor": command_anchor(item.name), "item": item, "about": prose(item.about)} for item in commands(parser)
    ]
    return render("reference/command_line.html.j2", commands=shown, epilog=parser.epilog or "")


def command_anchor(prog: str) -> str:
    """The id of a command: its words behind the program's name."""
    return anchor("command", prog.partition(" ")[2] or prog)


def python_body(package: ModuleType) -> str:
    """The page of the Python API as trusted HTML; ids are ``api-…``, for instance ``api-predict``."""
    from .pages import render

    shown = [
        {"anchor": anchor("api", item.name), "item": item, "doc": prose(item.doc), "inner": "." in item.name}
        for item in public_names(package)
    ]
    return render("reference/python.html.j2", names=shown, about=prose(inspect.getdoc(package) or ""))
