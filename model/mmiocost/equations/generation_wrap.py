"""The generation number of the MMIO sptes runs out and starts anew: how often, and what that costs.

From 3.11 on an MMIO spte holds 19 bits of the memslots' generation. When they wrap, entries of an earlier round could
pass for current ones, so all shadow pages are zapped (``kvm_mmu_invalidate_mmio_sptes``; model/mechanism.md).
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from ..vocabulary import generation
from .paths import terms
from .symbols import symbol

BITS = 19


def wraps_per_second(after: str) -> Any:
    """Wraps a second: an update bumps the generation once, one that zaps twice; later each address space counts.

    Raises ValueError for a generation whose entries hold no generation number.
    """
    gen = generation(after)
    if not gen.since("v311"):
        raise ValueError(f"entries of {after} hold no generation number")
    spaces = symbol("address_spaces") if gen.since("v315") else sp.Integer(1)
    return (symbol("generation_rate") + symbol("zapping_rate")) * spaces / sp.Integer(2) ** BITS


def wrap_terms(after: str) -> dict[str, Any]:
    """Events a second of the wraps: each tears down all shadow pages."""
    rate = wraps_per_second(after)
    return {name: rate * count for name, count in terms("v311.any.slot_update_wrap").items()}
