"""The tables of the model's documents, made from the vocabulary, and the worked examples read back from them.

In: the text of ``model/mechanism.md`` or ``model/statistics.md``. Out: the same text with every block between
``<!-- begin generated: NAME -->`` and ``<!-- end generated: NAME -->`` replaced by its table. Examples stand
in fenced blocks marked ``counts``. Whether an example's names exist and its counts are right is not looked at
here. ``python -m mmiocost.vocabulary.tables [--check]`` rewrites the documents, or fails where they drifted.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path as FilePath
from typing import NamedTuple

from ..cache import write_atomically
from ..errors import InvalidInput, Problem, nearest_name
from ..resources import root
from .events import EVENTS
from .generations import GENERATIONS
from .paths import PATHS, Path
from .symbols import MIX_SYMBOLS, SYMBOLS

DOCUMENTS = ("mechanism.md", "statistics.md")
_SYMBOL_HEAD = ("symbol", "letter", "unit", "meaning", "domain", "default")
_MARK = re.compile(r"^<!-- (begin|end) generated: (\w+) -->$", re.MULTILINE)


def render(document: str) -> str:
    """The document with all its generated blocks made anew; text outside the marks is kept to the byte.

    Raises InvalidInput with every mark that is unknown, not closed, or closed without being opened.
    """
    blocks = _blocks(document)
    for name, start, end in reversed(blocks):
        document = f"{document[:start]}\n\n{_TABLES[name]()}\n\n{document[end:]}"
    return document


def _blocks(document: str) -> list[tuple[str, int, int]]:
    """Name, start and end of the text between each pair of marks, in the order of the document."""
    found: list[tuple[str, int, int]] = []
    problems: list[Problem] = []
    opened: re.Match[str] | None = None
    for mark in _MARK.finditer(document):
        kind, name = mark.groups()
        if kind == "begin" and opened is None and name in _TABLES:
            opened = mark
        elif kind == "end" and opened is not None and name == opened[2]:
            found.append((name, opened.end(), mark.start()))
            opened = None
        else:
            problems.append(_misplaced(document, mark))
    if opened is not None:
        problems.append(_misplaced(document, opened))
    if problems:
        raise InvalidInput(problems)
    return found


def _misplaced(document: str, mark: re.Match[str]) -> Problem:
    known = mark[2] in _TABLES
    allowed = "has no partner" if known else f"unknown table; there are {', '.join(_TABLES)}"
    where = f"line {document.count(chr(10), 0, mark.start()) + 1}"
    return Problem(where, mark[0], "", allowed, None if known else nearest_name(mark[2], _TABLES))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _code(names: str) -> str:
    """Names that are separated by commas, each as code unless it is made of several words."""
    return ", ".join(f"`{name}`" if " " not in name else name for name in names.split(", "))


def _events() -> str:
    rows = ([f"`{event.name}`", event.meaning, _code(event.where)] for event in EVENTS)
    return _table(["event", "one count is", "where"], rows)


def _generations() -> str:
    head = ["generation", "kernels", "MMIO entries", "slot search", "MMIO bus", "A", "other"]
    rows = (
        [f"`{g.id}`", g.kernels, g.mmio_entries, g.search, g.bus, str(g.indirect_page_searches), g.other]
        for g in GENERATIONS
    )
    return _table(head, rows)


def _symbols() -> str:
    rows = ([f"`{s.name}`", s.letter, s.unit, s.meaning, s.domain, s.default] for s in SYMBOLS)
    return _table(_SYMBOL_HEAD, rows)


def _mix_symbols() -> str:
    rows = (
        [f"`{s.name}`", s.letter, s.unit, s.meaning, _range(s.low, s.high), _default(s.default)] for s in MIX_SYMBOLS
    )
    return _table(_SYMBOL_HEAD, rows)


def _range(low: float, high: float) -> str:
    return f"≥ {low:g}" if high == float("inf") else f"{low:g} to {high:g}"


def _default(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"


def _paths() -> str:
    families: dict[str, list[Path]] = {}
    for path in PATHS:
        families.setdefault(path.name.partition(".")[2], []).append(path)
    rows = ([_family(name, paths), _listed(paths), paths[0].summary] for name, paths in families.items())
    return _table(["path", "generations", "meaning"], rows)


def _family(name: str, paths: Sequence[Path]) -> str:
    return f"`{paths[0].name}`" if len(paths) == 1 else f"`GEN.{name}`"


def _listed(paths: Sequence[Path]) -> str:
    """The generations of a family; three or more neighbours in the order of the table as a range."""
    ids = [path.generation for path in paths]
    known = [item.id for item in GENERATIONS]
    first = known.index(ids[0]) if ids[0] in known else 0
    if len(ids) > 2 and ids == known[first : first + len(ids)]:
        return f"`{ids[0]}` … `{ids[-1]}`"
    return ", ".join(f"`{item}`" for item in ids)


_TABLES: dict[str, Callable[[], str]] = {
    "events": _events,
    "generations": _generations,
    "symbols": _symbols,
    "mix_symbols": _mix_symbols,
    "paths": _paths,
}


class Example(NamedTuple):
    """One worked example: a path, the symbols that it sets, and its events with their counts.

    ``complete`` says that every event that is not in ``events`` has the count 0.
    """

    path: str
    scenario: dict[str, int]
    events: dict[str, int]
    complete: bool


_FENCED = re.compile(r"^```counts\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXAMPLE = re.compile(
    r"(?P<path>[\w.]+)(?P<scenario>( \w+=\d+)*) -> (?P<events>\w+ \d+(, \w+ \d+)*)(?P<rest>, \.\.\.)?"
)


def worked_examples(document: str) -> list[Example]:
    """All examples of a document, in its order; empty lines and lines that begin with # are passed over.

    Raises InvalidInput with the line number of every line that is no example or names something twice.
    """
    lines = list(_example_lines(document))
    problems = [
        Problem(f"line {number}", "", line, "must read 'PATH symbol=value … -> event count, …', each name once")
        for number, line in lines
        if _example(line) is None
    ]
    if problems:
        raise InvalidInput(problems)
    return [example for _, line in lines if (example := _example(line)) is not None]


def _example_lines(document: str) -> Iterator[tuple[int, str]]:
    for block in _FENCED.finditer(document):
        first = document.count("\n", 0, block.start(1)) + 1
        for number, line in enumerate(block[1].splitlines(), first):
            if line.strip() and not line.startswith("#"):
                yield number, line


def _example(line: str) -> Example | None:
    match = _EXAMPLE.fullmatch(line)
    if match is None:
        return None
    scenario = _numbers(match["scenario"].split(), "=")
    events = _numbers(match["events"].split(", "), " ")
    if scenario is None or events is None:
        return None
    return Example(match["path"], scenario, events, complete=match["rest"] is None)


def _numbers(items: Sequence[str], between: str) -> dict[str, int] | None:
    """Names and their numbers, or None where a name occurs twice."""
    pairs = [item.split(between) for item in items]
    numbers = {name: int(number) for name, number in pairs}
    return numbers if len(numbers) == len(pairs) else None


def drifted(folder: FilePath) -> list[FilePath]:
    """The documents in a folder whose generated tables differ from what the vocabulary gives now.

    Raises InvalidInput for misplaced marks, OSError for a document that cannot be read.
    """
    texts = {folder / name: (folder / name).read_text("utf-8") for name in DOCUMENTS}
    return [file for file, text in texts.items() if render(text) != text]


def main(arguments: Sequence[str], folder: FilePath | None = None) -> int:
    """Rewrite the documents, or with ``--check`` name those that drifted. The exit status is returned."""
    if list(arguments) not in ([], ["--check"]):
        print("usage: python -m mmiocost.vocabulary.tables [--check]", file=sys.stderr)
        return 2
    try:
        stale = drifted(folder or root() / "model")
    except InvalidInput as error:
        print(error, file=sys.stderr)
        return error.exit_status
    for file in stale:
        if arguments:
            print(f"{file}: generated tables differ from the vocabulary; run python -m mmiocost.vocabulary.tables")
        else:
            write_atomically(file, render(file.read_text("utf-8")))
    return 1 if arguments and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
