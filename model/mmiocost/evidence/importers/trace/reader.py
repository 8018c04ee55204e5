"""A trace read in one pass and bounded memory: blocks of text to rows, rows to pairs, both to Parquet.

Compiled code reads the lines whose form and names it knows; the others are read here, one by one, and what they
name is known from then on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..reading import LINE_LIMIT, Account, Options, Reading
from ..source import Source
from . import block as s
from . import classes, scanning
from . import pairing as p
from .columns import Store
from .headers import facts_of, overwritten
from .naming import Naming
from .payloads import BAD_NUMBER, TOO_LONG
from .summing import Sums
from .unread import read_line
from .words import PAD

BLOCK = 1 << 22
UNREAD = 256  # lines that are handed on at once: what they name is known for the next ones


def read_trace(source: Source, form: str, options: Options, folder: Path) -> Reading:
    """Read a trace of a ``form`` of "perf-script", "ftrace" or "trace-cmd" into Parquet files under ``folder``.

    The reading's ``totals`` are the trace's part of the JSON (times in ns, or in ticks of an integer clock).
    """
    account = Account()
    facts = facts_of(source.head(), options)
    naming = Naming(form, facts.get("isa"), options.keep_names)
    trace = _Trace(naming, account, options, facts, folder)
    _blocks(source, trace)
    return trace.reading(form, overwritten(source.head()))


class _Trace:
    """What is known of a trace between its blocks."""

    def __init__(self, naming: Naming, account: Account, options: Options, facts: dict[str, Any], folder: Path) -> None:
        self.naming, self.account, self.options, self.facts = naming, account, options, facts
        self.rows = s.rows()
        self.left = np.empty((UNREAD, 3), np.int64)
        self.line = 0
        self.state = np.zeros((64, p.STATE), np.int64)
        self.lost = np.zeros(p.CPUS + 1, np.int64)
        self.sums = Sums()
        self.store = Store(folder, naming.names, self.metadata, options.keep_names)
        self.slow_case = slow_case(options, facts)

    def metadata(self) -> dict[str, str]:
        """What every file says of its columns."""
        return {"time_unit": self.time_unit, "time_resolution": str(self.resolution)}

    @property
    def in_ticks(self) -> bool:
        return self.naming.digits == 0 and self.options.clock_hz is None

    @property
    def time_unit(self) -> str:
        return "ticks" if self.in_ticks else "ns"

    @property
    def resolution(self) -> int:
        """Smallest step of the times, in their unit."""
        return 1000 if self.naming.digits == 6 else 1

    def take(self, made: int) -> None:
        """Pair and store the first rows."""
        if not made:
            return
        rows = self.rows[:, :made]
        self.naming.before = int(rows[s.KIND, -1])
        self._set_times(rows)
        if len(self.state) < len(self.naming.names.tid):
            more = np.zeros((len(self.naming.names.tid), p.STATE), np.int64)
            self.state = np.concatenate([self.state, more])
        sums = self.sums
        p.pair(
            self.rows.ctypes.data, made, self.state.ctypes.data, self.naming.kinds.ctypes.data, self.lost.ctypes.data,
            sums.totals.ctypes.data, sums.reasons.ctypes.data, sums.events.ctypes.data, sums.classes.ctypes.data,
            self.store.addresses.ctypes.data, self.store.used.ctypes.data, self.slow_case,
        )  # fmt: skip
        self.store.make_room()

    def _set_times(self, rows: Any) -> None:
        """Ticks to ns where the clock is given; events outside the window are none."""
        if self.naming.digits == 0 and self.options.clock_hz is not None:
            hertz = round(self.options.clock_hz)
            whole, part = np.divmod(rows[s.TIME], hertz)
            rows[s.TIME] = whole * 10**9 + part * 10**9 // hertz
        if isinstance(self.options.window, tuple) and not self.in_ticks:
            first, last = (round(second * 1e9) for second in self.options.window)
            outside = (rows[s.TIME] < first) | (rows[s.TIME] > last)
            rows[s.KIND][outside & (rows[s.KIND] >= 0)] = s.NOTHING

    def reading(self, form: str, overwritten_events: int) -> Reading:
        """The whole file."""
        self.store.close()
        self.sums.lose(overwritten_events)
        self.sums.end(self.state[:, p.OPEN])
        self.account.rows = int(self.sums.totals[p.T_EVENTS])
        for text in self.sums.warnings(self.naming.names):
            self.account.warn(text)
        facts = {**self.facts, **self.sums.facts(self.in_ticks), "time_resolution": self.resolution}
        if self.naming.isa:
            facts["isa"] = self.naming.isa
        totals = {**self.sums.document(self.naming.names), "time_unit": self.time_unit if self.account.rows else None}
        return Reading(form, self.account, facts=facts, totals=totals)


def slow_case(options: Options, facts: dict[str, Any]) -> int:
    """What a search is whose answer was not cached: known from the kernel's release or the module's parameter."""
    release = str(options.kernel or facts.get("release") or "")
    parts = release.split(".")
    if len(parts) > 1 and parts[0].isdecimal() and (int(parts[0]), _leading(parts[1])) <= (3, 0):
        return classes.BEFORE
    return classes.UNCACHED if options.mmio_caching is False else classes.UNKNOWN


def _leading(text: str) -> int:
    digits = text[: len(text) - len(text.lstrip("0123456789"))]
    return int(digits or 0)


def _blocks(source: Source, trace: _Trace) -> None:
    buffer = np.zeros(BLOCK + PAD, np.uint8)
    view = memoryview(buffer.data)
    end, dropping = 0, False
    while (filled := _fill(source, view[end:BLOCK])) or end:
        at, end = 0, end + filled
        if dropping:
            at = bytes(view[:end]).find(b"\n") + 1
            if at == 0:
                end = 0
                continue
            _too_long(trace)
            dropping = False
        at = _scan(view, buffer.ctypes.data, at, end, trace)
        if not filled:
            _last(view[at:end], trace)
            return
        end -= at
        if end > LINE_LIMIT + 1:  # a carriage return is not counted
            end, dropping = 0, True
        else:
            buffer[:end] = buffer[at : at + end].copy()
    if dropping:
        _too_long(trace)


def _fill(source: Source, view: memoryview) -> int:
    filled = 0
    while filled < len(view) and (count := source.fill(view[filled:])):
        filled += count
    return filled


def _too_long(trace: _Trace) -> None:
    trace.line += 1
    trace.account.skip(trace.line, TOO_LONG)


def _scan(view: memoryview, address: int, at: int, end: int, trace: _Trace) -> int:
    """Read all whole lines between two places; returns the place after the last."""
    naming = trace.naming
    while True:
        at, trace.line, made, unread = scanning.scan(
            address, at, end, trace.line, int(naming.form == "perf-script"), naming.digits,
            naming.threads.address, naming.events.address, naming.reasons.address,
            trace.rows.ctypes.data, trace.left.ctypes.data, UNREAD,
        )  # fmt: skip
        for start, stop, row in trace.left[:unread].tolist():
            _unread(view[start:stop], row, trace, ended=True)
        trace.take(made)
        if made < s.ROOM and unread < UNREAD:
            return at


def _unread(part: memoryview, row: int, trace: _Trace, ended: bool) -> None:
    number = int(trace.rows[s.LINE, row])
    if len(part) > LINE_LIMIT:
        trace.account.skip(number, TOO_LONG)
        return
    text = bytes(part).decode("utf-8", "replace")
    reason = read_line(text, trace.naming, trace.rows, row)
    if reason:
        trace.account.skip(number, reason if ended or reason == BAD_NUMBER else "incomplete")


def _last(part: memoryview, trace: _Trace) -> None:
    """A last line that no newline ends: it counts if it is complete."""
    trace.line += 1
    if part:
        s.clear(trace.rows, trace.line)
        _unread(part, 0, trace, ended=False)
        trace.take(1)
