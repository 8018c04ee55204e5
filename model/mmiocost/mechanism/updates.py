"""What the administrator does: memslot updates with their generations and zaps, and ``bypass_guest_pf``."""

from __future__ import annotations

from dataclasses import replace

from .accesses import SetBypass, SetMmioCaching, SlotUpdate
from .mmio_spte import generation_wraps
from .shadow_tables import ABSENT, TRAP
from .slots import Memslots, SlotBlock
from .world import World

ZAPPED = "v31.any.slot_update"
WRAPPED = "v311.any.slot_update_wrap"
SWITCHED = "proto.shadow.bypass_switch"


def update_slots(world: World, update: SlotUpdate) -> str | None:
    """__kvm_set_memory_region: install the changed slots once or twice, and zap what they make untrue."""
    old = world.memslots
    world.memslots = Memslots(world.kernel, _changed(world, update), old.generation)
    world.memslots.last_used_slot = old.last_used_slot
    world.memslots.lru_slot = old.lru_slot if old.lru_slot < len(world.memslots) else 0
    if not world.since("v311"):
        if not _gives_another_base(update):
            return None
        kvm_mmu_zap_all(world)
        return ZAPPED
    wrapped = False
    for _ in range(2 if update.kind in ("delete", "move") else 1):
        world.memslots.generation += world.address_spaces
        wrapped = generation_wraps(world) or wrapped
    if update.kind in ("delete", "move"):
        kvm_mmu_zap_all(world)
        return ZAPPED
    if wrapped:
        kvm_mmu_zap_all(world)
        return WRAPPED
    return None


def _changed(world: World, update: SlotUpdate) -> list[SlotBlock]:
    """The slots after an update. Up to 3.2 a deleted slot leaves an entry without pages in its place."""
    blocks = list(world.memslots.blocks)
    if update.old is not None:
        place = blocks.index(update.old)
        empty = [SlotBlock(0, 0)] if not world.since("v36") and update.new is None else []
        kept = [update.old] if update.kind == "flags" else []
        blocks[place : place + 1] = kept or ([update.new] if update.new is not None else empty)
    elif update.new is not None:
        blocks.append(update.new)
    return blocks


def _gives_another_base(update: SlotUpdate) -> bool:
    """Up to 3.10: a slot is deleted, or its base is not what it was (that of an empty slot is 0)."""
    if update.kind == "flags" or update.new is None:
        return update.kind == "delete"
    return update.new.base != (update.old.base if update.old is not None else 0)


def kvm_mmu_zap_all(world: World) -> None:
    """Tear down every shadow page; the root is made anew on the next entry to the guest."""
    world.count("zap_all", "kvm_mmu_zap_all")
    world.count("mmu_lock_acquire", "kvm_mmu_zap_all")
    world.count("shadow_page_zap", "kvm_mmu_prepare_zap_page", times=world.mmu.pages())
    world.mmu.clear()
    world.count("tlb_flush", "kvm_flush_remote_tlbs")


def set_bypass(world: World, switch: SetBypass) -> str:
    """bypass_guest_pf at run time: the entries of the other kind must go (kvm_mmu_set_nonpresent_ptes)."""
    world.mmu.trap, world.mmu.notrap = (TRAP, ABSENT) if switch.on else (ABSENT, ABSENT)
    kvm_mmu_zap_all(world)
    return SWITCHED


def set_mmio_caching(world: World, switch: SetMmioCaching) -> str:
    """MMIO sptes at run time: those that are there must go, or they would be hit for ever. The same work."""
    world.host = replace(world.host, mmio_caching=switch.on)
    kvm_mmu_zap_all(world)
    return SWITCHED
