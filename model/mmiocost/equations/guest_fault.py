"""Shadow paging: guest faults, RAM fills, ``bypass_guest_pf``; and memslot updates that zap everything."""

from __future__ import annotations

from typing import Any

from ..vocabulary import Generation
from .exits import exit_of, levels
from .guest_walk import data_reads, data_walk, reads, updates, walk
from .symbols import Equal, symbol
from .tally import Tally, tally

ENTRIES = 512
_x = symbol("missing_levels")


def chunks() -> Any:
    """256-byte copies that a table of 512 guest entries takes: 16 of 64-bit entries, 8 of 32-bit ones."""
    return 8 * (1 + Equal(symbol("guest_pte_bits"), 64))


def guest_fault(gen: Generation, mode: str) -> Tally:
    """A fault that belongs to the guest: exit, a walk down to the entry that refuses, injection. No lock."""
    refused = walk(reads(symbol("guest_levels"), symbol("fault_level")))
    return exit_of(mode) + refused + tally(guest_fault_inject=1)


def guest_fault_bypassed(gen: Generation, mode: str) -> Tally:
    """``bypass_guest_pf=1`` and a notrap entry: the CPU delivers the fault, KVM sees nothing."""
    return tally(guest_fault_native=1)


def ram_fill(gen: Generation, mode: str) -> Tally:
    """A RAM fault that fills: walk, pfn, rechecks under the lock, new pages, the entry and its rmap.

    With ``bypass`` each new page is filled by reading a whole guest table (``prefetch_page``).
    """
    table_update = 0 if gen.since("v311") else 1  # page_header_update_slot
    marked = 2 + symbol("is_write") + table_update
    made = tally(
        hits=marked + gen.indirect_page_searches * _x,
        mmu_lock_acquire=1,
        shadow_pte_read=levels(),
        shadow_page_alloc=_x,
        spte_install=_x + 1,
    )
    checked = tally(hits=data_reads(), gpte_recheck=data_reads())
    return exit_of(mode) + data_walk() + updates() + checked + made + _prefetch(gen)


def _prefetch(gen: Generation) -> Tally:
    if gen.id not in ("v30", "proto"):
        return tally()
    copied = _x * chunks()
    return tally(hits=copied, prefetch_chunk_read=copied, prefetch_pte_scan=ENTRIES * _x).times(symbol("bypass"))


def ram_fill_checked(gen: Generation, mode: str) -> Tally:
    """The same fault first shown not to be MMIO, since with ``bypass`` every trapping entry has RSVD set."""
    check = tally(mmio_cache_check=1, rcu_read_section=1, shadow_pte_read=levels() - _x)
    return ram_fill(gen, mode) + check


def zap_everything(gen: Generation, mode: str) -> Tally:
    """All shadow pages torn down: a slot deleted or moved, a generation wrapped, ``bypass`` switched."""
    return tally(zap_all=1, mmu_lock_acquire=1, shadow_page_zap=symbol("shadow_pages"), tlb_flush=1)
