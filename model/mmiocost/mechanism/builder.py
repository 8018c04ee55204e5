"""From a path and its scenario to a world in which that path is what happens next, and the action that takes it.

Nothing is counted here: the world is put into the state that the symbols describe.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..vocabulary import Path, generation, path_named, resolve
from .accesses import Access, Action, BusLookup, Instruction, SetBypass, SlotLookup, SlotUpdate, WalkOnly
from .buses import IoBus
from .guest_tables import ACCESSED, DIRTY, PRESENT, WRITABLE, GuestPaging
from .layout import RAM_PAGES, Layout, devices_around, devices_beside, lay_out
from .mmio_spte import FIRST_WRAP, frame_of, mmio_generation, vcpu_cache_mmio_info
from .shadow_tables import ABSENT, TRAP, Entry, Link, Mmio, ShadowTables
from .slots import Memslots, SlotBlock
from .world import Host, Unlinker, World

_OFFSET = 0x10  # of the access within its page
_FILLS = ("ram_fill", "ram_fill_checked")
_ENTRY_THERE = ("mmio_hit", "mmio_stale", "fast_mmio")
_UPDATES = ("slot_update", "slot_update_wrap", "bypass_switch")


def build(path: str, scenario: Mapping[str, int]) -> tuple[World, Action]:
    """The world that a path starts from, and what to do in it.

    Raises InvalidInput for an unknown path and for symbols that the path does not admit.
    """
    named = path_named(path)
    return build_resolved(named, resolve(named, scenario))


def build_resolved(path: Path, s: Mapping[str, int]) -> tuple[World, Action]:
    """The same for a scenario that is known to be admissible and whole."""
    kernel = generation(path.generation)
    layout = lay_out(kernel, s)
    gfn = _data_gfn(path, layout, s)
    gva = _gva(s["guest_levels"], 1, gfn, s["leaf_level"]) | _OFFSET
    code_gfn = layout.ram + RAM_PAGES - 1
    code_gva = _gva(s["guest_levels"], 2, code_gfn, s["code_leaf_level"])
    address = gfn << 12 | _OFFSET
    world = World(
        kernel,
        path.mode or "any",
        _memslots(path, layout, s),
        GuestPaging(s["guest_levels"], layout.ram),
        ShadowTables(s["shadow_levels"], s["shadow_pages"] if path.way in _UPDATES else 0),
        _bus(path, s, address),
        _fast_bus(path, s, address),
        _bus(path, s, address),
        code_gva,
        design=path.generation if path.generation in ("proto", "unified") else "",
        host=_host(path, s),
        in_step=bool(s["sync"]),
        unlinker=Unlinker(s["retries"], s["unlinked_levels"]),
    )
    world.paging.map(code_gva, code_gfn, s["code_leaf_level"])
    _map_data(world, path, s, gva, gfn)
    _nest(world, s["nested_levels"] if path.way == "guest_walk" else 0, layout, gfn)
    _fill_shadow(world, path, s, gva, gfn)
    return world, _action(path, s, world, gva, gfn, address)


def _data_gfn(path: Path, layout: Layout, s: Mapping[str, int]) -> int:
    """The page that is accessed: in the RAM slot, or in the hole at a place within its group of 8."""
    ram = (
        path.way in (*_FILLS, "guest_walk")
        or path.name.endswith(".slot.hit")
        or (path.way == "access" and not s["is_mmio"])
    )
    return layout.ram + RAM_PAGES - 2 if ram else layout.hole + s["prefetch_index"]


def _gva(levels: int, top_index: int, gfn: int, leaf_level: int) -> int:
    """An address below one entry of the top table, with the gfn's place within a page of the leaf's level."""
    bits = 10 if levels == 2 else 9
    if levels == 0:
        return gfn << 12
    return top_index << 12 + bits * (levels - 1) | gfn % (1 << bits * (leaf_level - 1)) << 12


def _memslots(path: Path, layout: Layout, s: Mapping[str, int]) -> Memslots:
    """Slots of some age, with the slot cache as the scenario has it."""
    memslots = Memslots(generation(path.generation), layout.blocks, generation=1)
    other = 1 if layout.ram_index == 0 else 0
    memslots.lru_slot = layout.ram_index if s["slot_cache_warm"] else other
    if memslots.kernel.search == "tree" and s["slot_cache_warm"]:
        memslots.last_used_slot = (memslots.slot(layout.ram_index), memslots.generation)
    return memslots


def _bus(path: Path, s: Mapping[str, int], address: int) -> IoBus:
    """MMIO bus or port bus, with the device that answers or without."""
    answered = path.way == "hit" if path.name.endswith((".bus.hit", ".bus.miss")) else not s["userspace"]
    devices = s["bus_devices"]
    if answered:
        found = devices_around(address, devices, s["bus_position"])
    else:
        found = devices_beside(address, devices, s["bus_gap"])
    eventfd = s["is_ioeventfd"] and path.mode is not None
    return IoBus(generation(path.generation).bus, found, (address,) if eventfd else ())


def _fast_bus(path: Path, s: Mapping[str, int], address: int) -> IoBus:
    """Fast MMIO bus: all its devices are ioeventfds."""
    devices = s["fast_bus_devices"]
    if path.way == "fast_mmio":
        return IoBus("sorted", devices_around(address, devices, s["fast_bus_position"]), (address,))
    return IoBus("sorted", devices_beside(address, devices, s["fast_bus_gap"]))


def _host(path: Path, s: Mapping[str, int]) -> Host:
    names = ("decode_assist", "spte_accessed_bit", "fast_pio_in")
    mitigations = ("exit_mitigated", "userspace_mitigated", "emulation_mitigated")
    bits = {name: bool(s[name]) for name in (*names, *mitigations)}
    return Host(hypervisor=bool(s["host_hypervisor"]), mmio_caching=path.way != "mmio_uncached", **bits)


def _map_data(world: World, path: Path, s: Mapping[str, int], gva: int, gfn: int) -> None:
    """The guest's mapping of the page, with as many accessed and dirty bits left to set as the scenario says."""
    paging = world.paging
    if paging.levels == 0:
        return
    if path.way in ("guest_fault", "guest_fault_bypassed"):
        paging.map(gva, 0, s["fault_level"], flags=0)
        return
    clean = path.way in _FILLS and not s["is_write"]
    paging.map(gva, gfn, s["leaf_level"], PRESENT | WRITABLE | ACCESSED | (0 if clean else DIRTY))
    levels = range(paging.top, s["leaf_level"] - 1, -1)
    for level in levels[: s["ad_updates"]]:
        paging.clear(gva, level, ACCESSED)
    if s["ad_updates"] > len(levels):
        paging.clear(gva, s["leaf_level"], DIRTY)


