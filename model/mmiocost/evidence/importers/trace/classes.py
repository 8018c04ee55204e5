"""What a pair was: classes, the cases of a slow one, and who served it, by what was seen between exit and entry."""

from __future__ import annotations

from .payloads import CHECK, FAST_MMIO, HANDLE, MARK, MMIO, PAGE_FAULT, PIO, USERSPACE
from .words import inlined

CLASSES = (
    "mmio_fast", "mmio_stale", "mmio_slow", "mmio_cached", "mmio_other", "pio", "misconfig_bare", "fault", "other",
)  # fmt: skip
(C_FAST, C_STALE, C_SLOW, C_CACHED, C_MMIO, C_PIO, C_BARE, C_FAULT, C_OTHER) = range(len(CLASSES))
SLOW_CASES = ("", "first", "before", "uncached", "unknown")
NO_CASE, FIRST, BEFORE, UNCACHED, UNKNOWN = range(len(SLOW_CASES))
SERVED = ("", "kernel", "user")
#: What the canonical reason of an exit tells: nothing, a cached "this is MMIO", a missing one, or by bit 3 of the
#: error code (nested paging, and a page fault under shadow paging).
PLAIN, MISCONFIG, VIOLATION, NESTED, FAULT = range(5)
REASON_KINDS = {
    "EPT_MISCONFIG": MISCONFIG, "EPT_VIOLATION": VIOLATION, "NPF": NESTED, "EXCP_PF": FAULT, "EXCEPTION_NMI": FAULT,
}  # fmt: skip
#: What was seen between exit and entry, a bit each.
S_FAST, S_MMIO, S_INVALID, S_MARK, S_HANDLE, S_PIO, S_FAULT, S_USER, S_RESERVED = (1 << bit for bit in range(9))


@inlined
def class_of(seen: int, kind: int) -> int:
    """Class of a pair by what was ``seen`` in it and the ``kind`` of its reason: the first that applies."""
    mmio, reserved = seen & S_MMIO, seen & S_RESERVED
    if seen & S_FAST:
        return C_FAST
    if mmio and (seen & S_INVALID or (seen & S_MARK and reserved and not seen & S_HANDLE)):
        return C_STALE
    if mmio and seen & S_MARK:
        return C_SLOW
    if mmio and (seen & S_HANDLE or reserved):
        return C_CACHED
    if mmio:
        return C_MMIO if kind == PLAIN else C_SLOW
    if seen & S_PIO:
        return C_PIO
    if kind == MISCONFIG:
        return C_BARE
    return C_FAULT if seen & S_FAULT or kind in (VIOLATION, NESTED) else C_OTHER


@inlined
def seen_by(event: int, flag: int, reserved: bool) -> int:
    """What an event tells of the exit that it follows; ``reserved``: its error code has the reserved bit."""
    if event == MMIO:
        return S_MMIO
    if event == FAST_MMIO:
        return S_FAST
    if event == PIO:
        return S_PIO
    if event == USERSPACE:
        return S_USER if flag == 1 else 0
    if event == CHECK:
        return S_INVALID if flag == 0 else 0
    if event == MARK:
        return S_MARK
    if event == HANDLE:
        return S_HANDLE
    if event == PAGE_FAULT:
        return S_FAULT | (S_RESERVED if reserved else 0)
    return 0
