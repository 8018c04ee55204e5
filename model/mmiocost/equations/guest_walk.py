"""Walks of the guest's page tables (``walk_addr_generic``) and what they read."""

from __future__ import annotations

from typing import Any

from .symbols import Equal, symbol
from .tally import Tally, tally


def reads(guest_levels: Any, last_level: Any) -> Any:
    """r(L, e): entries read from the top down to level e; 0 with paging off, where e is 1.

    PAE reads two, since its root entries come from a register cache (``kvm_pdptr_read_mmu``).
    """
    return guest_levels - Equal(guest_levels, 3) - last_level + 1


def data_reads() -> Any:
    """r of the data address."""
    return reads(symbol("guest_levels"), symbol("leaf_level"))


def walk(entries: Any) -> Tally:
    """A walk that reads so many entries: each is one search that finds the RAM slot."""
    return tally(hits=entries, guest_pte_read=entries)


def data_walk() -> Tally:
    """A walk of the data address."""
    return walk(data_reads())


def updates() -> Tally:
    """Accessed and dirty bits set by the first walk of the data address, each marking a page dirty."""
    return tally(hits=symbol("ad_updates"), guest_pte_update=symbol("ad_updates"))


def nested_walk() -> Tally:
    """W(L, e, L₁₂): each read and the result are translated by L1's tables first (``translate_gpa``)."""
    own = data_reads()
    outer = reads(symbol("nested_levels"), 1)
    return walk(own + (own + 1) * outer) + updates()
