"""Exits paired with the entries that end them, thread by thread, and what each pair was.

A pair lasts from the exit tracepoint to the next entry of its thread: KVM's handling, user space if it was asked, time
off the CPU and the tracing itself; not the hardware's exit and entry. Arrays are addresses (``words``).
"""

from __future__ import annotations

from .block import (
    ADDRESS,
    CPU,
    ERROR_CODE,
    FLAG,
    GEN,
    KIND,
    LINE,
    NUMBER,
    PRINTED,
    REASON,
    ROOM,
    RW,
    THREAD,
    TIME,
    VALUE,
    VCPU,
)
from .classes import (
    C_MMIO,
    C_SLOW,
    FIRST,
    MISCONFIG,
    NESTED,
    NO_CASE,
    S_MARK,
    S_RESERVED,
    S_USER,
    SERVED,
    class_of,
    seen_by,
)
from .payloads import ENTRY, EXIT, FAST_MMIO, MMIO, PIO
from .words import add, fast, get, inlined, keep, put_half

MARKER = -2  # event of a row that says that events were lost on a CPU, or on all if that is -1
CPUS = 100_000  # CPU numbers have at most five digits
_RESERVED_BIT = 8

# What is known of a thread, STATE numbers each: an open exit, and what its thread did since.
STATE = 13
(OPEN, _START, _REASON, _LINE, _CPU, _SEEN, _ADDRESS, _RW, _LAST_CPU, _LAST_TIME, _VCPU, _EPOCH, _MET) = range(STATE)

# Totals of the file; of each reason, by 5; of each class by who served it, number and time.
TOTALS = 11
(T_EVENTS, T_PAIRS, T_UNPAIRED_EXITS, T_UNPAIRED_ENTRIES, T_NEGATIVE, T_DISORDER, T_MARKERS, T_LOST, T_UNKNOWN_LOSS,
 T_FIRST, T_LAST) = range(TOTALS)  # fmt: skip
REASON_TOTALS = 5
R_EXITS, R_PAIRS, R_TOTAL, R_MIN, R_MAX = range(REASON_TOTALS)

# Files that rows go to, (columns, CAPACITY) of words: what stands where, by (column, that of a row), of 64 and 32 bits.
CAPACITY = 5 * ROOM
EXITS, ENTRIES, ACCESSES, OTHERS, PAIRS = range(5)
WIDE, NARROW = ((0, TIME), (1, LINE)), ((2, CPU), (3, THREAD), (4, VCPU))
WIDE_EXITS, NARROW_EXITS = ((7, ERROR_CODE),), ((5, REASON), (6, PRINTED))
WIDE_ACCESSES, NARROW_ACCESSES = ((6, ADDRESS), (9, VALUE)), ((5, KIND), (7, NUMBER), (8, RW))
WIDE_OTHERS, NARROW_OTHERS = ((6, ERROR_CODE), (7, GEN)), ((5, KIND), (8, FLAG), (9, NUMBER))
(P_THREAD, P_VCPU, P_REASON, P_CLASS, P_CASE, P_SERVED, P_ADDRESS, P_RW, P_START, P_DURATION, P_MIGRATED, P_EXIT_LINE,
 P_ENTRY_LINE) = range(13)  # fmt: skip
WIDTHS = (8, 5, 10, 10, 13)
Columns = tuple[tuple[int, int], ...]


@inlined
def _field(here: int, column: int) -> int:
    """What a row says in a column."""
    return get(here, ROOM * column)


@inlined
def _put_field(file: int, place: int, column: int, value: int) -> None:
    keep(file, CAPACITY * column + place, value)


@inlined
def _put_narrow(file: int, place: int, column: int, value: int) -> None:
    """A number of 32 bits: the column is as far from the next as a wide one, and half as full."""
    put_half(file, 8 * CAPACITY * column + 4 * place, value)


