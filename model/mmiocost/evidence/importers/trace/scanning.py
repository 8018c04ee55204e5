"""A block of trace text into columns: the common forms of a line, compiled.

What a line says is defined by ``lines`` and ``payloads``; a line that is not exactly of a form known here, or that
names a thread, event or exit reason not met before, is handed on and read there. Nothing is guessed: a line read
here says the same there (tests/evidence/importers/test_scanning.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..reading import LINE_LIMIT
from .payloads import (
    CHECK,
    ENTRY,
    EVENTS,
    EXIT,
    FAST_MMIO,
    HANDLE,
    MARK,
    MMIO,
    PAGE_FAULT,
    PIO,
    READ,
    UNSATISFIED,
    USERSPACE,
    WRITE,
)
from .words import byte, decimal, fast, find, hexadecimal, inlined, look_up, put, skip_blanks, word

OTHERS = len(EVENTS)
NO_CODE, CODE_IN_INFO1, CODE_IN_FIELD = 0, 1, 2  # where the error code of an exit stands, by its reason
_LARGEST = np.uint64((1 << 63) - 1)
_ALL = np.uint64((1 << 64) - 1)
NOTHING = -1  # event of a row that is none
WIDTH = 16  # columns that a thread's name is printed in


# Columns of a block, (COLUMNS, ROOM) of int64; -1 (0 for RW, NUMBER and VALUE) is what an event does not say.
# Numbers of columns, and one array: a tuple of arrays costs ten times as much to pass around.
COLUMNS = 15
(TIME, LINE, CPU, THREAD, KIND, VCPU, REASON, PRINTED, ADDRESS, NUMBER, RW, VALUE, ERROR_CODE, GEN, FLAG) = range(
    COLUMNS
)
ROOM = 40_008  # rows of a block; no power of two, or all columns would fall into the same places of the cache
#: The value of a known reason: the printed name's number, the canonical one's, and where the error code stands.
CANONICAL_SHIFT, CODE_SHIFT = 16, 32


def rows() -> Any:
    """Empty columns for ROOM events."""
    return np.empty((COLUMNS, ROOM), np.int64)


@inlined
def _keep(out: int, column: int, value: int) -> None:
    put(out, 8 * ROOM * column, value)


def _starts(text: bytes) -> tuple[Any, Any]:
    """First eight bytes of a text as a word, and the mask of those that count."""
    padded = text[:8].ljust(8, b"\0")
    return np.uint64(int.from_bytes(padded, "little")), np.uint64((1 << (8 * len(text[:8]))) - 1)


_VCPU, _VCPU_MASK = _starts(b"vcpu ")
_REASON_, _REASON_MASK = _starts(b"reason ")
_RIP, _RIP_MASK = _starts(b" rip 0x")
_INFO1, _ = _starts(b"info1 0x")
_INFO, _INFO_MASK = _starts(b"info ")
_MMIO, _MMIO_MASK = _starts(b"mmio ")
_LEN, _LEN_MASK = _starts(b" len ")
_GPA, _GPA_MASK = _starts(b" gpa 0x")
_VAL, _VAL_MASK = _starts(b" val 0x")
_AT_GPA, _ = _starts(b" at gpa ")
_FAST, _ = _starts(b"fast mmi")
_WRITE, _WRITE_MASK = _starts(b"write")
_READ, _READ_MASK = _starts(b"read")
_UNSATISFIED, _ = _starts(b"unsatisf")
_IED_READ, _ = _starts(b"ied-read")
_KVM_EXIT, _ = _starts(b"KVM_EXIT")
_EXIT_MMIO, _EXIT_MMIO_MASK = _starts(b"_MMIO")
_PIO_READ, _ = _starts(b"pio_read")
_PIO_WRITE, _ = _starts(b"pio_writ")
_AT, _AT_MASK = _starts(b" at 0x")
_SIZE, _SIZE_MASK = _starts(b" size ")
_COUNT, _COUNT_MASK = _starts(b" count ")
_ADDR, _ADDR_MASK = _starts(b"addr:")
_GFN, _GFN_MASK = _starts(b" gfn ")
_ACCESS, _ = _starts(b" access ")
_SPTEP, _SPTEP_MASK = _starts(b"sptep:")
_GEN, _GEN_MASK = _starts(b" gen ")
_SPTE, _SPTE_MASK = _starts(b"spte ")
_KVM_GEN, _ = _starts(b"kvm_gen ")
_SPTE_GEN, _ = _starts(b" spte-ge")
_VALID, _VALID_MASK = _starts(b" valid ")
_ADDRESS, _ = _starts(b" address")
_0X, _0X_MASK = _starts(b" 0x")
_ERROR_C, _ = _starts(b" error_c")
_ODE, _ODE_MASK = _starts(b"ode 0x")
_INFO2, _ = _starts(b" info2 0x")
_INTR_IN, _ = _starts(b" intr_in")
__INFO_0X, _ = _starts(b"_info 0x")
_REQUESTS, _ = _starts(b" requests")


@inlined
def _is(buffer: int, at: int, text: Any, mask: Any) -> bool:
    return (word(buffer, at) & mask) == text


@inlined
def _bounded(number: Any) -> int:
    return np.int64(min(number, _LARGEST))


@inlined
def _hex_after(buffer: int, at: int, end: int, text: Any, mask: Any, length: int) -> tuple[Any, int]:
    """A hexadecimal number behind a text, and the place after it; -1 as the place where there is none."""
    if not _is(buffer, at, text, mask):
        return np.uint64(0), -1
    value, after = hexadecimal(buffer, at + length, end)
    return value, (after if after > at + length and after <= end else -1)


@inlined
def _to_end(buffer: int, at: int, end: int) -> bool:
    """Whether nothing but blanks is left."""
    return skip_blanks(buffer, at, end) == end


@inlined
def _printable(buffer: int, at: int, end: int) -> bool:
    """Whether all bytes are ASCII and none a blank or a control character: as many letters as bytes."""
    while at < end and 32 < byte(buffer, at) < 127:
        at += 1
    return at == end


@inlined
def _exit(buffer: int, at: int, end: int, reasons: int, out: int) -> bool:
    if _is(buffer, at, _VCPU, _VCPU_MASK):
        vcpu, after = decimal(buffer, at + 5, end, 9)
        _keep(out, VCPU, vcpu)
        if after == at + 5 or byte(buffer, after) != 32:
            return False
        at = after + 1
    if not _is(buffer, at, _REASON_, _REASON_MASK):
        return False
    start = at + 7
    stop = find(buffer, start, end, 32)
    while stop < end and not _is(buffer, stop, _RIP, _RIP_MASK):
        stop = find(buffer, stop + 1, end, 32)
    if stop >= end or stop == start:
        return False
    found = look_up(buffer, start, stop - start, reasons)
    if found < 0:
        return False
    _, rest = hexadecimal(buffer, stop + 7, end)
    if rest == stop + 7 or (rest < end and byte(buffer, rest) != 32):
        return False
    _keep(out, PRINTED, found & 0xFFFF)
    _keep(out, REASON, (found >> CANONICAL_SHIFT) & 0xFFFF)
    if found >> CODE_SHIFT == NO_CODE:
        return True
    return _error_code(buffer, rest + 1, end, found >> CODE_SHIFT, out)


@inlined
def _error_code(buffer: int, at: int, end: int, place: int, out: int) -> bool:
    """The error code of an exit whose reason has one; False where the layout is not the one of today's kernels."""
    value, after = _hex_after(buffer, at, end, _INFO1, _ALL, 8)
    if place == CODE_IN_INFO1:
        _keep(out, ERROR_CODE, _bounded(value))
        return after == end or (after >= 0 and byte(buffer, after) == 32)
    if after < 0:
        return _two_infos(buffer, at, end)
    if word(buffer, after) != _INFO2 or byte(buffer, after + 8) != 120:
        return False
    _, after = hexadecimal(buffer, after + 9, end)
    if word(buffer, after) != _INTR_IN or word(buffer, after + 5) != __INFO_0X:
        return False
    interruption, after = hexadecimal(buffer, after + 13, end)
    if word(buffer, after) != _ERROR_C:
        return False
    code, after = _hex_after(buffer, after + 8, end, _ODE, _ODE_MASK, 6)
    if after < 0 or not _requests(buffer, after, end):
        return False
    if interruption & np.uint64(0x800):
        _keep(out, ERROR_CODE, _bounded(code))
    return True