def _nest(world: World, levels: int, layout: Layout, gfn: int) -> None:
    """L1's tables, which map L2's frames onto themselves."""
    if levels:
        world.nested = GuestPaging(levels, layout.ram + RAM_PAGES // 2)
        for used in (*world.paging.tables, gfn):
            world.nested.map(used << 12, used)


def _fill_shadow(world: World, path: Path, s: Mapping[str, int], gva: int, gfn: int) -> None:
    """Shadow pages and entries that exist when the path starts, and the vCPU's MMIO cache."""
    mmu, way = world.mmu, path.way
    if way in _UPDATES:
        return
    if s["bypass"] or way == "ram_fill_checked":
        mmu.trap, mmu.notrap = TRAP, ABSENT if s["bypass"] else TRAP
    mmu.clear()
    frame = frame_of(world, gva, gfn)
    if way in ("guest_fault", "guest_fault_bypassed"):
        put(world, frame, s["fault_level"], mmu.notrap if way == "guest_fault_bypassed" else mmu.trap)
    elif way in _ENTRY_THERE:
        age = 1 if way == "mmio_stale" else 0
        put(world, frame, 1, Mmio(gfn, mmio_generation(world) - age), s["leaf_level"])
        if way == "mmio_hit" and s["mmio_cached"]:
            vcpu_cache_mmio_info(world, None if world.direct else gva, gfn)
    elif way in (*_FILLS, "mmio_first", "mmio_uncached", "access"):
        put(world, frame, s["missing_levels"] + 1, mmu.trap, s["leaf_level"])


def put(world: World, frame: int, level: int, entry: Entry, leaf_level: int = 1) -> None:
    """Write an entry of a level, with all pages above it, as if it had been there for long."""
    page = world.mmu.root
    while page.level > level:
        index = world.mmu.index(frame, page.level)
        found = page[index]
        if not isinstance(found, Link):
            found = Link(world.mmu.new_page(page.level - 1, world.direct or page.level <= leaf_level))
            page[index] = found
        page = found.page
    page[world.mmu.index(frame, level)] = entry


def _action(path: Path, s: Mapping[str, int], world: World, gva: int, gfn: int, address: int) -> Action:
    """What is done."""
    write = bool(s["is_write"])
    if path.mode is None:
        lookups: dict[str, Action] = {
            f"{path.generation}.slot.hit": SlotLookup(gfn),
            f"{path.generation}.slot.miss": SlotLookup(gfn),
            f"{path.generation}.guest_walk": WalkOnly(gva, write),
        }
        return lookups.get(path.name, BusLookup(address))
    if path.way in _UPDATES:
        return SetBypass(bool(s["bypass"])) if path.way == "bypass_switch" else _update(world, path)
    if path.mode == "any":
        way: str = path.way
        return Instruction(way, address, bool(s["pm_timer"]), bool(s["timer_msr"]))  # type: ignore[arg-type]
    return Access(gva, write)


def _update(world: World, path: Path) -> SlotUpdate:
    """A new slot above all others; for the wrap, the generation is one installation away from it."""
    highest = max(block.base + block.number * max(block.stride, block.npages) for block in world.memslots.blocks)
    if path.way == "slot_update_wrap":
        world.memslots.generation = FIRST_WRAP - 2
    return SlotUpdate("create", new=SlotBlock(highest + 2 * RAM_PAGES, 8))