@fast
def pair(
    rows: int, count: int, state: int, kinds: int, lost: int, totals: int, reasons: int, events: int, classes: int,
    files: int, used: int, slow_case: int,
) -> None:  # fmt: skip
    """Pair the first ``count`` rows, and put rows and pairs into the columns of their files.

    Arrays of int64, by address: ``rows`` (COLUMNS, ROOM); ``state`` (threads, STATE); ``kinds`` (reasons,) of
    REASON_KINDS; ``lost`` (CPUS + 1,) the last marker of each CPU and of all; ``totals`` (TOTALS,), ``reasons``
    (reasons, REASON_TOTALS), ``events`` by kind, ``classes`` (classes, served, 2); ``files`` (5,) addresses of
    (WIDTHS, CAPACITY) with ``used`` (5,) rows. ``slow_case`` is that of a search whose answer was not cached.
    """
    for row in range(count):
        here = rows + 8 * row
        event = _field(here, KIND)
        if event == MARKER:
            _lose(_field(here, CPU), _field(here, NUMBER), lost, totals)
        if event < 0:
            continue
        own = state + 8 * STATE * _field(here, THREAD)
        _meet(here, event, own, lost, totals, events)
        if event == EXIT:
            _open(here, own, kinds, totals, reasons)
        elif event == ENTRY:
            if not get(own, OPEN):
                add(totals, T_UNPAIRED_ENTRIES, 1)
            elif _field(here, TIME) < get(own, _START):
                add(totals, T_NEGATIVE, 1)
            else:
                _close(here, own, kinds, totals, reasons, classes, get(files, PAIRS), get(used, PAIRS), slow_case)
                add(used, PAIRS, 1)
            keep(own, OPEN, 0)
        elif get(own, OPEN):
            _see(here, event, own, kinds)
        _store(here, event, files, used)


@inlined
def _lose(cpu: int, number: int, lost: int, totals: int) -> None:
    """Note a marker; exits that were open are closed when their thread is met again, or at the end."""
    add(totals, T_MARKERS, 1)
    keep(lost, cpu if cpu >= 0 else CPUS, get(totals, T_MARKERS))
    if number < 0:
        add(totals, T_UNKNOWN_LOSS, 1)
    else:
        add(totals, T_LOST, number)


@inlined
def _meet(here: int, event: int, own: int, lost: int, totals: int, events: int) -> None:
    """What holds for every event of a thread; its vCPU is filled in from what the thread said before."""
    time, cpu, vcpu = _field(here, TIME), _field(here, CPU), _field(here, VCPU)
    if get(totals, T_EVENTS) == 0:
        keep(totals, T_FIRST, time)
        keep(totals, T_LAST, time)
    keep(totals, T_FIRST, min(time, get(totals, T_FIRST)))
    keep(totals, T_LAST, max(time, get(totals, T_LAST)))
    add(totals, T_EVENTS, 1)
    add(events, event, 1)
    epoch = get(own, _EPOCH)
    if get(own, OPEN) and (get(lost, get(own, _LAST_CPU)) > epoch or get(lost, CPUS) > epoch):
        add(totals, T_UNPAIRED_EXITS, 1)
        keep(own, OPEN, 0)
    if get(own, _MET) and time < get(own, _LAST_TIME):
        add(totals, T_DISORDER, 1)
    if vcpu >= 0:
        keep(own, _VCPU, vcpu + 1)
    keep(here, ROOM * VCPU, get(own, _VCPU) - 1)
    keep(own, _MET, 1)
    keep(own, _LAST_TIME, time)
    keep(own, _LAST_CPU, max(cpu, 0))
    keep(own, _EPOCH, get(totals, T_MARKERS))


@inlined
def _open(here: int, own: int, kinds: int, totals: int, reasons: int) -> None:
    reason, error = _field(here, REASON), _field(here, ERROR_CODE)
    kind = get(kinds, reason)
    if get(own, OPEN):
        add(totals, T_UNPAIRED_EXITS, 1)
    add(reasons, REASON_TOTALS * reason + R_EXITS, 1)
    reserved = kind == MISCONFIG or (kind >= NESTED and error >= 0 and error & _RESERVED_BIT)
    keep(own, OPEN, 1)
    keep(own, _START, _field(here, TIME))
    keep(own, _REASON, reason)
    keep(own, _LINE, _field(here, LINE))
    keep(own, _CPU, _field(here, CPU))
    keep(own, _SEEN, S_RESERVED if reserved else 0)
    keep(own, _ADDRESS, -1)
    keep(own, _RW, 0)


