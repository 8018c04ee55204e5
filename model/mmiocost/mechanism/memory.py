"""Runs that are remembered: an action in a state that has been met before need not be executed again.

The state is what a run can depend on. Tables and slots carry a number that changes with them; what a run may
change and then find again (``Registers``) is held apart, so that a world with its tables filled comes back to
states that it has been in, whatever its caches do.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .counter import Step
from .slots import Memslot
from .world import MmioCache, World


class Outcome(NamedTuple):
    """Name of the path (None: nothing that the vocabulary names), its events, and the steps that made them."""

    path: str | None
    events: dict[str, int]
    steps: tuple[Step, ...]


class Registers(NamedTuple):
    """Small state that most accesses change."""

    cache: MmioCache
    lru_slot: int
    last_used_slot: tuple[Memslot, int] | None


def surroundings(world: World) -> tuple[Any, ...]:
    """All else that a run depends on. Objects compare by identity, tables by the number of their changes."""
    slots, nested = world.memslots, world.nested
    return (
        (slots, slots.generation, world.paging, world.paging.changes, nested, nested and nested.changes),
        (world.mmu, world.mmu.changes, world.mmu.trap, world.mmu.notrap, world.mmu.elsewhere),
        (world.mmio_bus, world.fast_bus, world.port_bus, world.host, world.code_gva, world.in_step),
        (world.kernel, world.mode, world.design, world.address_spaces, world.unlinker.times, world.unlinker.levels),
    )


def registers(world: World) -> Registers:
    """The registers as they are."""
    return Registers(world.cache, world.memslots.lru_slot, world.memslots.last_used_slot)


def restore(world: World, found: Registers) -> None:
    """Put the registers into a remembered state."""
    world.cache, world.memslots.lru_slot, world.memslots.last_used_slot = found
