"""A trace read twice: as it is read, and with every line read by ``lines`` and ``payloads`` alone."""

from __future__ import annotations

import ctypes
import io
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from mmiocost.evidence.importers.reading import LINE_LIMIT, Account
from mmiocost.evidence.importers.source import Source
from mmiocost.evidence.importers.trace import block as s
from mmiocost.evidence.importers.trace import reader
from mmiocost.evidence.importers.trace.naming import Naming
from mmiocost.evidence.importers.trace.pairing import MARKER

_ROWS = s.rows()
BLOCK = 1 << 18  # of the reader's; its own, all zeros at first, costs more than what is read here
_FRAME = re.compile(rb"\t+ *[0-9a-f]{1,16} .*", re.DOTALL)


class Read(NamedTuple):
    """What was read: rows of events and markers, what their numbers stand for, and the lines that were skipped."""

    rows: list[list[int]]
    names: dict[str, list[Any]]
    skipped: list[tuple[int, str]]


def line_by_line(
    buffer: int, at: int, end: int, line: int, perf: int, digits: int,
    threads: int, events: int, reasons: int, out: int, left: int, room: int,
) -> tuple[int, int, int, int]:  # fmt: skip
    """``scan`` that knows no form of a line: all but comments, empty lines and stack frames are left."""
    rows = _array(out, (s.COLUMNS, s.ROOM))
    todo = _array(left, (room, 3))
    unread = 0
    while at < end and unread < room:
        part = ctypes.string_at(buffer + at, end - at)
        if (length := part.find(b"\n")) < 0:
            break
        line += 1
        text = part[:length].removesuffix(b"\r")
        if text and not text.startswith(b"#") and _FRAME.fullmatch(text) is None:
            rows[:, unread] = -1
            rows[[s.NUMBER, s.RW, s.VALUE], unread] = 0
            rows[s.LINE, unread], rows[s.KIND, unread] = line, s.NOTHING
            todo[unread] = at, at + len(text), unread
            unread += 1
        at += length + 1
    return at, line, unread, unread


def _array(address: int, shape: tuple[int, int]) -> Any:
    return np.ctypeslib.as_array(ctypes.cast(address, ctypes.POINTER(ctypes.c_int64)), shape)


def read(
    data: bytes, form: str, scan: Callable[..., Any] = reader.scanning.scan, block: int = BLOCK, isa: str | None = None
) -> Read:
    """Rows of a trace, unpaired and unwritten."""
    naming, account = Naming(form, isa, True), Account()
    made: list[list[int]] = []
    skipped: list[tuple[int, str]] = []
    trace: Any = SimpleNamespace(
        naming=naming, account=account, line=0, rows=_ROWS, left=np.empty((reader.UNREAD, 3), np.int64)
    )

    def take(count: int) -> None:
        if count:
            naming.before = int(trace.rows[s.KIND, count - 1])
            rows = trace.rows[:, :count].T
            rows[np.ix_(rows[:, s.KIND] == MARKER, (s.TIME, s.THREAD))] = -1  # a marker has none
            made.extend(rows[rows[:, s.KIND] != s.NOTHING].tolist())

    trace.take = take
    account.skip = lambda number, reason: skipped.append((number, reason))  # type: ignore[method-assign]
    with mock.patch.object(reader.scanning, "scan", scan), mock.patch.object(reader, "BLOCK", block):
        reader._blocks(Source(io.BytesIO(data), "trace"), trace)
    return Read(made, vars(naming.names), skipped)


def both(data: bytes, form: str, block: int = BLOCK, isa: str | None = None) -> tuple[Read, Read]:
    """As it is read, and line by line; a block holds at least a line, as the reader's own does."""
    longest = min(max(map(len, data.split(b"\n"))), LINE_LIMIT)
    block = max(block, longest + 4)
    return read(data, form, block=block, isa=isa), read(data, form, line_by_line, BLOCK, isa)