@inlined
def _two_infos(buffer: int, at: int, end: int) -> bool:
    """``info I1 I2`` and no more: the layout that says no error code."""
    _, after = _hex_after(buffer, at, end, _INFO, _INFO_MASK, 5)
    if after < 0 or byte(buffer, after) != 32:
        return False
    _, stop = hexadecimal(buffer, after + 1, end)
    return stop > after + 1 and _to_end(buffer, stop, end)


@inlined
def _requests(buffer: int, at: int, end: int) -> bool:
    """Nothing more, or what the newest kernels add."""
    if _to_end(buffer, at, end):
        return True
    _, after = _hex_after(buffer, at + 9, end, _0X, _0X_MASK, 3)
    return word(buffer, at) == _REQUESTS and byte(buffer, at + 8) == 115 and after >= 0 and _to_end(buffer, after, end)


@inlined
def _mmio(buffer: int, at: int, end: int, out: int) -> bool:
    if not _is(buffer, at, _MMIO, _MMIO_MASK):
        return False
    at += 5
    if _is(buffer, at, _WRITE, _WRITE_MASK):
        _keep(out, RW, WRITE)
        at += 5
    elif _is(buffer, at, _READ, _READ_MASK):
        _keep(out, RW, READ)
        at += 4
    elif word(buffer, at) == _UNSATISFIED and word(buffer, at + 8) == _IED_READ:
        _keep(out, RW, UNSATISFIED)
        at += 16
    else:
        return False
    if not _is(buffer, at, _LEN, _LEN_MASK):
        return False
    length, after = decimal(buffer, at + 5, end, 5)
    _keep(out, NUMBER, length)
    if after == at + 5:
        return False
    address, after = _hex_after(buffer, after, end, _GPA, _GPA_MASK, 7)
    if after < 0:
        return False
    value, after = _hex_after(buffer, after, end, _VAL, _VAL_MASK, 7)
    _keep(out, ADDRESS, _bounded(address))
    _keep(out, VALUE, _bounded(value))
    return after >= 0 and _to_end(buffer, after, end)


