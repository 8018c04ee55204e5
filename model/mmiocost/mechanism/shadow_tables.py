"""Shadow page tables, EPT and NPT: pages with entries, and how one descends through them.

An entry is absent, trapping, a link to a lower page, a leaf that maps RAM, or an MMIO spte.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias


class NonPresent(NamedTuple):
    """Without a translation. A trapping one is present to the CPU and has reserved bits set (~0xffe)."""

    traps: bool


class Link(NamedTuple):
    """Points to the page of the next lower level."""

    page: ShadowPage


class Leaf(NamedTuple):
    """Maps a frame of RAM."""

    gfn: int
    writable: bool


class Mmio(NamedTuple):
    """An MMIO spte: reserved bits set, with the gfn and the low bits of the memslots' generation."""

    gfn: int
    generation: int


Entry: TypeAlias = NonPresent | Link | Leaf | Mmio
ABSENT = NonPresent(traps=False)
TRAP = NonPresent(traps=True)


class ShadowPage:
    """One page of 512 entries; those that are not stored have the value ``empty``.

    ``direct``: its entries follow from the address; else it mirrors a guest table (indirect).
    """

    def __init__(self, tables: ShadowTables, level: int, direct: bool) -> None:
        self.tables = tables
        self.level = level
        self.empty: Entry = tables.trap
        self.direct = direct
        self.entries: dict[int, Entry] = {}

    def __getitem__(self, index: int) -> Entry:
        return self.entries.get(index, self.empty)

    def __setitem__(self, index: int, entry: Entry) -> None:
        self.entries[index] = entry
        self.tables.changes += 1


class ShadowTables:
    """A hierarchy of ``levels`` levels; of three (PAE) the top one is a register-like array that nobody reads.

    ``trap`` and ``notrap`` are the two values of an entry without translation (shadow_trap_nonpresent_pte,
    shadow_notrap_nonpresent_pte); they differ under ``bypass_guest_pf``. ``elsewhere`` counts shadow pages that
    this walk never meets, ``changes`` writes to entries.
    """

    def __init__(self, levels: int, elsewhere: int = 0) -> None:
        self.top = 2 if levels == 3 else levels
        self.trap: NonPresent = ABSENT
        self.notrap: NonPresent = ABSENT
        self.elsewhere = elsewhere
        self.changes = 0
        self.clear()

    def clear(self, direct: bool = True) -> None:
        """Only an empty root is left; the next entry to the guest makes it (kvm_mmu_load)."""
        self.root = ShadowPage(self, self.top, direct)
        self.below = 0
        self.changes += 1

    def index(self, frame: int, level: int) -> int:
        """Index at a level; of the top level it includes the entry of the register-like array."""
        shifted = frame >> 9 * (level - 1)
        return shifted if level == self.top else shifted % 512

    def descend(self, frame: int) -> Iterator[tuple[ShadowPage, int]]:
        """for_each_shadow_entry: page and index of each level, down to level 1 or the first that is no link."""
        page = self.root
        while True:
            index = self.index(frame, page.level)
            yield page, index
            entry = page[index]
            if not isinstance(entry, Link):
                return
            page = entry.page

    def reached(self, frame: int) -> Entry:
        """The entry at which the CPU's own walk ends."""
        *_, (page, index) = self.descend(frame)
        return page[index]

    def is_present(self, entry: Entry) -> bool:
        """is_shadow_present_pte: MMIO sptes are not."""
        return isinstance(entry, Link | Leaf)

    def pages(self) -> int:
        """Shadow pages in existence, the root aside."""
        return self.elsewhere + self.below

    def new_page(self, level: int, direct: bool) -> ShadowPage:
        """A page of 512 entries without translation."""
        self.below += 1
        return ShadowPage(self, level, direct)

    def unlink(self, frame: int, levels: int) -> None:
        """Take the pages of the lowest levels for a frame out of the hierarchy."""
        for page, index in self.descend(frame):
            if page.level == levels + 1 and isinstance(page[index], Link):
                page[index] = self.trap
                self.below -= levels
                return
