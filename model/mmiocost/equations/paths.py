"""The closed form of every path: its building blocks added up, its searches turned into compares."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import sympy as sp

from ..vocabulary import COLD_COMPARE, FREE, Generation, Path, event_names, generation, path_named
from . import guest_fault, instructions, mmio, unified_loop
from .exits import bus_hit, bus_miss
from .guest_walk import nested_walk
from .slot_walk import miss_compares, slot_compares
from .symbols import Positive, cost_symbol, symbol
from .tally import ZERO, Tally, tally

_Block = Callable[[Generation, Any], Tally]

_WAYS: dict[str, _Block] = {
    "mmio": mmio.before,
    "mmio_first": mmio.first,
    "mmio_hit": mmio.hit,
    "mmio_stale": mmio.stale,
    "mmio_uncached": mmio.uncached,
    "fast_mmio": mmio.fast_mmio,
    "guest_fault": guest_fault.guest_fault,
    "guest_fault_bypassed": guest_fault.guest_fault_bypassed,
    "ram_fill": guest_fault.ram_fill,
    "ram_fill_checked": guest_fault.ram_fill_checked,
    "bypass_switch": guest_fault.zap_everything,
    "slot_update": guest_fault.zap_everything,
    "slot_update_wrap": guest_fault.zap_everything,
    "access": unified_loop.access,
    "hypercall": instructions.hypercall,
    "cpuid": instructions.cpuid,
    "msr_read": instructions.msr_read,
    "msr_write": instructions.msr_write,
    "pio_write": instructions.pio_write,
    "pio_read": instructions.pio_read,
    "emulation": instructions.emulation,
    "guest_walk": lambda gen, mode: nested_walk(),
    "slot.hit": lambda gen, mode: tally(hits=1),
    "slot.miss": lambda gen, mode: tally(misses=1),
    "bus.hit": lambda gen, mode: tally(io_bus_compare=bus_hit(gen)),
    "bus.miss": lambda gen, mode: tally(io_bus_compare=bus_miss(gen)),
}


def composition(path: Path) -> Tally:
    """The building blocks of a path added up, searches not yet turned into compares."""
    key = path.name.split(".", 1)[1]
    block = _WAYS[key if key in _WAYS else path.way]
    return block(generation(path.generation), path.mode)


def settle(found: Tally, gen: Generation, mode: str | None) -> dict[str, Any]:
    """Counts of all events: searches, their compares, and what the state of the host adds.

    Under shadow paging the first search finds the RAM slot (the walk of the fault), else the misses come first.
    """
    misses_first = ZERO if mode == "shadow" else found.misses
    counts = dict(found.events)
    counts["slot_search"] = found.hits + found.misses
    counts["slot_compare"] = slot_compares(gen, found.hits, found.misses, misses_first)
    exits = sum((count for name, count in counts.items() if name.startswith("vm_exit_")), ZERO)
    counts["exit_mitigation"] = symbol("exit_mitigated") * exits
    counts["userspace_mitigation"] = symbol("userspace_mitigated") * counts.get("userspace_exit", ZERO)
    counts["emulation_mitigation"] = symbol("emulation_mitigated") * counts.get("emulate_instruction", ZERO)
    return {name: counts[name] for name in event_names() if counts.get(name, ZERO) != 0}


def with_cold_search(counts: dict[str, Any], found: Tally, gen: Generation) -> dict[str, Any]:
    """The counts and how many compares run cold: those of the first search in vain, in a share χ of accesses."""
    cold = symbol("cold_search_fraction") * Positive(found.misses) * miss_compares(gen)
    return {**counts, COLD_COMPARE: cold} if found.misses != 0 else counts


@cache
def counts(name: str) -> dict[str, Any]:
    """Event counts of a path as expressions in scenario symbols. Raises InvalidInput for an unknown path."""
    path = path_named(name)
    return settle(composition(path), generation(path.generation), path.mode)


@cache
def terms(name: str) -> dict[str, Any]:
    """How often each cost parameter occurs in a path: its counts and :data:`~.symbols.COLD_COMPARE`."""
    path = path_named(name)
    return with_cold_search(counts(name), composition(path), generation(path.generation))


def cost(weighted: dict[str, Any]) -> Any:
    """Σ N·θ, in cycles, of counts by parameter."""
    paid = {parameter: count for parameter, count in weighted.items() if parameter != FREE}
    return sp.Add(*(count * cost_symbol(parameter) for parameter, count in paid.items()))
