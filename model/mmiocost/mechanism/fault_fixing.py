"""What direct and shadow page faults share: slot decision, new shadow pages, the entry written at the end."""

from __future__ import annotations

from .mmio_spte import mark_mmio_spte
from .shadow_tables import Leaf, Link, ShadowPage
from .slots import Memslot
from .world import World


def fault_in(world: World, gfn: int, level: int) -> Memslot | None:
    """The page's slot. Up to 5.5 the level decision looks it up by itself, where there is one to make."""
    if world.since("v56"):
        return world.find_slot(gfn, "try_async_pf" if not world.since("v517") else "kvm_faultin_pfn")
    if world.direct or level >= 2:
        world.find_slot(gfn, "mapping_level_dirty_bitmap", "no slot forces 4 KiB")
    return world.find_slot(gfn, "gfn_to_pfn_async")


def link_new_page(world: World, page: ShadowPage, index: int, direct: bool) -> ShadowPage:
    """kvm_mmu_get_page and link_shadow_page: the page that an entry does not point to yet."""
    world.count("shadow_page_alloc", "kvm_mmu_get_page", f"page of level {page.level - 1}")
    new = world.mmu.new_page(page.level - 1, direct)
    link(world, page, index, new)
    return new


def link(world: World, page: ShadowPage, index: int, new: ShadowPage) -> None:
    """link_shadow_page."""
    world.count("spte_install", "link_shadow_page", f"entry of level {page.level}")
    page[index] = Link(new)


def read_entry(world: World, page: ShadowPage, function: str) -> None:
    """One step of for_each_shadow_entry."""
    world.count("shadow_pte_read", function, f"entry of level {page.level}")


def set_spte(world: World, page: ShadowPage, index: int, gfn: int, slot: Memslot | None, writable: bool) -> None:
    """mmu_set_spte: an MMIO spte where there is no slot, else a mapping of RAM."""
    if slot is None:
        page[index] = mark_mmio_spte(world, gfn)
        return
    world.count("spte_install", "mmu_set_spte", "entry of level 1")
    page[index] = Leaf(gfn, writable)


def prefetch_direct(world: World, page: ShadowPage, index: int, gfn: int) -> None:
    """__direct_pte_prefetch: the run of empty entries before the new one, in its group of 8.

    (M) The group of an MMIO page holds no RAM, so the first run starts with a gfn without slot and ends the
    attempt. A run that reaches the end of the group is never looked at (3.6).
    """
    own, start = index % 8, None
    for place in range(8):
        if place != own and not world.mmu.is_present(page[index - own + place]):
            start = place if start is None else start
        elif start is not None:
            world.find_slot(gfn - own + start, "direct_pte_prefetch_many", "no slot, so no more of it")
            return