@inlined
def _fast_mmio(buffer: int, at: int, end: int, out: int) -> bool:
    if word(buffer, at) != _FAST or byte(buffer, at + 8) != 111 or word(buffer, at + 9) != _AT_GPA:
        return False
    if byte(buffer, at + 17) != 48 or byte(buffer, at + 18) != 120:
        return False
    address, after = hexadecimal(buffer, at + 19, end)
    _keep(out, ADDRESS, _bounded(address))
    _keep(out, RW, WRITE)
    return after > at + 19 and _to_end(buffer, after, end)


@inlined
def _pio(buffer: int, at: int, end: int, out: int) -> bool:
    if word(buffer, at) == _PIO_READ:
        _keep(out, RW, READ)
        at += 8
    elif word(buffer, at) == _PIO_WRITE and byte(buffer, at + 8) == 101:
        _keep(out, RW, WRITE)
        at += 9
    else:
        return False
    address, after = _hex_after(buffer, at, end, _AT, _AT_MASK, 6)
    if after < 0 or after > at + 14 or not _is(buffer, after, _SIZE, _SIZE_MASK):
        return False
    _keep(out, ADDRESS, np.int64(address))
    size, at = decimal(buffer, after + 6, end, 3)
    _keep(out, NUMBER, size)
    if at == after + 6 or not _is(buffer, at, _COUNT, _COUNT_MASK):
        return False
    _, after = decimal(buffer, at + 7, end, 9)
    return after > at + 7 and (after == end or byte(buffer, after) == 32)


@inlined
def _page_fault(buffer: int, at: int, end: int, out: int) -> bool:
    """``vcpu N rip 0xR address 0xA error_code 0xE``, as kernels since 5.x print it."""
    if not _is(buffer, at, _VCPU, _VCPU_MASK):
        return False
    _, after = decimal(buffer, at + 5, end, 9)
    if after == at + 5:
        return False
    _, after = _hex_after(buffer, after, end, _RIP, _RIP_MASK, 7)
    if after < 0 or word(buffer, after) != _ADDRESS:
        return False
    _, after = _hex_after(buffer, after + 8, end, _0X, _0X_MASK, 3)
    if after < 0 or word(buffer, after) != _ERROR_C:
        return False
    code, after = _hex_after(buffer, after + 8, end, _ODE, _ODE_MASK, 6)
    _keep(out, ERROR_CODE, _bounded(code))
    return after >= 0 and (after == end or byte(buffer, after) == 32)


@inlined
def _handle(buffer: int, at: int, end: int) -> bool:
    _, after = _hex_after(buffer, at, end, _ADDR, _ADDR_MASK, 5)
    if after < 0:
        return False
    _, after = _hex_after(buffer, after, end, _GFN, _GFN_MASK, 5)
    return after >= 0 and after + 8 <= end and word(buffer, after) == _ACCESS


@inlined
def _mark(buffer: int, at: int, end: int, out: int) -> bool:
    if not _is(buffer, at, _SPTEP, _SPTEP_MASK):
        return False
    after = find(buffer, at + 6, end, 32)
    if after == at + 6 or after > at + 24 or not _printable(buffer, at + 6, after):
        return False
    _, after = _hex_after(buffer, after, end, _GFN, _GFN_MASK, 5)
    if after < 0 or word(buffer, after) != _ACCESS:
        return False
    _, access = hexadecimal(buffer, after + 8, end)
    if access == after + 8 or access > after + 16:
        return False
    if _to_end(buffer, access, end):
        return True
    gen, after = _hex_after(buffer, access, end, _GEN, _GEN_MASK, 5)
    _keep(out, GEN, _bounded(gen))
    return after >= 0 and _to_end(buffer, after, end)


