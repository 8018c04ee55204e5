"""One run of the machine: an action in a world, what it counted, and the path that the world's state selected."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ..vocabulary import path_named, resolve
from .accesses import Access, Action, BusLookup, Instruction, SetBypass, SetMmioCaching, SlotLookup, SlotUpdate
from .builder import build_resolved
from .counter import Counter, Step
from .exits import load_or_store
from .guest_walk import walk_addr
from .instructions import execute
from .memory import Outcome, registers, restore, surroundings
from .unified import unified_access
from .updates import set_bypass, set_mmio_caching, update_slots
from .world import World


def run(world: World, action: Action) -> Outcome:
    """Do one thing in a world, which is afterwards in the state that this leaves behind."""
    state, before = surroundings(world), registers(world)
    if state != world.remembered_in:
        world.remembered, world.remembered_in = {}, state
    known = world.remembered.get((action, before))
    if known is None:
        outcome = _execute(world, action)
        if surroundings(world) == state:
            world.remembered[action, before] = outcome, registers(world)
    else:
        outcome, after = known
        restore(world, after)
    return outcome._replace(events=dict(outcome.events))


def _execute(world: World, action: Action) -> Outcome:
    world.count = Counter()
    path = _run(world, action)
    return Outcome(path, world.count.events(), tuple(world.count.steps))


def _run(world: World, action: Action) -> str | None:
    if isinstance(action, SlotUpdate):
        return update_slots(world, action)
    if isinstance(action, SetBypass):
        return set_bypass(world, action)
    if isinstance(action, SetMmioCaching):
        return set_mmio_caching(world, action)
    if isinstance(action, Access):
        return _named(world, action)
    if isinstance(action, Instruction):
        return f"{world.kernel.id}.any.{execute(world, action)}"
    if isinstance(action, SlotLookup):
        found = world.find_slot(action.gfn, "gfn_to_memslot")
        return f"{world.kernel.id}.slot.{'miss' if found is None else 'hit'}"
    if isinstance(action, BusLookup):
        answered = world.mmio_bus.access(action.address, world.count)
        return f"{world.kernel.id}.bus.{'hit' if answered else 'miss'}"
    walk_addr(world, action.gva, action.write)
    return f"{world.kernel.id}.guest_walk"


def _named(world: World, access: Access) -> str | None:
    if world.design == "unified":
        return f"unified.{world.mode}.{unified_access(world, access)}"
    way = load_or_store(world, access)
    return None if way is None else f"{_generation(world, way)}.{world.mode}.{way}"


def _generation(world: World, way: str) -> str:
    """The one whose name a path bears: what ``proto`` does as 3.1 or 3.0 did has theirs."""
    if way == "guest_fault_bypassed":
        return "v30"
    return "v31" if world.design == "proto" and way != "ram_fill_checked" else world.kernel.id


def trace(path: str, scenario: Mapping[str, int]) -> list[Step]:
    """The steps of a path: which kernel function makes which event how often, in order of time.

    Raises InvalidInput for an unknown path and for symbols that the path does not admit.
    """
    return list(_built(path, scenario).steps)


def simulate(path: str, scenario: Mapping[str, int]) -> dict[str, int]:
    """Event counts of a path by execution, in the order of the vocabulary; zero counts are left out.

    Raises InvalidInput for an unknown path and for symbols that the path does not admit.
    """
    if all(type(value) is int for value in scenario.values()):  # True equals 1, and is none
        return dict(_simulated(path, tuple(scenario.items())))
    return dict(_built(path, scenario).events)


@lru_cache(maxsize=1 << 16)
def _simulated(path: str, scenario: tuple[tuple[str, int], ...]) -> dict[str, int]:
    """Equal scenarios build equal worlds, so they are run once."""
    return _built(path, dict(scenario)).events


def _built(path: str, scenario: Mapping[str, int]) -> Outcome:
    named = path_named(path)
    return _execute(*build_resolved(named, resolve(named, scenario)))
