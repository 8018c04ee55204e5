"""The guest as bytes: its program, its page tables, its registers. No VM is needed to check them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmiocost.evidence.probe import guest_code as layout
from mmiocost.evidence.probe import registers
from mmiocost.evidence.probe.guest_tables import LARGE_PAGE, LEAF, LEVELS, GuestTables


def test_a_store_loop_is_these_instructions() -> None:
    """Assembled by hand: parameters, rdtsc, the loop `mov [rbx], eax; dec ebp; jnz -6`, rdtsc, `out 0xF4, al`."""
    by_hand = (
        "8b6f10 8b5f14 0f31 8907 895704 8b4718 8b571c"  # ebp, ebx, TSC to [rdi], [rdi+4], eax, edx
        "8903 ffcd 75fa"
        "0f31 894708 89570c e6f4"
        "ebdb"  # 37 bytes back, to the start
    )
    assert layout.program("store", real_mode=False).hex() == bytes.fromhex(by_hand).hex()


@pytest.mark.parametrize("body", layout.BODIES)
@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("stride", [0, 4096])
def test_jumps_go_to_the_loop_and_to_the_start(body: str, real: bool, stride: int) -> None:
    text = layout.program(body, real, stride, 16 * stride)
    at = text.index(b"\xff\xcd\x75") + 4  # behind dec ebp; jnz
    (back,) = struct.unpack_from("b", text, at - 1)
    head = layout.program("nop", real).index(b"\xff\xcd") - len(b"\x66" if real else b"")
    assert at + back == head
    assert text[-2] == 0xEB and struct.unpack("b", text[-1:])[0] == -len(text)


def _walk(ram: bytearray, root: int, mode: str, address: int) -> int | None:
    """The physical address by a walk of its own, from the manual's formats; None where an entry is not present."""
    shifts = {"pm32": (22, 12), "pae": (30, 21, 12), "long": (39, 30, 21, 12)}[mode]
    width, mask = (4, 0x3FF) if mode == "pm32" else (8, 0x1FF)
    table = root
    for shift in shifts:
        entry = int.from_bytes(ram[table + (address >> shift & mask) * width :][:width], "little")
        if not entry & 1:
            return None
        if shift == 12 or (entry & 0x80 and shift in (21, 22)):
            return (entry & ~0xFFF) + (address & (1 << shift) - 1)
        table = entry & ~0xFFF
    raise AssertionError("no leaf")


@pytest.mark.parametrize("mode", [mode for mode in LEVELS if LEVELS[mode]])
@pytest.mark.parametrize("large", [False, True])
@given(offset=st.integers(0, 8 * 4096 - 1))
def test_what_is_mapped_is_mapped_to_itself_and_nothing_else_is(mode: str, large: bool, offset: int) -> None:
    ram = bytearray(layout.LOW_RAM)
    tables = GuestTables(ram, mode, large)
    tables.map(layout.MMIO, 8 * 4096, LEAF)
    tables.map(layout.ABSENT, 4096, 0)
    assert _walk(ram, tables.root, mode, layout.MMIO + offset) == layout.MMIO + offset
    assert _walk(ram, tables.root, mode, layout.ABSENT) is None
    assert _walk(ram, tables.root, mode, layout.MMIO + LARGE_PAGE[mode] + offset) is None


def test_tables_that_do_not_fit_are_refused() -> None:
    tables = GuestTables(bytearray(layout.LOW_RAM), "long", False)
    with pytest.raises(ValueError, match="do not fit"):
        tables.map(layout.TOUCH, 1 << 30, LEAF)


def test_registers_say_whether_paging_is_on() -> None:
    for paging in (False, True):
        sregs, ram = bytearray(312), bytearray(layout.LOW_RAM)
        registers.protected_mode(sregs, ram, "long" if paging else "flat32", 3, 0x8000, paging)
        assert registers.paging_is_on(sregs) is paging
