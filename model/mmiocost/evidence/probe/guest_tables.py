"""Guest page tables: an identity map in the entry format of the guest's paging mode."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from . import guest_code as layout

PRESENT, WRITABLE, USER, ACCESSED, DIRTY, LARGE = 1, 2, 4, 32, 64, 128
LEAF = PRESENT | WRITABLE | USER | ACCESSED | DIRTY
#: Levels of the guest's page table by mode; ``flat32`` is protected mode without paging.
LEVELS = {"real": 0, "flat32": 0, "pm32": 2, "pae": 3, "long": 4}
LARGE_PAGE = {"pm32": 4 << 20, "pae": 2 << 20, "long": 2 << 20}
SMALL_PAGE = 4096


@dataclass
class GuestTables:
    """Tables written into the guest's memory ``ram`` from TABLES on; ``root`` is what CR3 holds."""

    ram: Any
    mode: str
    large: bool
    free: int = layout.TABLES
    root: int = field(init=False)

    def __post_init__(self) -> None:
        self.root = self._table()

    @property
    def page(self) -> int:
        """Bytes that a leaf maps."""
        return LARGE_PAGE[self.mode] if self.large else SMALL_PAGE

    def map(self, start: int, length: int, flags: int) -> None:
        """Map addresses to themselves; without flags there are tables down to an empty last-level entry.

        Raises ValueError where the tables do not fit below the end of low memory.
        """
        for address in range(start & -self.page, start + length, self.page):
            self._map_page(address, flags)

    def _map_page(self, address: int, flags: int) -> None:
        width, bits, code = (4, 10, "I") if self.mode == "pm32" else (8, 9, "Q")
        table, last = self.root, 2 if self.large else 1
        for level in range(LEVELS[self.mode], last, -1):
            at = table + self._index(address, level, bits) * width
            (entry,) = struct.unpack_from(code, self.ram, at)
            if not entry & PRESENT:
                entry = self._table() | self._link(level)
                struct.pack_into(code, self.ram, at, entry)
            table = entry & ~0xFFF
        leaf = address | flags | (LARGE if self.large else 0) if flags else 0
        struct.pack_into(code, self.ram, table + self._index(address, last, bits) * width, leaf)

    def _index(self, address: int, level: int, bits: int) -> int:
        return address >> 12 + bits * (level - 1) & (1 << bits) - 1

    def _link(self, level: int) -> int:
        return PRESENT if self.mode == "pae" and level == LEVELS["pae"] else PRESENT | WRITABLE | USER | ACCESSED

    def _table(self) -> int:
        self.free += SMALL_PAGE
        if self.free > layout.LOW_RAM:
            raise ValueError("guest page tables do not fit into low memory")
        return self.free - SMALL_PAGE
