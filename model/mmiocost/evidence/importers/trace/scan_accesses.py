"""Payloads of accesses and of what the MMU says of them, compiled: columns ``out`` of one row.

Each function says whether the payload is of the form that it knows.
"""

from __future__ import annotations

import numpy as np

from .block import (
    ADDRESS,
    FLAG,
    GEN,
    NUMBER,
    RW,
    VALUE,
    bounded,
    hex_after,
    is_at,
    printable,
    set_column,
    starts,
    to_end,
)
from .payloads import READ, UNSATISFIED, WRITE
from .words import byte, decimal, find, hexadecimal, inlined, word

_MMIO, _MMIO_MASK = starts(b"mmio ")
_LEN, _LEN_MASK = starts(b" len ")
_GPA, _GPA_MASK = starts(b" gpa 0x")
_VAL, _VAL_MASK = starts(b" val 0x")
_AT_GPA, _ = starts(b" at gpa ")
_FAST, _ = starts(b"fast mmi")
_WRITE, _WRITE_MASK = starts(b"write")
_READ, _READ_MASK = starts(b"read")
_UNSATISFIED, _ = starts(b"unsatisf")
_IED_READ, _ = starts(b"ied-read")
_PIO_READ, _ = starts(b"pio_read")
_PIO_WRITE, _ = starts(b"pio_writ")
_AT, _AT_MASK = starts(b" at 0x")
_SIZE, _SIZE_MASK = starts(b" size ")
_COUNT, _COUNT_MASK = starts(b" count ")
_ADDR, _ADDR_MASK = starts(b"addr:")
_GFN, _GFN_MASK = starts(b" gfn ")
_ACCESS, _ = starts(b" access ")
_SPTEP, _SPTEP_MASK = starts(b"sptep:")
_GEN, _GEN_MASK = starts(b" gen ")
_SPTE, _SPTE_MASK = starts(b"spte ")
_KVM_GEN, _ = starts(b"kvm_gen ")
_SPTE_GEN, _ = starts(b" spte-ge")
_VALID, _VALID_MASK = starts(b" valid ")


@inlined
def mmio_payload(buffer: int, at: int, end: int, out: int) -> bool:
    """``mmio T len L gpa 0xG val 0xV``."""
    if not is_at(buffer, at, _MMIO, _MMIO_MASK):
        return False
    at += 5
    if is_at(buffer, at, _WRITE, _WRITE_MASK):
        set_column(out, RW, WRITE)
        at += 5
    elif is_at(buffer, at, _READ, _READ_MASK):
        set_column(out, RW, READ)
        at += 4
    elif word(buffer, at) == _UNSATISFIED and word(buffer, at + 8) == _IED_READ:
        set_column(out, RW, UNSATISFIED)
        at += 16
    else:
        return False
    if not is_at(buffer, at, _LEN, _LEN_MASK):
        return False
    length, after = decimal(buffer, at + 5, end, 5)
    set_column(out, NUMBER, length)
    if after == at + 5:
        return False
    address, after = hex_after(buffer, after, end, _GPA, _GPA_MASK, 7)
    if after < 0:
        return False
    value, after = hex_after(buffer, after, end, _VAL, _VAL_MASK, 7)
    set_column(out, ADDRESS, bounded(address))
    set_column(out, VALUE, bounded(value))
    return after >= 0 and to_end(buffer, after, end)


@inlined
def fast_mmio_payload(buffer: int, at: int, end: int, out: int) -> bool:
    """``fast mmio at gpa 0xG``."""
    if word(buffer, at) != _FAST or byte(buffer, at + 8) != 111 or word(buffer, at + 9) != _AT_GPA:
        return False
    if byte(buffer, at + 17) != 48 or byte(buffer, at + 18) != 120:
        return False
    address, after = hexadecimal(buffer, at + 19, end)
    set_column(out, ADDRESS, bounded(address))
    set_column(out, RW, WRITE)
    return after > at + 19 and to_end(buffer, after, end)


@inlined
def pio_payload(buffer: int, at: int, end: int, out: int) -> bool:
    """``pio_T at 0xP size S count C``, and a value or not."""
    if word(buffer, at) == _PIO_READ:
        set_column(out, RW, READ)
        at += 8
    elif word(buffer, at) == _PIO_WRITE and byte(buffer, at + 8) == 101:
        set_column(out, RW, WRITE)
        at += 9
    else:
        return False
    address, after = hex_after(buffer, at, end, _AT, _AT_MASK, 6)
    if after < 0 or after > at + 14 or not is_at(buffer, after, _SIZE, _SIZE_MASK):
        return False
    set_column(out, ADDRESS, np.int64(address))
    size, at = decimal(buffer, after + 6, end, 3)
    set_column(out, NUMBER, size)
    if at == after + 6 or not is_at(buffer, at, _COUNT, _COUNT_MASK):
        return False
    _, after = decimal(buffer, at + 7, end, 9)
    return after > at + 7 and (after == end or byte(buffer, after) == 32)


@inlined
def handle_payload(buffer: int, at: int, end: int) -> bool:
    """``addr:A gfn G access X``."""
    _, after = hex_after(buffer, at, end, _ADDR, _ADDR_MASK, 5)
    if after < 0:
        return False
    _, after = hex_after(buffer, after, end, _GFN, _GFN_MASK, 5)
    return after >= 0 and after + 8 <= end and word(buffer, after) == _ACCESS


@inlined
def mark_payload(buffer: int, at: int, end: int, out: int) -> bool:
    """``sptep:P gfn G access X``, and a generation or not."""
    if not is_at(buffer, at, _SPTEP, _SPTEP_MASK):
        return False
    after = find(buffer, at + 6, end, 32)
    if after == at + 6 or after > at + 24 or not printable(buffer, at + 6, after):
        return False
    _, after = hex_after(buffer, after, end, _GFN, _GFN_MASK, 5)
    if after < 0 or word(buffer, after) != _ACCESS:
        return False
    _, access = hexadecimal(buffer, after + 8, end)
    if access == after + 8 or access > after + 16:
        return False
    if to_end(buffer, access, end):
        return True
    gen, after = hex_after(buffer, access, end, _GEN, _GEN_MASK, 5)
    set_column(out, GEN, bounded(gen))
    return after >= 0 and to_end(buffer, after, end)


@inlined
def check_payload(buffer: int, at: int, end: int, out: int) -> bool:
    """``spte S kvm_gen A spte-gen B valid V``."""
    if not is_at(buffer, at, _SPTE, _SPTE_MASK):
        return False
    after = find(buffer, at + 5, end, 32)
    if after == at + 5 or after > at + 25 or not printable(buffer, at + 5, after):
        return False
    if word(buffer, after + 1) != _KVM_GEN:
        return False
    gen, at = hexadecimal(buffer, after + 9, end)
    if at == after + 9 or word(buffer, at) != _SPTE_GEN or byte(buffer, at + 8) != 110 or byte(buffer, at + 9) != 32:
        return False
    _, after = hexadecimal(buffer, at + 10, end)
    if after == at + 10 or after + 8 > end or not is_at(buffer, after, _VALID, _VALID_MASK):
        return False
    valid = np.int64(byte(buffer, after + 7)) - 48
    set_column(out, GEN, bounded(gen))
    set_column(out, FLAG, valid)
    return (valid == 0 or valid == 1) and to_end(buffer, after + 8, end)
