"""A world with several pages, and the symbols of the next access read off its state.

What is read here is the state alone (tables, slots, caches, buses). Which path it selects and with which symbols
is stated a second time, so that the machine's own choice can be held against it.
"""

from __future__ import annotations

from dataclasses import dataclass

from mmiocost.mechanism import Access, World, build
from mmiocost.mechanism.buses import IoBus
from mmiocost.mechanism.guest_tables import ACCESSED, DIRTY, LARGE, PRESENT, frame
from mmiocost.mechanism.mmio_spte import mmio_generation
from mmiocost.mechanism.shadow_tables import Link, Mmio, NonPresent

OFFSET = 0x10


@dataclass
class Guest:
    """A world, its MMIO pages (gva to gfn), its RAM pages, and addresses that it has not mapped."""

    world: World
    mmio: dict[int, int]
    ram: dict[int, int]
    unmapped: tuple[int, ...]


def guest(path: str, scenario: dict[str, int], pages: int = 3) -> Guest:
    """The world of a first access, with more pages of the same hole and devices at every second of them."""
    world, action = build(path, scenario)
    assert isinstance(action, Access)
    first = action.gva & ~0xFFF
    hole = _gfn(world, first) & ~7
    mmio = {first: _gfn(world, first)}  # of a path that fills RAM it is RAM, and not accessed here
    for number in range(1, pages):
        gfn = hole + (mmio[first] + number) % 8
        gva = gfn << 12 if world.paging.levels == 0 else first + (number << 15) + (gfn - mmio[first] << 12)
        if world.paging.levels == 0 or scenario.get("leaf_level", 1) == 1:
            world.paging.map(gva, gfn)
            mmio[gva] = gfn
    ram: dict[int, int] = {}
    unmapped: tuple[int, ...] = ()
    levels = world.paging.levels
    if world.mode == "shadow":
        base = next(block for block in world.memslots.blocks if block.npages == 64).base
        elsewhere = 3 << 12 + (10 if levels == 2 else 9) * (levels - 1)  # under another entry of the top table
        ram = {elsewhere + (9 * number << 12): base + 40 + number for number in range(3)}
        for gva, gfn in ram.items():
            world.paging.map(gva, gfn)
        unmapped = (elsewhere + (128 << 12), elsewhere + (2 << 22), elsewhere + (137 << 12))
    served = tuple(sorted((gfn << 12 | OFFSET) for gfn in list(mmio.values())[::2]))
    world.mmio_bus = IoBus(world.mmio_bus.order, served, served[-1:])
    return Guest(world, mmio, ram, unmapped)


def _gfn(world: World, gva: int) -> int:
    *_, (entry, level) = chain(world, gva) or [(gva >> 12 << 12, 1)]
    return frame(entry) + (gva >> 12) % world.paging.pages(level)


def chain(world: World, gva: int) -> list[tuple[int, int]]:
    """Guest entries from the top level down to the last, with their levels."""
    paging = world.paging
    if paging.levels == 0:
        return []
    table, found = frame(paging.pdptrs[paging.index(gva, 3)]) if paging.levels == 3 else paging.root, []
    for level in range(paging.top, 0, -1):
        entry = paging.tables[table].get(paging.index(gva, level), 0)
        found.append((entry, level))
        if not entry & PRESENT or entry & LARGE:
            break
        table = frame(entry)
    return found


def slot_symbols(world: World, gfn: int) -> dict[str, int]:
    """Number and rank of the slots, and what the slot cache holds."""
    slots = world.memslots
    found = [slots.slot(index) for index in range(len(slots))]
    rank = next(place for place, slot in enumerate(found, 1) if slot.npages == 64)
    gap = sum(slot.base > gfn for slot in found)
    if slots.kernel.search == "tree":
        cached = slots.last_used_slot
        warm = cached is not None and cached[1] == slots.generation
        gap = len(found) - gap
    else:
        warm = slots.kernel.search == "linear" or slots.lru_slot == rank - 1
    return {"slots": len(found), "ram_slot": rank, "mmio_gap": gap, "slot_cache_warm": int(warm)}


def walk_symbols(world: World, gva: int, write: bool) -> dict[str, int]:
    """Depth and length of the guest's tables, and accessed and dirty bits that are not set yet."""
    entries = chain(world, gva)
    clear = sum(not entry & ACCESSED for entry, _ in entries)
    if write and entries and not entries[-1][0] & DIRTY:
        both_at_once = world.since("v311") and not entries[-1][0] & ACCESSED
        clear += 0 if both_at_once else 1
    leaf = entries[-1][1] if entries else 1
    return {"guest_levels": world.paging.levels, "leaf_level": leaf, "ad_updates": clear, "is_write": int(write)}


def missing(world: World, shadow_frame: int) -> int:
    """Shadow pages that are absent for a frame."""
    page = world.mmu.root
    while page.level > 1:
        entry = page[world.mmu.index(shadow_frame, page.level)]
        if not isinstance(entry, Link):
            return page.level - 1
        page = entry.page
    return 0


def bus_symbols(world: World, gfn: int) -> dict[str, int]:
    """Which device answers, or how many lie below."""
    address, devices = gfn << 12 | OFFSET, list(world.mmio_bus.addresses)
    found = {"bus_devices": len(devices), "userspace": int(address not in devices)}
    if address in devices:
        eventfd = int(address in world.mmio_bus.ioeventfds)
        return found | {"bus_position": devices.index(address) + 1, "is_ioeventfd": eventfd}
    return found | {"bus_gap": sum(each < address for each in devices)}


def selected(world: World, access: Access, gfn: int) -> tuple[str, dict[str, int]]:
    """Path and symbols of an MMIO access, by the state of entry and cache."""
    shadow_frame = gfn if world.mode == "ept" else access.gva >> 12
    entry = world.mmu.reached(shadow_frame)
    current = mmio_generation(world)
    key = world.cache.gva_page == access.gva >> 12 if world.mode == "shadow" else world.cache.gfn == gfn
    trusted = key and (not world.since("v315") or world.cache.generation == current)
    symbols = slot_symbols(world, gfn) | walk_symbols(world, access.gva, access.write) | bus_symbols(world, gfn)
    symbols |= {"shadow_levels": world.mmu.top if world.mmu.top > 2 else 3}
    if not access.write:
        symbols["is_ioeventfd"] = 0
    if not world.since("v31"):
        way = "mmio"
    elif not world.host.mmio_caching:
        way = "mmio_uncached"
    elif isinstance(entry, NonPresent):
        way, symbols["prefetch_index"] = "mmio_first", gfn % 8
    else:
        assert isinstance(entry, Mmio)
        hit = trusted or not world.since("v311") or entry.generation == current
        way, symbols["prefetch_index"] = "mmio_hit" if hit else "mmio_stale", gfn % 8
    symbols |= {"missing_levels": missing(world, shadow_frame), "mmio_cached": int(trusted and way == "mmio_hit")}
    return f"{world.kernel.id}.{world.mode}.{way}", symbols
