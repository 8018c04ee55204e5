"""Slot searches held against a plain list of slots, and the layouts that a scenario asks for."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenarios import GENERATIONS

from mmiocost.mechanism.counter import Counter
from mmiocost.mechanism.layout import lay_out
from mmiocost.mechanism.slots import Memslot, Memslots, SlotBlock
from mmiocost.vocabulary import generation


def plain(slots: Memslots) -> list[Memslot]:
    return [slots.slot(index) for index in range(len(slots))]


@st.composite
def memslots(draw: st.DrawFn, name: str) -> Memslots:
    """Blocks one after the other, each a few slots of one size."""
    blocks, base = [], draw(st.integers(0, 20))
    for _ in range(draw(st.integers(1, 5))):
        pages, number = draw(st.integers(1, 9)), draw(st.integers(1, 6))
        stride = pages + draw(st.integers(0, 4))
        blocks.append(SlotBlock(base, pages, number, stride))
        base += number * stride + draw(st.integers(0, 5))
    return Memslots(generation(name), draw(st.permutations(blocks)))


@pytest.mark.parametrize("name", GENERATIONS)
@given(data=st.data())
def test_a_search_finds_the_slot_that_holds_the_gfn(name: str, data: st.DataObject) -> None:
    slots = data.draw(memslots(name))
    for gfn in data.draw(st.lists(st.integers(0, 400), min_size=1, max_size=6)):
        expected = [slot for slot in plain(slots) if slot.holds(gfn)]
        assert slots.search(gfn, Counter()) == (expected[0] if expected else None)
        assert slots.backs(gfn) == bool(expected)


@pytest.mark.parametrize("name", GENERATIONS)
@given(data=st.data())
def test_slots_are_kept_in_the_kernels_order(name: str, data: st.DataObject) -> None:
    slots = plain(data.draw(memslots(name)))
    if name in ("v36", "v311", "v315"):
        assert [slot.npages for slot in slots] == sorted((slot.npages for slot in slots), reverse=True)
    elif name in ("v40", "v414", "v56"):
        assert slots == sorted(slots, reverse=True)
    elif name == "v517":
        assert slots == sorted(slots)


@pytest.mark.parametrize("name", GENERATIONS[:5])
@given(data=st.data())
def test_a_linear_scan_examines_each_slot_up_to_the_right_one(name: str, data: st.DataObject) -> None:
    slots = data.draw(memslots(name))
    gfn, compares, count = data.draw(st.integers(0, 400)), 0, Counter()
    for slot in plain(slots):
        compares += 1
        if slot.holds(gfn):
            break
    slots.search(gfn, count)
    assert count.events() == {"slot_compare": compares}


@pytest.mark.parametrize("name", GENERATIONS)
@given(data=st.data())
def test_a_layout_has_the_ranks_that_the_scenario_asks_for(name: str, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 40))
    rank, gap = data.draw(st.integers(1, n)), data.draw(st.integers(0, n))
    devices = data.draw(st.integers(0, 100_000))
    layout = lay_out(
        generation(name),
        {"slots": n, "ram_slot": rank, "mmio_gap": gap, "bus_devices": devices, "fast_bus_devices": 0},
    )
    slots = Memslots(generation(name), layout.blocks)
    found = plain(slots)
    assert len(found) == n
    assert found[rank - 1].base == layout.ram
    assert layout.hole % 8 == 0 and layout.hole * 4096 >= devices * 8
    assert not any(slots.backs(gfn) for gfn in range(layout.hole, layout.hole + 8))
    if name in ("v40", "v414", "v56"):
        assert sum(slot.base > layout.hole for slot in found) == gap
    elif name == "v517":
        assert sum(slot.base <= layout.hole for slot in found) == gap
    spans = sorted((slot.base, slot.base + slot.npages) for slot in found)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
