"""Where things lie in a guest that a scenario describes: slots, the hole that holds the MMIO page, devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..vocabulary import Generation
from .slots import SlotBlock

_SMALL, _LARGE = 8, 128  # pages of the slots that hold nothing of interest; the hole after each is as large
RAM_PAGES = 64


class Layout(NamedTuple):
    """Blocks of slots in order of creation, the RAM slot's base and index, and a gfn that no slot holds.

    The gfn is the first of an aligned group of 8 without slots.
    """

    blocks: tuple[SlotBlock, ...]
    ram: int
    ram_index: int
    hole: int


def lay_out(kernel: Generation, scenario: Mapping[str, int]) -> Layout:
    """Slots such that RAM has the asked rank, and ``mmio_gap`` bases lie above (tree: below) the hole."""
    slots, rank, gap = scenario["slots"], scenario["ram_slot"], scenario["mmio_gap"]
    below_ram = slots - rank if kernel.search == "binary" else rank - 1
    below_hole = {"linear": slots, "binary": slots - gap, "tree": gap}[kernel.search]
    by_size = kernel.search == "linear" and kernel.since("v36")
    pages = _LARGE if by_size else _SMALL  # slots before RAM in an order by size are larger
    origin = _room_for_devices(scenario)
    ram = origin + below_ram * 2 * pages
    above = ram + 2 * RAM_PAGES
    blocks = (
        SlotBlock(origin, pages, below_ram, 2 * pages),
        SlotBlock(ram, RAM_PAGES),
        SlotBlock(above, _SMALL, slots - below_ram - 1, 2 * _SMALL),
    )
    if below_hole <= below_ram:
        next_base = origin + below_hole * 2 * pages
    else:
        next_base = above + (below_hole - below_ram - 1) * 2 * _SMALL
    return Layout(tuple(block for block in blocks if block.number), ram, rank - 1, next_base - _SMALL)


def _room_for_devices(scenario: Mapping[str, int]) -> int:
    """First base, so high that all devices of a bus could lie below it; a multiple of 16."""
    devices = max(scenario["bus_devices"], scenario["fast_bus_devices"])
    return 16 * (2 + devices * 8 // (16 * 4096))


def devices_around(address: int, devices: int, position: int) -> range:
    """Addresses of devices 8 bytes wide, in ascending order; that of ``position`` (from 1) is the address."""
    first = address - 8 * (position - 1)
    return range(first, first + 8 * devices, 8)


def devices_beside(address: int, devices: int, gap: int) -> range:
    """The same, but none at the address and ``gap`` of them below it."""
    first = address - 8 * gap + 4
    return range(first, first + 8 * devices, 8)
