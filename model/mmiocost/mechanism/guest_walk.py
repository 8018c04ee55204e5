"""KVM's walk of the guest's page tables (paging_tmpl.h), under nesting through L1's tables too."""

from __future__ import annotations

from typing import NamedTuple

from .guest_tables import ACCESSED, DIRTY, LARGE, PRESENT, WRITABLE, GuestPaging, frame
from .world import World


class GuestWalk(NamedTuple):
    """Where a walk ended: the gfn (None if the entry of ``level`` is not present), the entry, the tables read."""

    gfn: int | None
    level: int
    entry: int
    tables: dict[int, int]

    def permits(self, write: bool) -> bool:
        """Whether the guest's own tables allow the access."""
        return self.gfn is not None and (not write or bool(self.entry & WRITABLE))


def walk_addr(world: World, gva: int, write: bool) -> GuestWalk:
    """walk_addr_generic: read one entry a level; set accessed and dirty bits. Paging off: nothing is read."""
    paging = world.paging
    if paging.levels == 0:
        return GuestWalk(_translate_gpa(world, gva >> 12), 1, PRESENT | WRITABLE | DIRTY, {})
    level, table, tables = paging.top, _root(paging, gva), {}
    while True:
        tables[level] = table
        entry = _read(world, paging, gva, level, table)
        if not entry & PRESENT:
            return GuestWalk(None, level, entry, tables)
        if not world.since("v311") and not entry & ACCESSED:
            entry = _cmpxchg_gpte(world, gva, level, table, ACCESSED)
        if level == 1 or entry & LARGE:
            break
        level, table = level - 1, frame(entry)
    gfn = frame(entry) + (gva >> 12) % paging.pages(level)
    found = GuestWalk(_translate_gpa(world, gfn), level, entry, tables)
    return _update_accessed_dirty_bits(world, gva, write, found)


def _root(paging: GuestPaging, gva: int) -> int:
    """kvm_pdptr_read_mmu: PAE starts from a cached entry; the others from CR3."""
    return frame(paging.pdptrs[paging.index(gva, 3)]) if paging.levels == 3 else paging.root


def _read(world: World, paging: GuestPaging, gva: int, level: int, table: int) -> int:
    """One entry: where its table is, then a copy of the entry."""
    world.find_slot(_translate_gpa(world, table), "walk_addr_generic", f"table of level {level}")
    world.count("guest_pte_read", "walk_addr_generic", f"entry of level {level}")
    return paging.read(table, paging.index(gva, level))


def _update_accessed_dirty_bits(world: World, gva: int, write: bool, walk: GuestWalk) -> GuestWalk:
    """The dirty bit of the last entry; from 3.11 after a walk that succeeds, together with all accessed bits."""
    paging = world.paging
    if world.since("v311"):
        for level, table in walk.tables.items():
            wanted = ACCESSED | (DIRTY if write and level == walk.level else 0)
            if paging.read(table, paging.index(gva, level)) & wanted != wanted:
                _cmpxchg_gpte(world, gva, level, table, wanted)
    elif write and not walk.entry & DIRTY:
        _cmpxchg_gpte(world, gva, walk.level, walk.tables[walk.level], DIRTY)
    return walk._replace(entry=paging.read(walk.tables[walk.level], paging.index(gva, walk.level)))


def _cmpxchg_gpte(world: World, gva: int, level: int, table: int, flags: int) -> int:
    """Set flags in an entry, and mark_page_dirty for the table. The entry as it is then."""
    world.count("guest_pte_update", "cmpxchg_gpte", f"entry of level {level}")
    world.find_slot(table, "mark_page_dirty", f"table of level {level}")
    return world.paging.set(table, world.paging.index(gva, level), flags)


def _translate_gpa(world: World, gfn: int) -> int:
    """translate_nested_gpa: a frame of L2 through L1's tables; without nesting the frame itself."""
    nested = world.nested
    if nested is None:
        return gfn
    gva, level, table = gfn << 12, nested.top, _root(nested, gfn << 12)
    while True:
        world.find_slot(table, "walk_addr_generic", f"L1's table of level {level}")
        world.count("guest_pte_read", "walk_addr_generic", f"L1's entry of level {level}")
        entry = nested.read(table, nested.index(gva, level))
        if level == 1:
            return frame(entry)
        level, table = level - 1, frame(entry)


def processor_translates(paging: GuestPaging, gva: int) -> int:
    """The gfn that the processor finds in its own walk; KVM counts nothing of it.

    (M) The processor's walk sets no accessed or dirty bit here: a scenario says how many are left to KVM.
    """
    if paging.levels == 0:
        return gva >> 12
    level, table = paging.top, _root(paging, gva)
    while True:
        entry = paging.read(table, paging.index(gva, level))
        if level == 1 or entry & LARGE:
            return frame(entry) + (gva >> 12) % paging.pages(level)
        level, table = level - 1, frame(entry)
