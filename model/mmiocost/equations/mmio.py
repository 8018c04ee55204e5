"""MMIO accesses: before the series, first touch, hit, stale entry, without caching, fast MMIO bus."""

from __future__ import annotations

from typing import Any

import sympy as sp

from ..vocabulary import Generation
from .exits import emulate, exit_of, fast_bus_miss, fetch, levels, sorted_bus_hit
from .guest_walk import data_reads, data_walk, updates
from .symbols import Positive, symbol
from .tally import Tally, tally

_e, _w, _x = symbol("leaf_level"), symbol("is_write"), symbol("missing_levels")
_large = Positive(_e - 1)
_behind = Positive(symbol("prefetch_index"))


def before(gen: Generation, mode: str) -> Tally:
    """Every access of 3.0: exit, slots searched in vain, emulation; no lock taken, no entry written.

    EPT and direct shadow search for the mapping level and for the pfn, and once more in the emulator; a load
    walks the data address a second time (``emulator_read_emulated``). ``gen`` gives search and bus.
    """
    walks = 1 + (1 - _w) + (1 if mode == "shadow" else 0)
    misses = _large + 1 if mode == "shadow" else sp.Integer(2)
    handler = tally(misses=misses + 1)
    return exit_of(mode) + handler + data_walk().times(walks) + updates() + emulate(gen)


def _operand(gen: Generation, mode: str, at_hit: bool) -> Tally:
    """``vcpu_mmio_gva_to_gpa``: the cached gva, or a walk, or from 4.11 under EPT the fault's own gpa."""
    if mode == "shadow" or (mode == "nonpaging" and not at_hit) or (mode == "ept" and gen.since("v414")):
        return tally(mmio_cache_check=1)
    return tally(mmio_cache_check=2) + data_walk() + updates()


def _fill(gen: Generation, mode: str, missing: Any) -> Tally:
    """The slow path that ends with an MMIO spte: searches, mmu_lock, descent, install."""
    made = tally(
        mmu_lock_acquire=1,
        mmio_spte_install=1,
        shadow_pte_read=levels(),
        shadow_page_alloc=missing,
        spte_install=missing,
    )
    if mode != "shadow":
        return made + tally(misses=_fill_misses(gen, mode))
    indirect = gen.indirect_page_searches * sp.Max(0, missing - _e + 1)
    guarded = tally(hits=data_reads() + indirect, gpte_recheck=data_reads())
    return made + data_walk() + updates() + guarded + tally(misses=1 + _large * (1 + _behind))


def _fill_misses(gen: Generation, mode: str) -> Any:
    """Searches in vain: mapping level and pfn (one look-up from 5.6), and the 8-entry group behind j > 0."""
    if mode == "nonpaging":
        return 2 + _behind
    looked_at = symbol("spte_accessed_bit") * _behind
    if gen.since("v517"):
        return sp.Integer(1)
    return (1 if gen.since("v56") else 2) + looked_at


def _lockless_first(gen: Generation) -> Tally:
    """ψ: from 4.11 under EPT a non-present entry is first looked at by the fast page fault, in vain."""
    if not gen.since("v414"):
        return tally()
    tried = 1 - (symbol("spte_accessed_bit") if gen.since("v517") else symbol("decode_assist"))
    return tally(rcu_read_section=1, shadow_pte_read=levels() - _x).times(tried)


def first(gen: Generation, mode: str) -> Tally:
    """First touch: an ordinary fault that installs the MMIO spte and emulates."""
    found = exit_of(mode) + _fill(gen, mode, _x) + _operand(gen, mode, at_hit=False) + emulate(gen)
    return found + _lockless_first(gen) if mode == "ept" else found


def _entry(gen: Generation, mode: str) -> Tally:
    """A misconfiguration or a reserved-bit #PF: the fast bus from 3.16 under EPT, then the MMIO cache."""
    begun = exit_of(mode, misconfig=True) + tally(mmio_cache_check=1)
    return begun + fast_bus_miss() if mode == "ept" and gen.since("v315") else begun


def _look(gen: Generation) -> Tally:
    """The lockless walk to the MMIO spte, with its generation from 3.11 on."""
    checked = 1 if gen.since("v311") else 0
    return tally(rcu_read_section=1, shadow_pte_read=levels(), generation_check=checked)


def hit(gen: Generation, mode: str) -> Tally:
    """A valid MMIO spte: from the vCPU's cache (c = 1) or by a lockless walk; then emulation. No lock."""
    looked = _look(gen).times(1 - symbol("mmio_cached"))
    return _entry(gen, mode) + looked + _operand(gen, mode, at_hit=True) + emulate(gen)


def stale(gen: Generation, mode: str) -> Tally:
    """The entry's generation is old: the hit path fails and the slow path follows in the same exit."""
    refilled = _fill(gen, mode, sp.Integer(0)) + _operand(gen, mode, at_hit=False)
    return _entry(gen, mode) + _look(gen) + refilled + emulate(gen)


def uncached(gen: Generation, mode: str) -> Tally:
    """mmio_caching off: one search in vain (``kvm_handle_noslot_fault``), emulation, no entry, no lock."""
    found = exit_of(mode) + tally(misses=1, mmio_cache_check=1) + emulate(gen)
    if mode == "shadow":
        return found + data_walk() + updates()
    return found + _lockless_first(gen) if mode == "ept" else found


def fast_mmio(gen: Generation, mode: str) -> Tally:
    """A wildcard ioeventfd of length 0: signalled and skipped; a nested host decodes the instruction first."""
    compares = sorted_bus_hit(symbol("fast_bus_devices"), symbol("fast_bus_position"))
    served = tally(fast_bus_compare=compares, ioeventfd_signal=1, skip_instruction=1)
    found = exit_of(mode, misconfig=True) + served
    if not gen.since("v414"):
        return found
    return found + (tally(emulate_instruction=1) + fetch()).times(symbol("host_hypervisor"))
