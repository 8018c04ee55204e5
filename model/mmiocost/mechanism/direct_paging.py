"""Faults whose entries follow from the address: two-dimensional paging (EPT, NPT), and guests without paging."""

from __future__ import annotations

from typing import Literal

from .fault_fixing import fault_in, link_new_page, prefetch_direct, read_entry, set_spte
from .mmio_spte import frame_of, vcpu_cache_mmio_info, walk_lockless
from .shadow_tables import Link
from .slots import Memslot
from .world import World

Fixed = Literal["mmio", "uncached", "ram"]


def direct_page_fault(world: World, gva: int, gfn: int, reserved: bool) -> Fixed:
    """tdp_page_fault, nonpaging_page_fault: what the page is, and the entry for it."""
    if not reserved and _page_fault_can_be_fast(world):
        walk_lockless(world, gfn, "fast_page_fault")  # there is no entry that it could mend
    slot = fault_in(world, gfn, level=1)
    if slot is None:
        if not world.since("v31"):
            return "uncached"  # kvm_handle_bad_page
        vcpu_cache_mmio_info(world, None if world.mode == "ept" else gva, gfn)  # handle_abnormal_pfn
        if not world.host.mmio_caching:
            return "uncached"
    world.count("mmu_lock_acquire", f"{'tdp' if world.mode == 'ept' else 'nonpaging'}_page_fault")
    _direct_map(world, frame_of(world, gva, gfn), gfn, slot)
    return "mmio" if slot is None else "ram"


def _page_fault_can_be_fast(world: World) -> bool:
    """Whether a fault on a non-present entry gets a lockless try: where entries can lose their access bits.

    From 4.11 under EPT, with A/D bits or without; from 5.17 without only. (M) Up to 5.16 a host that supplies
    instruction bytes is AMD.
    """
    if world.mode != "ept" or not world.since("v414"):
        return False
    return not (world.host.spte_accessed_bit if world.since("v517") else world.host.decode_assist)


def _direct_map(world: World, frame: int, gfn: int, slot: Memslot | None) -> None:
    """__direct_map, kvm_tdp_mmu_map: descend, make missing pages, write the last entry."""
    tdp_mmu = world.mode == "ept" and world.since("v517")
    function = "kvm_tdp_mmu_map" if tdp_mmu else "__direct_map"
    page = world.mmu.root
    while page.level > 1:
        read_entry(world, page, function)
        index = world.mmu.index(frame, page.level)
        entry = page[index]
        page = entry.page if isinstance(entry, Link) else link_new_page(world, page, index, direct=True)
    read_entry(world, page, function)
    index = world.mmu.index(frame, 1)
    set_spte(world, page, index, gfn, slot, writable=True)
    accessed_mask = world.host.spte_accessed_bit or world.mode != "ept"
    if accessed_mask and not tdp_mmu:
        prefetch_direct(world, page, index, gfn)
