"""Avi Kivity's unified loop (mail of 2011-06-09) as a state machine: every fault enters at FETCH.

(M) An access here is a fault; the exit is chosen by what the page is. No kernel has this loop.
"""

from __future__ import annotations

from typing import Literal

from .accesses import Access
from .emulator import decode, dispatch
from .fault_fixing import link_new_page, set_spte
from .guest_walk import processor_translates, walk_addr
from .mmio_spte import frame_of, walk_lockless
from .shadow_tables import Link, ShadowTables
from .slots import Memslot
from .world import World

State = Literal["FETCH", "BUILD", "SYNC", "WALK", "MMIO", "DONE"]


def unified_access(world: World, access: Access) -> str:
    """One fault, from the exit to the end of the loop."""
    gfn = processor_translates(world.paging, access.gva)
    frame, mmio = frame_of(world, access.gva, gfn), not world.memslots.backs(gfn)
    if world.mode == "shadow":
        world.exit("page_fault", "unified loop")
    else:
        world.exit("ept_misconfig" if mmio else "ept_violation", "unified loop")
    _reach_last_level(world, frame)
    in_step = world.mode == "shadow" and world.in_step  # SYNC; under tdp never
    if not in_step:
        _walk_and_install(world, access, gfn, frame)
    if mmio:
        _emulate(world, access, gfn)
    return "access"


def _reach_last_level(world: World, frame: int) -> None:
    """FETCH and BUILD, until a fetch finds every page; the edge back to FETCH is the mail's "again"."""
    state: State = "FETCH"
    while state != "SYNC":
        start = len(world.count.steps)
        undone = _unlink_if_linked(world, frame)
        state = "SYNC" if _fetch(world, frame) else "BUILD"
        if state == "BUILD":
            _build(world, frame)
            state = "FETCH"
        if undone:  # and built again: the state is what it was, so the other unlinks repeat these steps
            world.count.repeat(start, world.unlinker.times)
            world.unlinker.times = 0


def _unlink_if_linked(world: World, frame: int) -> bool:
    """The other thread: between a build and the next fetch it takes the lowest pages away."""
    if world.unlinker.times == 0 or not _linked(world.mmu, frame):
        return False
    world.mmu.unlink(frame, world.unlinker.levels)
    world.unlinker.times -= 1
    return True


def _linked(mmu: ShadowTables, frame: int) -> bool:
    *_, (page, _) = mmu.descend(frame)
    return page.level == 1


def _fetch(world: World, frame: int) -> bool:
    """FETCH: one lockless walk. Whether it came to the page of the last level."""
    walk_lockless(world, frame, "FETCH")
    return _linked(world.mmu, frame)


def _build(world: World, frame: int) -> None:
    """BUILD: under mmu_lock, allocate and link what is missing."""
    world.count("mmu_lock_acquire", "BUILD")
    page = world.mmu.root
    while page.level > 1:
        index = world.mmu.index(frame, page.level)
        entry = page[index]
        page = entry.page if isinstance(entry, Link) else link_new_page(world, page, index, world.direct)


def _walk_and_install(world: World, access: Access, gfn: int, frame: int) -> None:
    """WALK and INSTALL: the guest's tables (tdp: identity), one slot search, the entry by compare-exchange."""
    if world.mode == "shadow":
        walk_addr(world, access.gva, access.write)
    slot: Memslot | None = world.find_slot(gfn, "WALK", "the data page")
    *_, (page, index) = world.mmu.descend(frame)
    set_spte(world, page, index, gfn, slot, writable=access.write)


def _emulate(world: World, access: Access, gfn: int) -> None:
    """MMIO: the emulator with the translation at hand, so without an operand of its own."""
    decode(world, bytes_supplied=world.host.decode_assist)
    dispatch(world, access, gfn)