@inlined
def _check(buffer: int, at: int, end: int, out: int) -> bool:
    if not _is(buffer, at, _SPTE, _SPTE_MASK):
        return False
    after = find(buffer, at + 5, end, 32)
    if after == at + 5 or after > at + 25 or not _printable(buffer, at + 5, after):
        return False
    if word(buffer, after + 1) != _KVM_GEN:
        return False
    gen, at = hexadecimal(buffer, after + 9, end)
    if at == after + 9 or word(buffer, at) != _SPTE_GEN or byte(buffer, at + 8) != 110 or byte(buffer, at + 9) != 32:
        return False
    _, after = hexadecimal(buffer, at + 10, end)
    if after == at + 10 or after + 8 > end or not _is(buffer, after, _VALID, _VALID_MASK):
        return False
    valid = np.int64(byte(buffer, after + 7)) - 48
    _keep(out, GEN, _bounded(gen))
    _keep(out, FLAG, valid)
    return (valid == 0 or valid == 1) and _to_end(buffer, after + 8, end)


@inlined
def _userspace(buffer: int, at: int, end: int, out: int) -> bool:
    if not _is(buffer, at, _REASON_, _REASON_MASK) or at + 15 > end or word(buffer, at + 7) != _KVM_EXIT:
        return False
    _keep(out, FLAG, 1 if _is(buffer, at + 15, _EXIT_MMIO, _EXIT_MMIO_MASK) else 0)
    return True


@inlined
def _payload(buffer: int, at: int, end: int, event: int, reasons: int, out: int) -> bool:
    if event >= OTHERS:
        return True
    if event == EXIT:
        return _exit(buffer, at, end, reasons, out)
    if event == ENTRY:
        vcpu, after = decimal(buffer, at + 5, end, 9)
        _keep(out, VCPU, vcpu)
        plain = after == end or byte(buffer, after) == 32 or byte(buffer, after) == 44
        return _is(buffer, at, _VCPU, _VCPU_MASK) and after > at + 5 and plain
    if event == MMIO:
        return _mmio(buffer, at, end, out)
    if event == FAST_MMIO:
        return _fast_mmio(buffer, at, end, out)
    if event == PIO:
        return _pio(buffer, at, end, out)
    if event == USERSPACE:
        return _userspace(buffer, at, end, out)
    if event == PAGE_FAULT:
        return _page_fault(buffer, at, end, out)
    if event == HANDLE:
        return _handle(buffer, at, end)
    if event == MARK:
        return _mark(buffer, at, end, out)
    if event == CHECK:
        return _check(buffer, at, end, out)
    return False


@inlined
def _time(buffer: int, at: int, end: int, digits: int, out: int) -> int:
    """The time with as many digits behind the point as the file has (0: an integer clock); place after it or -1."""
    seconds, after = decimal(buffer, at, end, 18 if digits == 0 else 9)
    if after == at or after >= end:
        return -1
    if digits == 0:
        _keep(out, TIME, seconds)
        return after if byte(buffer, after) == 58 else -1
    if byte(buffer, after) != 46 or (digits != 6 and digits != 9):
        return -1
    fraction, stop = decimal(buffer, after + 1, end, 9)
    if stop - after - 1 != digits:
        return -1
    _keep(out, TIME, seconds * 1000000000 + (fraction * 1000 if digits == 6 else fraction))
    return stop if stop < end and byte(buffer, stop) == 58 else -1


@inlined
def _clear(out: int) -> None:
    _keep(out, CPU, -1)
    _keep(out, VCPU, -1)
    _keep(out, REASON, -1)
    _keep(out, PRINTED, -1)
    _keep(out, ADDRESS, -1)
    _keep(out, ERROR_CODE, -1)
    _keep(out, GEN, -1)
    _keep(out, FLAG, -1)
    _keep(out, NUMBER, 0)
    _keep(out, RW, 0)
    _keep(out, VALUE, 0)


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
        if flags - at < 3 or flags - at > 8 or not _printable(buffer, at, flags):
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
    _keep(out, CPU, cpu)
    _keep(out, THREAD, thread)
    _keep(out, KIND, event)
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
            _keep(here, LINE, line)
            _clear(here)
            if too_long or not _event_line(buffer, at, last, perf, digits, threads, events, reasons, here):
                _keep(here, KIND, NOTHING)
                put(left, 24 * unread, at)
                put(left, 24 * unread + 8, last)
                put(left, 24 * unread + 16, row)
                unread += 1
            row += 1
        at = stop + 1
    return at, line, row, unread


def clear(block: Any, line: int) -> None:
    """Make the first row one of a line that says nothing."""
    block[:, 0] = -1
    block[[NUMBER, RW, VALUE], 0] = 0
    block[LINE, 0], block[KIND, 0] = line, NOTHING
