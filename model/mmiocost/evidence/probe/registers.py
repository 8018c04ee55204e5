"""System registers and descriptor tables of the guest, for each of its modes."""

from __future__ import annotations

import struct
from typing import Any

from . import guest_code as layout

_PE, _PG = 1, 1 << 31
_CR0 = 0x31 | 1 << 16  # PE, ET, NE, WP
_CR4 = {"pm32": 0x10, "pae": 0x20, "long": 0x20}  # PSE; PAE
_LONG_MODE = 0x500  # EFER.LME, EFER.LMA
_CR0_AT = 224
_FAULT_VECTOR = 14


def real_mode(sregs: bytearray) -> None:
    """Real mode: code at 0, ES over the MMIO window."""
    struct.pack_into("QIH", sregs, 0, 0, 0xFFFF, 0)
    struct.pack_into("QIH", sregs, 48, layout.REAL_MMIO, 0xFFFF, layout.REAL_MMIO >> 4)


def protected_mode(sregs: bytearray, ram: Any, mode: str, cpl: int, root: int, paging: bool) -> None:
    """Protected or long mode at a privilege, with flat segments; writes GDT, IDT and TSS into ``ram``."""
    wide = mode == "long"
    _segment(sregs, 0, 0x1B if cpl else 8, 11, cpl, long=wide)
    for number in range(1, 6):
        _segment(sregs, number, 0x23 if cpl else 0x10, 3, cpl)
    _task(sregs)
    struct.pack_into("QH6x", sregs, 192, layout.GDT, 0x3F)
    struct.pack_into("QH6x", sregs, 208, layout.IDT, 0xFFF if wide else 0x7FF)
    _write_gdt(ram, wide)
    _write_tss(ram, wide)
    _write_idt(ram, wide)
    cr0 = _CR0 | (_PG if paging else 0)
    efer = _LONG_MODE if wide else 0
    struct.pack_into("QQQQQQ", sregs, _CR0_AT, cr0, 0, root, _CR4.get(mode, 0), 0, efer)


def paging_is_on(sregs: bytearray) -> bool:
    """Whether CR0.PG is set: some hosts accept the registers and drop the bit."""
    return bool(struct.unpack_from("Q", sregs, _CR0_AT)[0] & _PG)


def _segment(sregs: bytearray, number: int, selector: int, kind: int, privilege: int, long: bool = False) -> None:
    code = number == 0
    cells = (kind, 1, privilege, int(not (code and long)), 1, int(code and long), 1, 0, 0, 0)
    struct.pack_into("QIH10B", sregs, number * 24, 0, 0xFFFFFFFF, selector, *cells)


def _task(sregs: bytearray) -> None:
    struct.pack_into("QIH10B", sregs, 6 * 24, layout.TSS, 0x1FF, 0x28, 11, 1, 0, 1, 0, 0, 0, 0, 0, 0)


def _descriptor(access: int, flags: int) -> int:
    return 0xFFFF | access << 40 | (0xF | flags << 4) << 48


def _write_gdt(ram: Any, wide: bool) -> None:
    code = 0xA if wide else 0xC
    task = 0x1FF | layout.TSS << 16 | 0x8B << 40
    entries = (0, _descriptor(0x9B, code), _descriptor(0x93, 0xC), _descriptor(0xFB, code), _descriptor(0xF3, 0xC))
    for number, value in enumerate((*entries, task, 0)):
        struct.pack_into("Q", ram, layout.GDT + 8 * number, value)


def _write_tss(ram: Any, wide: bool) -> None:
    if wide:
        struct.pack_into("Q", ram, layout.TSS + 4, layout.STACK0)
    else:
        struct.pack_into("II", ram, layout.TSS + 4, layout.STACK0, 0x10)
    # All ports allowed by the I/O bitmap: some hosts do not keep IOPL 3 while the guest is in user mode.
    struct.pack_into("H", ram, layout.TSS + 102, 0x68)


def _write_idt(ram: Any, wide: bool) -> None:
    for vector in range(256):
        target = layout.FAULT_HANDLER if vector == _FAULT_VECTOR else layout.BAD_HANDLER
        gate = target & 0xFFFF | 8 << 16 | 0xEE00 << 32
        struct.pack_into("Q", ram, layout.IDT + vector * (16 if wide else 8), gate)
    ram[layout.FAULT_HANDLER : layout.FAULT_HANDLER + 16] = layout.fault_handler(wide)
    ram[layout.BAD_HANDLER : layout.BAD_HANDLER + 4] = layout.bad_handler()
