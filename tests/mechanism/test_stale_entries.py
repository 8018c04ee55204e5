"""What slot updates do to entries and to the vCPU's cache: stale generations, wrap-around, and the hazard of 3.11."""

from __future__ import annotations

import pytest

from mmiocost.mechanism import Access, Outcome, SlotUpdate, World, build, run
from mmiocost.mechanism.slots import SlotBlock

FAR = 1 << 20


def touched(path: str, **scenario: int) -> tuple[World, Access]:
    """A world after the first access to its MMIO page."""
    world, access = build(path, scenario)
    assert isinstance(access, Access)
    assert run(world, access).path == path
    return world, access


def create(world: World, base: int = FAR, pages: int = 8) -> Outcome:
    return run(world, SlotUpdate("create", new=SlotBlock(base, pages)))


@pytest.mark.parametrize("gen", ["v315", "v40", "v414", "v56", "v517"])
def test_after_an_update_the_first_access_is_stale_and_the_second_a_hit(gen: str) -> None:
    world, access = touched(f"{gen}.ept.mmio_first")
    assert run(world, access).path == f"{gen}.ept.mmio_hit"
    create(world)
    assert [run(world, access).path for _ in range(2)] == [f"{gen}.ept.mmio_stale", f"{gen}.ept.mmio_hit"]


def test_two_bumps_of_one_update_make_one_access_stale() -> None:
    world, access = touched("v311.nonpaging.mmio_first")
    create(world)
    run(world, SlotUpdate("move", old=SlotBlock(FAR, 8), new=SlotBlock(2 * FAR, 8)))
    assert run(world, access).path == "v311.nonpaging.mmio_first"  # a move zaps as well
    assert run(world, access).path == "v311.nonpaging.mmio_hit"


def test_in_3_11_a_cached_page_is_emulated_as_mmio_after_it_has_become_ram() -> None:
    """The vCPU cache carries no generation there: it answers until another MMIO page displaces it."""
    world, access = touched("v311.ept.mmio_first")
    gfn = world.cache.gfn
    assert gfn is not None
    create(world, base=gfn & ~7, pages=8)
    hit = run(world, access)
    assert hit.path == "v311.ept.mmio_hit" and "generation_check" not in hit.events
    world.cache = world.cache._replace(gfn=gfn + 100)  # another page was MMIO in between
    fixed = run(world, access)
    assert fixed.path is None and fixed.events["generation_check"] == 1 and fixed.events["spte_install"] == 1
    assert run(world, access).events == {}


def test_later_kernels_do_not_trust_the_cache_across_an_update() -> None:
    world, access = touched("v414.ept.mmio_first")
    gfn = world.cache.gfn
    assert gfn is not None
    create(world, base=gfn & ~7, pages=8)
    assert run(world, access).path is None
    assert run(world, access).events == {}


def test_before_generations_only_an_update_that_gives_another_base_zaps() -> None:
    world, access = touched("v36.ept.mmio_first", missing_levels=2)
    assert run(world, SlotUpdate("flags", old=world.memslots.blocks[0])).events == {}
    assert run(world, access).path == "v36.ept.mmio_hit"
    assert create(world).path == "v31.any.slot_update"
    first = run(world, access)
    assert first.path == "v36.ept.mmio_first" and first.events["shadow_page_alloc"] == 3


def bumps_to_wrap(path: str, spaces: int, limit: int) -> int:
    """Updates until all shadow pages go."""
    world, _ = touched(path)
    world.address_spaces = spaces
    world.memslots.generation = limit
    for number in range(1, 400):
        outcome = run(world, SlotUpdate("flags", old=world.memslots.blocks[0]))
        if outcome.path is not None:
            assert outcome.path == "v311.any.slot_update_wrap"
            assert outcome.events["zap_all"] == outcome.events["tlb_flush"] == 1
            return number
    return 0


def test_the_generation_wraps_where_the_specification_says() -> None:
    """3.11: after about 150 bumps at first. Later: every 2^19 / address spaces."""
    assert bumps_to_wrap("v311.ept.mmio_first", 1, 0) == 149
    assert bumps_to_wrap("v311.ept.mmio_first", 1, 149 + 2**19 - 5) == 5
    assert bumps_to_wrap("v414.ept.mmio_first", 1, 2**19 - 10) == 10
    assert bumps_to_wrap("v414.ept.mmio_first", 2, 2**19 - 10) == 5
    assert bumps_to_wrap("v56.ept.mmio_first", 1, 7 * 2**19 - 3) == 3


def test_the_vcpus_last_used_slot_is_dropped_after_any_update() -> None:
    world, access = touched("v517.ept.mmio_first", slots=9, ram_slot=3)
    run(world, access)
    assert world.memslots.last_used_slot is not None
    warm = run(world, access)
    create(world)
    stale = run(world, access)
    assert stale.path == "v517.ept.mmio_stale"
    assert all(step.function != "try_get_memslot" for step in stale.steps[:6])
    assert run(world, access) == warm


def test_two_pages_in_turn_miss_the_one_entry_cache() -> None:
    """k pages in turn: c = 1 iff k = 1 (section 4.3)."""
    world, access = touched("v36.ept.mmio_first", guest_levels=0)
    other = access._replace(gva=access.gva + 4096 if access.gva >> 12 & 7 != 7 else access.gva - 4096)
    run(world, other)
    for _ in range(3):
        for each in (access, other):
            outcome = run(world, each)
            assert outcome.path == "v36.ept.mmio_hit" and outcome.events["shadow_pte_read"] == 4
    assert "shadow_pte_read" not in run(world, other).events
