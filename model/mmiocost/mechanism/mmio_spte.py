"""MMIO sptes, their generation, the vCPU's one-entry cache, and what is tried first on a reserved-bit fault."""

from __future__ import annotations

from typing import Literal, TypeAlias

from .shadow_tables import Entry, Mmio
from .world import MmioCache, World

_MASK = (1 << 19) - 1
FIRST_WRAP = 150  # the kernel starts near the end, so that the wrap is met early


def mmio_generation(world: World) -> int:
    """kvm_current_mmio_generation: the bits of the memslots' generation that an MMIO spte has room for."""
    if not world.since("v311"):
        return 0
    offset = 0 if world.since("v315") else _MASK - FIRST_WRAP
    return world.memslots.generation + offset & _MASK


def generation_wraps(world: World) -> bool:
    """kvm_mmu_invalidate_mmio_sptes: whether old entries could be taken for current ones."""
    current = mmio_generation(world)
    return current == 0 if world.since("v315") else current >= _MASK - 1


def mark_mmio_spte(world: World, gfn: int) -> Mmio:
    """Make the entry that says "this gfn is MMIO"."""
    world.count("mmio_spte_install", "mark_mmio_spte")
    return Mmio(gfn, mmio_generation(world))


def vcpu_cache_mmio_info(world: World, gva: int | None, gfn: int) -> None:
    """Remember the page as MMIO; by gva only where the caller passes one."""
    world.cache = MmioCache(None if gva is None else gva >> 12, gfn, mmio_generation(world))


def vcpu_match_mmio_gva(world: World, gva: int, where: str) -> bool:
    """One test of the cache by gva."""
    world.count("mmio_cache_check", where, "by gva")
    return _match_generation(world) and world.cache.gva_page == gva >> 12


def vcpu_match_mmio_gpa(world: World, gfn: int, where: str) -> bool:
    """One test of the cache by gpa."""
    world.count("mmio_cache_check", where, "by gpa")
    return _match_generation(world) and world.cache.gfn == gfn


def _match_generation(world: World) -> bool:
    """vcpu_match_mmio_gen: from 3.17. Before, a page stays cached across a slot update."""
    return not world.since("v315") or world.cache.generation == mmio_generation(world)


def walk_lockless(world: World, frame: int, function: str) -> Entry:
    """walk_shadow_page_lockless_begin, the entries down to the first that is no link, ..._end."""
    world.count("rcu_read_section", "walk_shadow_page_lockless_begin")
    entry: Entry = world.mmu.trap
    for page, index in world.mmu.descend(frame):
        world.count("shadow_pte_read", function, f"entry of level {page.level}")
        entry = page[index]
    return entry


Verdict: TypeAlias = Literal["emulate", "invalid", "other"]


def handle_mmio_page_fault(world: World, gva: int, gfn: int) -> Verdict:
    """A fault with reserved bits: emulate at once, or an entry of an older generation, or no MMIO spte at all."""
    quick = "quickly_check_mmio_pf"
    if vcpu_match_mmio_gpa(world, gfn, quick) if world.direct else vcpu_match_mmio_gva(world, gva, quick):
        return "emulate"
    entry = walk_lockless(world, frame_of(world, gva, gfn), "walk_shadow_page_get_mmio_spte")
    if not isinstance(entry, Mmio):
        return "other"
    if world.since("v311"):
        world.count("generation_check", "check_mmio_spte")
        if entry.generation != mmio_generation(world):
            return "invalid"
    vcpu_cache_mmio_info(world, None if world.direct else gva, entry.gfn)
    return "emulate"


def frame_of(world: World, gva: int, gfn: int) -> int:
    """What indexes the tables: the gfn under two-dimensional paging, else the gva."""
    return gfn if world.mode == "ept" else gva >> 12
