"""FNAME(page_fault) of paging_tmpl.h: shadow page tables that mirror the guest's, indexed by gva."""

from __future__ import annotations

from typing import Literal

from .accesses import Access
from .fault_fixing import fault_in, link, prefetch_direct, read_entry, set_spte
from .guest_tables import DIRTY, PRESENT, WRITABLE
from .guest_walk import GuestWalk, walk_addr
from .mmio_spte import vcpu_cache_mmio_info
from .shadow_tables import Leaf, Link, ShadowPage
from .slots import Memslot
from .world import World

Fixed = Literal["mmio", "uncached", "ram", "guest"]


def shadow_page_fault(world: World, access: Access) -> Fixed:
    """Walk the guest's tables; inject its own fault, or find what the page is and write the entry for it."""
    walk = walk_addr(world, access.gva, access.write)
    if walk.gfn is None or not walk.permits(access.write):
        world.count("guest_fault_inject", "inject_page_fault")
        return "guest"
    slot = fault_in(world, walk.gfn, walk.level)
    if slot is None:
        if not world.since("v31"):
            return "uncached"  # kvm_handle_bad_page
        vcpu_cache_mmio_info(world, access.gva, walk.gfn)  # handle_abnormal_pfn
        if not world.host.mmio_caching:
            return "uncached"
    world.count("mmu_lock_acquire", "FNAME(page_fault)")
    _fetch(world, access, walk, walk.gfn, slot)
    return "mmio" if slot is None else "ram"


def _fetch(world: World, access: Access, walk: GuestWalk, gfn: int, slot: Memslot | None) -> None:
    """FNAME(fetch): descend, make missing pages, re-read the guest's entries after write-protecting them."""
    _gpte_changed(world, walk, world.mmu.top)
    page, frame = world.mmu.root, access.gva >> 12
    while page.level > 1:
        read_entry(world, page, "FNAME(fetch)")
        index = world.mmu.index(frame, page.level)
        entry = page[index]
        mirrored = page.level > walk.level
        below = entry.page if isinstance(entry, Link) else _get_page(world, page.level - 1, access, walk, mirrored)
        if mirrored:
            _gpte_changed(world, walk, page.level - 1)
        if not isinstance(entry, Link):
            link(world, page, index, below)
        page = below
    read_entry(world, page, "FNAME(fetch)")
    _set_leaf(world, page, access, walk, gfn, slot)


def _gpte_changed(world: World, walk: GuestWalk, level: int) -> None:
    """FNAME(gpte_changed): read the guest's entry of a level again (at level 1 with its neighbours)."""
    world.count("gpte_recheck", "FNAME(gpte_changed)", f"entry of level {level}")
    world.find_slot(walk.tables[level], "kvm_read_guest_atomic", f"table of level {level}")


def _get_page(world: World, level: int, access: Access, walk: GuestWalk, mirrored: bool) -> ShadowPage:
    """kvm_mmu_get_page; a page that mirrors a guest table write-protects it."""
    world.count("shadow_page_alloc", "kvm_mmu_get_page", f"page of level {level}")
    page = world.mmu.new_page(level, direct=not mirrored)
    if mirrored:
        table = walk.tables[level]
        for _ in range(world.kernel.indirect_page_searches - 1):  # once for each page size up to 3.2
            world.find_slot(table, "rmap_write_protect")
        world.find_slot(table, "account_shadowed")
        if world.mmu.trap != world.mmu.notrap:
            _prefetch_page(world, page, access.gva, table)
    return page


def _prefetch_page(world: World, page: ShadowPage, gva: int, table: int) -> None:
    """FNAME(prefetch_page): entries that the guest has not present become ones that do not trap."""
    wide = world.paging.levels == 2  # 4-byte entries; a shadow page of level 1 covers half such a table
    if wide and page.level > 1:
        return  # nonpaging_prefetch_page: all of them trap
    first = (gva >> 21 & 1) * 512 if wide else 0
    chunk = 64 if wide else 32
    for start in range(0, 512, chunk):
        world.count("prefetch_chunk_read", "FNAME(prefetch_page)", "256 bytes of guest entries")
        world.find_slot(table, "kvm_read_guest_atomic", "the guest's table")
        world.count("prefetch_pte_scan", "FNAME(prefetch_page)", "entries of one chunk", chunk)
        for place in range(start, start + chunk):
            present = world.paging.read(table, first + place) & PRESENT
            page[place] = world.mmu.trap if present else world.mmu.notrap


def _set_leaf(world: World, page: ShadowPage, access: Access, walk: GuestWalk, gfn: int, slot: Memslot | None) -> None:
    """mmu_set_spte with the work that follows it: dirty log, page header, reverse map, prefetch."""
    index = world.mmu.index(access.gva >> 12, 1)
    mapped_before = isinstance(page[index], Leaf)
    writable = bool(walk.entry & WRITABLE) and (access.write or bool(walk.entry & DIRTY))
    set_spte(world, page, index, gfn, slot, writable)
    if slot is not None:
        if writable:
            world.find_slot(gfn, "mark_page_dirty")
        if not world.since("v311"):
            world.find_slot(gfn, "page_header_update_slot")
        if not mapped_before:
            world.find_slot(gfn, "rmap_add")
    if page.direct:
        prefetch_direct(world, page, index, gfn)
