"""Mixed accesses with slot updates, zaps and switches between: each counts what its path's closed form says.

The path and its symbols are read off the world before the access (``sequences``); the machine must have taken
the same path, and the closed form for these symbols must give its counts, event by event.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sequences import OFFSET, Guest, chain, guest, missing, selected, slot_symbols, walk_symbols

from mmiocost.mechanism import Access, SetBypass, SetMmioCaching, SlotUpdate, build, run
from mmiocost.mechanism.shadow_tables import Leaf
from mmiocost.mechanism.slots import SlotBlock
from mmiocost.whatif.counting import count

FIRST = [
    *(f"{gen}.{mode}.mmio_first" for gen in ("v31", "v36", "v311") for mode in ("ept", "shadow", "nonpaging")),
    *(f"{gen}.ept.mmio_first" for gen in ("v315", "v40", "v414", "v56", "v517")),
    *(f"v517.{mode}.mmio_uncached" for mode in ("ept", "shadow", "nonpaging")),
    *(f"v30.{mode}.mmio" for mode in ("ept", "shadow", "nonpaging")),
]


@st.composite
def guests(draw: st.DrawFn, path: str) -> tuple[Guest, dict[str, int]]:
    """A guest on a path's kernel, with symbols that stay as they are."""
    mode = path.split(".")[1]
    levels = 0 if mode == "nonpaging" else draw(st.sampled_from([2, 3, 4] if mode == "shadow" else [0, 2, 3, 4]))
    slots = draw(st.integers(2, 12))
    scenario = {
        "slots": slots,
        "ram_slot": draw(st.integers(1, slots)),
        "guest_levels": levels,
        "leaf_level": draw(st.integers(1, 2)) if levels and path[0] == "v" else 1,
        "code_leaf_level": draw(st.integers(1, 2)) if levels else 1,
        "slot_cache_warm": draw(st.integers(0, 1)),
        "prefetch_index": draw(st.integers(0, 7)),
        "decode_assist": draw(st.integers(0, 1)),
    }
    fixed = ("code_leaf_level", "decode_assist")
    return guest(path, scenario), {name: scenario[name] for name in fixed}


def updates(made: list[SlotBlock], top: int) -> st.SearchStrategy[SlotUpdate]:
    """Updates of slots that lie above all others and hold nothing."""
    new = st.builds(lambda n: SlotBlock(top + 64 * n, 8), st.integers(len(made) + 1, 30))
    kinds = [new.map(lambda block: SlotUpdate("create", new=block))]
    if made:
        old = made[-1]
        kinds += [
            st.just(SlotUpdate("flags", old=old)),
            st.just(SlotUpdate("delete", old=old)),
            st.just(SlotUpdate("move", old=old, new=SlotBlock(old.base + 16, 8))),
        ]
    return st.one_of(kinds)


def update(g: Guest, made: list[SlotBlock], data: st.DataObject) -> None:
    """One slot update, and what it must count and leave behind."""
    world, before = g.world, g.world.memslots.generation
    top = max(block.base + block.number * max(block.stride, block.npages) for block in world.memslots.blocks)
    change = data.draw(updates(made, top + 64))
    pages, outcome = world.mmu.pages(), run(world, change)
    if change.kind in ("delete", "move"):
        made.pop()
    if change.new is not None:
        made.append(change.new)
    moved = change.kind in ("delete", "move")
    zaps = change.kind != "flags" if not world.since("v311") else moved
    assert outcome.path == ("v31.any.slot_update" if zaps else None)
    assert outcome.events == (count("v31.any.slot_update", {"shadow_pages": pages}) if zaps else {})
    assert not zaps or world.mmu.pages() == 0
    assert world.memslots.generation - before == ((2 if moved else 1) if world.since("v311") else 0)


def mmio(g: Guest, fixed: dict[str, int], data: st.DataObject) -> None:
    """One load or store of an MMIO page."""
    world = g.world
    gva, gfn = data.draw(st.sampled_from(sorted(g.mmio.items())))
    store_only = gfn << 12 | OFFSET in world.mmio_bus.ioeventfds
    access = Access(gva | OFFSET, store_only or data.draw(st.booleans()))
    path, symbols = selected(world, access, gfn)
    holds_gva = world.cache.gva_page == gva >> 12 and path.endswith(".nonpaging.mmio_hit")
    quick = bool(symbols["mmio_cached"])
    outcome = run(world, access)
    expected = count(path, {**symbols, **fixed})
    if holds_gva and quick:  # right after a first touch the cache still has the gva, so one test is enough
        expected["mmio_cache_check"] -= 1
    assert (outcome.path, outcome.events) == (path, expected)