@inlined
def _see(here: int, event: int, own: int, kinds: int) -> None:
    """What an event between exit and entry says of the exit; the first access is the one that is kept."""
    error = _field(here, ERROR_CODE)
    if event in (MMIO, FAST_MMIO, PIO) and get(own, _RW) == 0:
        keep(own, _ADDRESS, _field(here, ADDRESS))
        keep(own, _RW, _field(here, RW))
    by_bit = get(kinds, get(own, _REASON)) >= NESTED and error >= 0 and error & _RESERVED_BIT != 0
    keep(own, _SEEN, get(own, _SEEN) | seen_by(event, _field(here, FLAG), by_bit))


@inlined
def _close(
    here: int, own: int, kinds: int, totals: int, reasons: int, classes: int, file: int, at: int, slow_case: int
) -> None:
    seen, reason = get(own, _SEEN), get(own, _REASON)
    found = class_of(seen, get(kinds, reason))
    served = 0 if found > C_MMIO else 2 if seen & S_USER else 1
    duration = _field(here, TIME) - get(own, _START)
    of_reason = reasons + 8 * REASON_TOTALS * reason
    if get(of_reason, R_PAIRS) == 0 or duration < get(of_reason, R_MIN):
        keep(of_reason, R_MIN, duration)
    keep(of_reason, R_MAX, max(duration, get(of_reason, R_MAX)))
    add(of_reason, R_PAIRS, 1)
    add(of_reason, R_TOTAL, duration)
    add(totals, T_PAIRS, 1)
    add(classes, 2 * (len(SERVED) * found + served), 1)
    add(classes, 2 * (len(SERVED) * found + served) + 1, duration)
    _put_narrow(file, at, P_THREAD, _field(here, THREAD))
    _put_narrow(file, at, P_VCPU, _field(here, VCPU))
    _put_narrow(file, at, P_REASON, reason)
    _put_narrow(file, at, P_CLASS, found)
    _put_narrow(file, at, P_CASE, NO_CASE if found != C_SLOW else FIRST if seen & S_MARK else slow_case)
    _put_narrow(file, at, P_SERVED, served)
    _put_field(file, at, P_ADDRESS, get(own, _ADDRESS))
    _put_narrow(file, at, P_RW, get(own, _RW))
    _put_field(file, at, P_START, get(own, _START))
    _put_field(file, at, P_DURATION, duration)
    _put_narrow(file, at, P_MIGRATED, 1 if get(own, _CPU) != _field(here, CPU) else 0)
    _put_field(file, at, P_EXIT_LINE, get(own, _LINE))
    _put_field(file, at, P_ENTRY_LINE, _field(here, LINE))


@inlined
def _store(here: int, event: int, files: int, used: int) -> None:
    """Put a row into the columns of its file."""
    number = OTHERS
    if event == EXIT:
        number = EXITS
    elif event == ENTRY:
        number = ENTRIES
    elif event in (MMIO, FAST_MMIO, PIO):
        number = ACCESSES
    file, at = get(files, number), get(used, number)
    add(used, number, 1)
    _put_row(file, at, here, WIDE, NARROW)
    if number == EXITS:
        _put_row(file, at, here, WIDE_EXITS, NARROW_EXITS)
    elif number == ACCESSES:
        _put_row(file, at, here, WIDE_ACCESSES, NARROW_ACCESSES)
    elif number == OTHERS:
        _put_row(file, at, here, WIDE_OTHERS, NARROW_OTHERS)


@inlined
def _put_row(file: int, place: int, here: int, wide: Columns, narrow: Columns) -> None:
    for column, field in wide:
        _put_field(file, place, column, _field(here, field))
    for column, field in narrow:
        _put_narrow(file, place, column, _field(here, field))
