"""A block of trace text into columns: the common forms of a line, compiled.

What a line says is defined by ``lines`` and ``payloads``; a line that is not exactly of a form known here, or that
names a thread, event or exit reason not met before, is handed on and read there. Nothing is guessed: a line read
here says the same there (tests/evidence/importers/test_scanning.py).
"""

from __future__ import annotations

from ..reading import LINE_LIMIT
from .block import (
    ADDRESS,
    CPU,
    ERROR_CODE,
    FLAG,
    GEN,
    KIND,
    LINE,
    NOTHING,
    NUMBER,
    OTHERS,
    PRINTED,
    REASON,
    ROOM,
    RW,
    THREAD,
    TIME,
    VALUE,
    VCPU,
    WIDTH,
    printable,
    set_column,
)
from .payloads import CHECK, ENTRY, EXIT, FAST_MMIO, HANDLE, MARK, MMIO, PAGE_FAULT, PIO, USERSPACE
from .scan_accesses import check_payload, fast_mmio_payload, handle_payload, mark_payload, mmio_payload, pio_payload
from .scan_exits import entry_payload, exit_payload, page_fault_payload, userspace_payload
from .words import byte, decimal, fast, find, hexadecimal, inlined, look_up, put, skip_blanks


@inlined
def _payload(buffer: int, at: int, end: int, event: int, reasons: int, out: int) -> bool:
    if event >= OTHERS:
        return True
    if event == EXIT:
        return exit_payload(buffer, at, end, reasons, out)
    if event == ENTRY:
        return entry_payload(buffer, at, end, out)
    if event == MMIO:
        return mmio_payload(buffer, at, end, out)
    if event == FAST_MMIO:
        return fast_mmio_payload(buffer, at, end, out)
    if event == PIO:
        return pio_payload(buffer, at, end, out)
    if event == USERSPACE:
        return userspace_payload(buffer, at, end, out)
    if event == PAGE_FAULT:
        return page_fault_payload(buffer, at, end, out)
    if event == HANDLE:
        return handle_payload(buffer, at, end)
    if event == MARK:
        return mark_payload(buffer, at, end, out)
    if event == CHECK:
        return check_payload(buffer, at, end, out)
    return False


@inlined
def _time(buffer: int, at: int, end: int, digits: int, out: int) -> int:
    """The time with as many digits behind the point as the file has (0: an integer clock); place after it or -1."""
    seconds, after = decimal(buffer, at, end, 18 if digits == 0 else 9)
    if after == at or after >= end:
        return -1
    if digits == 0:
        set_column(out, TIME, seconds)
        return after if byte(buffer, after) == 58 else -1
    if byte(buffer, after) != 46 or (digits != 6 and digits != 9):
        return -1
    fraction, stop = decimal(buffer, after + 1, end, 9)
    if stop - after - 1 != digits:
        return -1
    set_column(out, TIME, seconds * 1000000000 + (fraction * 1000 if digits == 6 else fraction))
    return stop if stop < end and byte(buffer, stop) == 58 else -1


@inlined
def _clear(out: int) -> None:
    set_column(out, CPU, -1)
    set_column(out, VCPU, -1)
    set_column(out, REASON, -1)
    set_column(out, PRINTED, -1)
    set_column(out, ADDRESS, -1)
    set_column(out, ERROR_CODE, -1)
    set_column(out, GEN, -1)
    set_column(out, FLAG, -1)
    set_column(out, NUMBER, 0)
    set_column(out, RW, 0)
    set_column(out, VALUE, 0)


@inlined
def _event_line(
    buffer: int, at: int, end: int, perf: int, digits: int, threads: int, events: int, reasons: int, out: int
) -> bool:
    bracket = find(buffer, at, min(end, at + 64), 91)
    thread = look_up(buffer, at, bracket - at, threads)
    if thread < 0 or bracket + 3 > end or byte(buffer, bracket) != 91:
        return False
    if bracket - at <= WIDTH and byte(buffer, at + WIDTH) == (45 if perf == 0 else 32):
        return False  # the name may be longer than the one that was learned
    cpu, after = decimal(buffer, bracket + 1, end, 5)
    if after == bracket + 1 or byte(buffer, after) != 93 or byte(buffer, after + 1) != 32:
        return False
    at = skip_blanks(buffer, after + 1, end)
    if perf == 0 and at < end and (byte(buffer, at) < 48 or byte(buffer, at) > 57):
        flags = find(buffer, at, end, 32)
        if flags - at < 3 or flags - at > 8 or not printable(buffer, at, flags):
            return False
        at = skip_blanks(buffer, flags, end)
    at = _time(buffer, at, end, digits, out)
    if at < 0 or at + 2 > end or byte(buffer, at + 1) != 32:
        return False
    at = at + 2
    if perf != 0:
        at = skip_blanks(buffer, at, end)
    stop = find(buffer, at, end, 32)
    if stop - at < 2 or byte(buffer, stop - 1) != 58:
        return False
    event = look_up(buffer, at, stop - 1 - at, events)
    if event < 0:
        return False
    set_column(out, CPU, cpu)
    set_column(out, THREAD, thread)
    set_column(out, KIND, event)
    return _payload(buffer, skip_blanks(buffer, stop, end), end, event, reasons, out)


@inlined
def _stack(buffer: int, at: int, end: int) -> bool:
    """Whether a line that begins with a tab is a frame of a call graph: an address and what it belongs to."""
    while at < end and byte(buffer, at) == 9:
        at += 1
    at = skip_blanks(buffer, at, end)
    _, after = hexadecimal(buffer, at, end)
    return at < after < end and byte(buffer, after) == 32


@fast
def scan(
    buffer: int, at: int, end: int, line: int, perf: int, digits: int,
    threads: int, events: int, reasons: int, out: int, left: int, room: int,
) -> tuple[int, int, int, int]:  # fmt: skip
    """Read whole lines from ``at`` on, until the text, the rows or the room for unread lines end.

    ``buffer``, ``out`` (COLUMNS, ROOM), ``left`` (room, 3) and the tables of names are addresses; ``left`` takes
    start, end and row of lines that ``lines`` has to read. Returns the place after the last line, its number, how
    many rows were made and how many lines were left.
    """
    row = unread = 0
    while at < end and row < ROOM and unread < room:
        stop = find(buffer, at, end, 10)
        if stop == end:
            break
        line += 1
        last = stop - 1 if stop > at and byte(buffer, stop - 1) == 13 else stop
        first = byte(buffer, at)
        too_long = last - at > LINE_LIMIT
        if too_long or (last > at and first != 35 and not (first == 9 and _stack(buffer, at, last))):
            here = out + 8 * row
            set_column(here, LINE, line)
            _clear(here)
            if too_long or not _event_line(buffer, at, last, perf, digits, threads, events, reasons, here):
                set_column(here, KIND, NOTHING)
                put(left, 24 * unread, at)
                put(left, 24 * unread + 8, last)
                put(left, 24 * unread + 16, row)
                unread += 1
            row += 1
        at = stop + 1
    return at, line, row, unread