def ram(g: Guest, data: st.DataObject) -> None:
    """One store to RAM or to an address that the guest has not mapped, under shadow paging."""
    world = g.world
    gva = data.draw(st.sampled_from([*g.ram, *g.unmapped]))
    entry, absent = world.mmu.reached(gva >> 12), missing(world, gva >> 12)
    symbols = slot_symbols(world, 0) | walk_symbols(world, gva, True)
    level, trapping = chain(world, gva)[-1][1], world.mmu.trap.traps
    outcome = run(world, Access(gva))
    name, checked = world.kernel.id, trapping and world.since("v31")
    if name == "proto" and not checked:
        name = "v31"
    if isinstance(entry, Leaf):
        assert (outcome.path, outcome.events) == (None, {})
    elif trapping and not getattr(entry, "traps", True):
        assert (outcome.path, outcome.events) == ("v30.shadow.guest_fault_bypassed", {"guest_fault_native": 1})
        assert gva in g.unmapped
    elif gva in g.unmapped and checked:
        assert outcome.path is None and outcome.events["guest_fault_inject"] == outcome.events["mmio_cache_check"] == 1
    elif gva in g.unmapped:
        symbols = {**symbols, "fault_level": level, "leaf_level": 1, "ad_updates": 0}
        assert (outcome.path, outcome.events) == (f"{name}.shadow.guest_fault", count(outcome.path or "", symbols))
    else:
        symbols |= {"missing_levels": absent, "bypass": int(world.mmu.trap != world.mmu.notrap)}
        way = "ram_fill_checked" if checked else "ram_fill"
        assert (outcome.path, outcome.events) == (f"{name}.shadow.{way}", count(outcome.path or "", symbols))


@pytest.mark.parametrize("path", FIRST)
@settings(max_examples=40)
@given(data=st.data())
def test_accesses_and_slot_updates_in_any_order(path: str, data: st.DataObject) -> None:
    g, fixed = data.draw(guests(path))
    made: list[SlotBlock] = []
    with_ram = g.world.mode == "shadow" and path.startswith(("v30", "v31.", "v36", "v311"))
    for _ in range(data.draw(st.integers(1, 14))):
        kind = data.draw(st.sampled_from(["mmio", "mmio", "mmio", "update", *(["ram"] if with_ram else [])]))
        if kind == "mmio":
            mmio(g, fixed, data)
        elif kind == "ram":
            ram(g, data)
        elif path.split(".")[0] != "v30":
            update(g, made, data)


@pytest.mark.parametrize("path", ["v30.shadow.mmio", "proto.shadow.ram_fill_checked"])
@settings(max_examples=60)
@given(data=st.data())
def test_bypass_switched_between_accesses(path: str, data: st.DataObject) -> None:
    g, fixed = data.draw(guests(path))
    for _ in range(data.draw(st.integers(1, 16))):
        kind = data.draw(st.sampled_from(["ram", "ram", "ram", "switch", *(["mmio"] if path[0] == "v" else [])]))
        if kind == "mmio":
            mmio(g, fixed, data)
        elif kind == "ram":
            ram(g, data)
        else:
            pages, outcome = g.world.mmu.pages(), run(g.world, SetBypass(data.draw(st.booleans())))
            expected = count("proto.shadow.bypass_switch", {"shadow_pages": pages})
            assert (outcome.path, outcome.events) == ("proto.shadow.bypass_switch", expected)
            assert g.world.mmu.pages() == 0


@pytest.mark.parametrize("mode", ["ept", "shadow", "nonpaging"])
def test_mmio_sptes_switched_off_and_on_again(mode: str) -> None:
    """Entries that are installed go with the switch: without that they would still be hit."""
    gen = "v517" if mode == "ept" else "v311"
    world, access = build(f"{gen}.{mode}.mmio_first", {})
    assert [run(world, access).path for _ in range(2)] == [f"{gen}.{mode}.mmio_first", f"{gen}.{mode}.mmio_hit"]
    off = run(world, SetMmioCaching(False))
    assert off.events == count("proto.shadow.bypass_switch", {"shadow_pages": off.events["shadow_page_zap"]})
    for _ in range(2):
        uncached = run(world, access)
        assert uncached.path == ("v517.ept.mmio_uncached" if gen == "v517" else None)
        assert not {"mmio_spte_install", "mmu_lock_acquire", "generation_check"} & set(uncached.events)
    run(world, SetMmioCaching(True))
    assert run(world, access).path == f"{gen}.{mode}.mmio_first"


@settings(max_examples=80)
@given(data=st.data())
def test_faults_of_the_unified_loop_one_after_the_other(data: st.DataObject) -> None:
    """Each finds the tables that the last one left, less what another thread has unlinked."""
    mode = data.draw(st.sampled_from(["shadow", "ept"]))
    sync, mmio = data.draw(st.integers(0, 1)), data.draw(st.integers(0, 1))
    scenario = {"slots": 7, "ram_slot": 3, "missing_levels": 2, "sync": sync, "is_mmio": mmio}
    world, access = build(f"unified.{mode}.access", scenario)
    for _ in range(data.draw(st.integers(1, 6))):
        retries, levels = data.draw(st.integers(0, 4)), data.draw(st.integers(1, 3))
        world.unlinker.times, world.unlinker.levels = retries, levels
        expected = count(f"unified.{mode}.access", {**scenario, "retries": retries, "unlinked_levels": levels})
        outcome = run(world, access)
        assert (outcome.path, outcome.events) == (f"unified.{mode}.access", expected)
        scenario["missing_levels"] = 0


def test_what_is_remembered_gives_the_same_as_running_again() -> None:
    scenario = {"slots": 9, "guest_levels": 4, "leaf_level": 1, "prefetch_index": 2}
    g, fresh = (guest("v40.ept.mmio_first", scenario) for _ in range(2))
    for number in range(60):
        gva = sorted(g.mmio)[number * number % 3] | OFFSET
        fresh.world.remembered.clear()
        known = run(g.world, Access(gva, number % 2 == 0))
        assert known == run(fresh.world, Access(gva, number % 2 == 0))
        assert g.world.cache == fresh.world.cache
        if number % 20 == 19:
            for each in (g, fresh):
                run(each.world, SlotUpdate("create", new=SlotBlock(10_000 + 64 * number, 8)))
