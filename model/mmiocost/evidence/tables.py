"""CSV bytes into typed rows, with every problem of the file collected.

Comes in: a binary stream, the name to call it by and a schema. Goes out: rows with the line (from 1) where each
starts. Never repairs: a file with a problem gives no rows. Memory is bounded by one line at a time.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from mmiocost.errors import InvalidInput, Problem, nearest_name

from .schema import Cell, CellError, Schema

#: Longest line in bytes: no row of ours has a hundredth of it.
MAX_LINE = 1 << 20
#: After so many problems the file is not what it says it is, and the rest would help nobody.
MAX_PROBLEMS = 1000
_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One data row: the line on which it starts and its typed cells by column name."""

    line: int
    cells: dict[str, Cell]


@dataclass(slots=True)
class Report:
    """The problems found so far in one file, and what a reader of it should know besides."""

    name: str
    problems: list[Problem] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def add(self, line: int | None, column: str, got: str, allowed: str, nearest: str | None = None) -> None:
        """Note one problem; raises InvalidInput with all of them when there are too many to be of use."""
        where = self.name if line is None else f"{self.name}:{line}"
        self.problems.append(Problem(where, column, shown(got), allowed, nearest))
        if len(self.problems) >= MAX_PROBLEMS:
            self.problems.append(Problem(self.name, "", "", f"stopped after {MAX_PROBLEMS} problems"))
            self.finish()

    def finish(self) -> None:
        """Raise InvalidInput with all problems in file order, if there is one."""
        if self.problems:
            raise InvalidInput(self.problems)


def shown(text: str) -> str:
    """A cell as an error quotes it: short, and without control characters."""
    short = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    return short if short.isprintable() else ascii(short)[1:-1]


def read_rows(stream: BinaryIO, schema: Schema, report: Report, *, whole: bool = True) -> list[Row]:
    """All rows of a table. ``whole``: the header must be exactly the schema's columns, in its order.

    Without ``whole`` only the required columns must be there, in any order; columns that the schema does not
    have are left out of the rows and named in ``report.notices``. Problems go to ``report``.
    """
    reader = csv.reader(_lines(stream, report), strict=True)
    rows: list[Row] = []
    keys: dict[tuple[Cell, ...], int] = {}
    start = 1
    try:
        header = next(reader, [])
        if not _check_header(header, schema, report, whole):
            return []
        for cells in _numbered(reader):
            start, row = cells[0], _row(cells, header, schema, report)
            if row is not None:
                _check_key(row, schema, keys, report)
                rows.append(row)
    except _BrokenFile as broken:
        report.add(broken.line, "", "", broken.reason)
    except csv.Error as error:
        report.add(max(start, reader.line_num), "", "", f"must be CSV with one row a line ({error})")
    return rows


class _BrokenFile(Exception):
    """A line that cannot be text of a CSV file, so that nothing after it can be trusted."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason


def _lines(stream: BinaryIO, report: Report) -> Iterator[str]:
    """Decoded lines with their ends; a byte-order mark before the first is dropped."""
    number = 0
    while raw := stream.readline(MAX_LINE + 1):
        number += 1
        if len(raw) > MAX_LINE:
            raise _BrokenFile(number, f"must have lines of at most {MAX_LINE} bytes")
        if b"\0" in raw:
            raise _BrokenFile(number, "must be text: the line has a NUL byte")
        yield _decoded(raw, number).removeprefix("\ufeff" if number == 1 else "")
    if number == 0:
        raise _BrokenFile(1, "must have a header line: the file is empty")


def _decoded(raw: bytes, number: int) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _BrokenFile(number, f"must be UTF-8: byte {error.start + 1} of the line is not") from None


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Records with the line on which each starts; blank lines are passed over."""
    line = reader.line_num + 1  # type: ignore[attr-defined]
    for cells in reader:
        if cells:
            yield line, cells
        line = reader.line_num + 1  # type: ignore[attr-defined]


def _check_header(header: list[str], schema: Schema, report: Report, whole: bool) -> bool:
    known = schema.names
    repeated = sorted({name for name in header if header.count(name) > 1})
    needed = known if whole else [f.name for f in schema.fields if f.required]
    missing = [name for name in needed if name not in header]
    unknown = [name for name in header if name not in known]
    for name in repeated:
        report.add(1, name, "", "column is there more than once")
    for name in missing:
        report.add(1, name, "", "required column is missing")
    for name in unknown:
        nearest = nearest_name(name, (column for column in known if column not in header))
        if whole or missing:
            report.add(1, name, "", "column is not in the schema", nearest)
        else:
            hint = f"; did you mean '{nearest}'?" if nearest else ""
            report.notices.append(f"{report.name}:1: {shown(name)}: unknown column, not used{hint}")
    return not (repeated or missing or (whole and unknown))


def _row(numbered: tuple[int, list[str]], header: list[str], schema: Schema, report: Report) -> Row | None:
    line, texts = numbered
    if len(texts) != len(header):
        report.add(line, "", "", f"must have {len(header)} cells, as the header, but has {len(texts)}")
        return None
    given = dict(zip(header, texts, strict=True))
    cells: dict[str, Cell] = {}
    for column in schema.fields:
        text = given.get(column.name, "").strip()
        try:
            cells[column.name] = column.parse(text)
        except CellError as error:
            report.add(line, column.name, text, str(error), error.nearest)
    return Row(line, cells) if len(cells) == len(schema.fields) else None


def _check_key(row: Row, schema: Schema, keys: dict[tuple[Cell, ...], int], report: Report) -> None:
    if not schema.key:
        return
    key = tuple(row.cells[name] for name in schema.key)
    if key in keys:
        got = ", ".join(str(part) for part in key)
        report.add(row.line, ", ".join(schema.key), got, f"must be unique, but stands on line {keys[key]} too")
    else:
        keys[key] = row.line
