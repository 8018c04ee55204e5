"""Payloads of exits, entries, page faults and exits to user space, compiled: columns ``out`` of one row.

Each function says whether the payload is of the form that it knows.
"""

from __future__ import annotations

import numpy as np

from .block import (
    ALL_BITS,
    CANONICAL_SHIFT,
    CODE_IN_INFO1,
    CODE_SHIFT,
    ERROR_CODE,
    FLAG,
    NO_CODE,
    PRINTED,
    REASON,
    VCPU,
    bounded,
    hex_after,
    is_at,
    set_column,
    starts,
    to_end,
)
from .words import byte, decimal, find, hexadecimal, inlined, look_up, word

_VCPU, _VCPU_MASK = starts(b"vcpu ")
_REASON_, _REASON_MASK = starts(b"reason ")
_RIP, _RIP_MASK = starts(b" rip 0x")
_INFO1, _ = starts(b"info1 0x")
_INFO, _INFO_MASK = starts(b"info ")
_KVM_EXIT, _ = starts(b"KVM_EXIT")
_EXIT_MMIO, _EXIT_MMIO_MASK = starts(b"_MMIO")
_ADDRESS, _ = starts(b" address")
_0X, _0X_MASK = starts(b" 0x")
_ERROR_C, _ = starts(b" error_c")
_ODE, _ODE_MASK = starts(b"ode 0x")
_INFO2, _ = starts(b" info2 0x")
_INTR_IN, _ = starts(b" intr_in")
__INFO_0X, _ = starts(b"_info 0x")
_REQUESTS, _ = starts(b" requests")


@inlined
def exit_payload(buffer: int, at: int, end: int, reasons: int, out: int) -> bool:
    """``[vcpu N ]reason R rip 0xP …`` with a reason that is known."""
    if is_at(buffer, at, _VCPU, _VCPU_MASK):
        vcpu, after = decimal(buffer, at + 5, end, 9)
        set_column(out, VCPU, vcpu)
        if after == at + 5 or byte(buffer, after) != 32:
            return False
        at = after + 1
    if not is_at(buffer, at, _REASON_, _REASON_MASK):
        return False
    start = at + 7
    stop = find(buffer, start, end, 32)
    while stop < end and not is_at(buffer, stop, _RIP, _RIP_MASK):
        stop = find(buffer, stop + 1, end, 32)
    if stop >= end or stop == start:
        return False
    found = look_up(buffer, start, stop - start, reasons)
    if found < 0:
        return False
    _, rest = hexadecimal(buffer, stop + 7, end)
    if rest == stop + 7 or (rest < end and byte(buffer, rest) != 32):
        return False
    set_column(out, PRINTED, found & 0xFFFF)
    set_column(out, REASON, (found >> CANONICAL_SHIFT) & 0xFFFF)
    if found >> CODE_SHIFT == NO_CODE:
        return True
    return _error_code(buffer, rest + 1, end, found >> CODE_SHIFT, out)


@inlined
def _error_code(buffer: int, at: int, end: int, place: int, out: int) -> bool:
    """The error code of an exit whose reason has one; False where the layout is not the one of today's kernels."""
    value, after = hex_after(buffer, at, end, _INFO1, ALL_BITS, 8)
    if place == CODE_IN_INFO1:
        set_column(out, ERROR_CODE, bounded(value))
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
    code, after = hex_after(buffer, after + 8, end, _ODE, _ODE_MASK, 6)
    if after < 0 or not _requests(buffer, after, end):
        return False
    if interruption & np.uint64(0x800):
        set_column(out, ERROR_CODE, bounded(code))
    return True


@inlined
def _two_infos(buffer: int, at: int, end: int) -> bool:
    """``info I1 I2`` and no more: the layout that says no error code."""
    _, after = hex_after(buffer, at, end, _INFO, _INFO_MASK, 5)
    if after < 0 or byte(buffer, after) != 32:
        return False
    _, stop = hexadecimal(buffer, after + 1, end)
    return stop > after + 1 and to_end(buffer, stop, end)


@inlined
def _requests(buffer: int, at: int, end: int) -> bool:
    """Nothing more, or what the newest kernels add."""
    if to_end(buffer, at, end):
        return True
    _, after = hex_after(buffer, at + 9, end, _0X, _0X_MASK, 3)
    return word(buffer, at) == _REQUESTS and byte(buffer, at + 8) == 115 and after >= 0 and to_end(buffer, after, end)


@inlined
def page_fault_payload(buffer: int, at: int, end: int, out: int) -> bool:
    """``vcpu N rip 0xR address 0xA error_code 0xE``, as kernels since 5.x print it."""
    if not is_at(buffer, at, _VCPU, _VCPU_MASK):
        return False
    _, after = decimal(buffer, at + 5, end, 9)
    if after == at + 5:
        return False
    _, after = hex_after(buffer, after, end, _RIP, _RIP_MASK, 7)
    if after < 0 or word(buffer, after) != _ADDRESS:
        return False
    _, after = hex_after(buffer, after + 8, end, _0X, _0X_MASK, 3)
    if after < 0 or word(buffer, after) != _ERROR_C:
        return False
    code, after = hex_after(buffer, after + 8, end, _ODE, _ODE_MASK, 6)
    set_column(out, ERROR_CODE, bounded(code))
    return after >= 0 and (after == end or byte(buffer, after) == 32)


@inlined
def userspace_payload(buffer: int, at: int, end: int, out: int) -> bool:
    """``reason KVM_EXIT_X (N)``."""
    if not is_at(buffer, at, _REASON_, _REASON_MASK) or at + 15 > end or word(buffer, at + 7) != _KVM_EXIT:
        return False
    set_column(out, FLAG, 1 if is_at(buffer, at + 15, _EXIT_MMIO, _EXIT_MMIO_MASK) else 0)
    return True


@inlined
def entry_payload(buffer: int, at: int, end: int, out: int) -> bool:
    """``vcpu N``, a comma or not, and anything."""
    vcpu, after = decimal(buffer, at + 5, end, 9)
    set_column(out, VCPU, vcpu)
    plain = after == end or byte(buffer, after) == 32 or byte(buffer, after) == 44
    return is_at(buffer, at, _VCPU, _VCPU_MASK) and after > at + 5 and plain
