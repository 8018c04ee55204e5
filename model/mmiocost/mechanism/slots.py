"""Memory slots, and the search for the slot of a gfn in the data structure of each kernel generation.

``up to 3.2`` an array in id order, ``3.3`` sorted by size, ``3.19`` by base address with ``lru_slot`` and
bisection, ``5.17`` a tree with the vCPU's ``last_used_slot``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

from ..vocabulary import Generation
from .counter import Counter


class Memslot(NamedTuple):
    """Guest frames [base, base + npages) that user space has backed with memory."""

    base: int
    npages: int

    def holds(self, gfn: int) -> bool:
        """Both bounds: one examination of a slot."""
        return self.base <= gfn < self.base + self.npages


class SlotBlock(NamedTuple):
    """``number`` slots of equal size at equal distances; a world of a million slots then needs few objects."""

    base: int
    npages: int
    number: int = 1
    stride: int = 0

    def slot(self, place: int) -> Memslot:
        """One of them, counted from 0 at the lowest address."""
        return Memslot(self.base + place * self.stride, self.npages)

    def place_of(self, gfn: int) -> int | None:
        """Which of them holds a gfn."""
        place = (gfn - self.base) // self.stride if self.stride else 0
        return place if 0 <= place < self.number and self.slot(place).holds(gfn) else None


class Memslots:
    """The slots of a VM with their generation number and the slot found last."""

    def __init__(self, kernel: Generation, blocks: Iterable[SlotBlock], generation: int = 0) -> None:
        self.kernel = kernel
        self.blocks = _ordered(kernel, blocks)
        self.ends = tuple(accumulate(block.number for block in self.blocks))
        self.generation = generation
        self.lru_slot = 0  # index, 3.19 to 5.16
        self.last_used_slot: tuple[Memslot, int] | None = None  # with the generation it was found in, from 5.17

    def __len__(self) -> int:
        return self.ends[-1] if self.ends else 0

    def slot(self, index: int) -> Memslot:
        """The slot at an index of the array or, for the tree, in ascending order."""
        found = bisect_right(self.ends, index)
        block = self.blocks[found]
        place = index - (self.ends[found] - block.number)
        return block.slot(block.number - 1 - place if self.kernel.search == "binary" else place)

    def backs(self, gfn: int) -> bool:
        """Whether a slot holds a gfn: what the VM is like, not a search by KVM."""
        return any(block.place_of(gfn) is not None for block in self.blocks)

    def search(self, gfn: int, count: Counter) -> Memslot | None:
        """The slot of a gfn, as this kernel finds it."""
        if self.kernel.search == "linear":
            return self._linear(gfn, count)
        return self._binary(gfn, count) if self.kernel.search == "binary" else self._tree(gfn, count)

    def _linear(self, gfn: int, count: Counter) -> Memslot | None:
        """gfn_to_memslot up to 3.18: for each slot, in the order of the array."""
        for block in self.blocks:
            place = block.place_of(gfn)
            if place is not None:
                count("slot_compare", "search_memslots", "slots up to the one that holds the gfn", place + 1)
                return block.slot(place)
            count("slot_compare", "search_memslots", "slots that do not hold the gfn", block.number)
        return None

    def _binary(self, gfn: int, count: Counter) -> Memslot | None:
        """search_memslots of 3.19 to 5.16: the slot found last, bisection by base, one range test."""
        count("slot_compare", "search_memslots", "lru_slot")
        if self.slot(self.lru_slot).holds(gfn):
            return self.slot(self.lru_slot)
        start, end = 0, len(self)
        while start < end:
            middle = start + (end - start) // 2
            count("slot_compare", "search_memslots", "base of the middle slot")
            if gfn >= self.slot(middle).base:
                end = middle
            else:
                start = middle + 1
        if start < len(self) or self.kernel.binary_tail == "always":
            count("slot_compare", "search_memslots", "range of the slot that the bisection ends at")
        if start < len(self) and self.slot(start).holds(gfn):
            self.lru_slot = start
            return self.slot(start)
        return None

    def _tree(self, gfn: int, count: Counter) -> Memslot | None:
        """kvm_vcpu_gfn_to_memslot of 5.17: last_used_slot of this generation, then the tree by gfn."""
        if self.last_used_slot is not None and self.last_used_slot[1] != self.generation:
            self.last_used_slot = None
        if self.last_used_slot is not None:
            count("slot_compare", "try_get_memslot", "last_used_slot")
            if self.last_used_slot[0].holds(gfn):
                return self.last_used_slot[0]
        low, high = 0, len(self)
        while low < high:  # the subtree of slots [low, high), whose root is the median
            node = low + (high - low) // 2
            slot = self.slot(node)
            count("slot_compare", "search_memslots", "tree node")
            if slot.holds(gfn):
                self.last_used_slot = (slot, self.generation)
                return slot
            low, high = (node + 1, high) if gfn >= slot.base else (low, node)
        return None


def _ordered(kernel: Generation, blocks: Iterable[SlotBlock]) -> tuple[SlotBlock, ...]:
    """update_memslots: the order that this kernel keeps its slots in."""
    if kernel.search == "binary":
        return tuple(sorted(blocks, key=lambda block: -block.base))
    if kernel.search == "tree":
        return tuple(sorted(blocks))
    return tuple(sorted(blocks, key=lambda block: -block.npages)) if kernel.since("v36") else tuple(blocks)
