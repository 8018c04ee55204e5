"""The guest's page tables: entries as the processor defines them, in guest frames.

A walk of them by KVM is in ``guest_walk``; here they are stored, and set up.
"""

from __future__ import annotations

PRESENT, WRITABLE, ACCESSED, DIRTY, LARGE = 1 << 0, 1 << 1, 1 << 5, 1 << 6, 1 << 7
_FLAGS = (1 << 12) - 1


def frame(entry: int) -> int:
    """The gfn that an entry points at."""
    return entry >> 12


def entry_of(gfn: int, flags: int) -> int:
    """An entry that points at a gfn."""
    return gfn << 12 | flags & _FLAGS


class GuestPaging:
    """Page tables of ``levels`` levels: 0 paging off, 2 32-bit, 3 PAE, 4 and 5 long mode.

    ``tables`` holds the entries that are not zero, by the gfn of their table. PAE keeps the four entries of
    its top level in registers, so they are never read from memory.
    """

    def __init__(self, levels: int, free_gfn: int) -> None:
        self.levels = levels
        self.root = free_gfn
        self.free_gfn = free_gfn + 1
        self.changes = 0  # writes to entries
        self.tables: dict[int, dict[int, int]] = {self.root: {}}
        self.pdptrs: dict[int, int] = {}

    @property
    def top(self) -> int:
        """Highest level whose entries are in memory."""
        return 2 if self.levels == 3 else self.levels

    def index(self, gva: int, level: int) -> int:
        """Index of the entry for an address in its table."""
        bits = 10 if self.levels == 2 else 9
        return gva >> 12 + bits * (level - 1) & (1 << bits) - 1

    def pages(self, level: int) -> int:
        """Pages that one entry of a level covers."""
        return 1 << (10 if self.levels == 2 else 9) * (level - 1)

    def table(self, gva: int, level: int) -> int:
        """gfn of the table of a level for an address; missing tables are made, their entries marked accessed."""
        if self.levels == 3 and level == 2:
            return frame(self.pdptrs.setdefault(self.index(gva, 3), entry_of(self._new_table(), PRESENT)))
        if level >= self.top:
            return self.root
        entries = self.tables[self.table(gva, level + 1)]
        index = self.index(gva, level + 1)
        if not entries.get(index, 0) & PRESENT:
            entries[index] = entry_of(self._new_table(), PRESENT | WRITABLE | ACCESSED)
        return frame(entries[index])

    def _new_table(self) -> int:
        gfn, self.free_gfn = self.free_gfn, self.free_gfn + 1
        self.tables[gfn] = {}
        return gfn

    def map(self, gva: int, gfn: int, level: int = 1, flags: int = PRESENT | WRITABLE | ACCESSED | DIRTY) -> None:
        """Map the page of ``level`` around an address so that the address itself falls on ``gfn``."""
        if self.levels:
            large = LARGE if level > 1 else 0
            first = gfn - gfn % self.pages(level)
            self.tables[self.table(gva, level)][self.index(gva, level)] = entry_of(first, flags | large)
            self.changes += 1

    def clear(self, gva: int, level: int, flags: int) -> None:
        """Clear flags of the entry of a level for an address."""
        self.tables[self.table(gva, level)][self.index(gva, level)] &= ~flags
        self.changes += 1

    def set(self, table: int, index: int, flags: int) -> int:
        """Set flags of an entry; the entry as it is then."""
        self.tables[table][index] |= flags
        self.changes += 1
        return self.tables[table][index]

    def read(self, table: int, index: int) -> int:
        """One entry."""
        return self.tables[table].get(index, 0)
