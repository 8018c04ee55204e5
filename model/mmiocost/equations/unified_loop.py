"""Avi Kivity's unified lockless loop (mail of 2011-06-09): fetch, build and again, sync, walk, install."""

from __future__ import annotations

from typing import Any

import sympy as sp

from ..vocabulary import Generation
from .exits import dispatch, exit_of, fetch, levels
from .guest_walk import data_walk, updates
from .symbols import Positive, symbol
from .tally import Tally, tally

_x, _lost, _retries = (symbol(name) for name in ("missing_levels", "unlinked_levels", "retries"))
_mmio, _sync = symbol("is_mmio"), symbol("sync")


def _fetches() -> Tally:
    """One fetch that succeeds; before it one with the missing levels and one for each build undone."""
    failed = Positive(_x)
    return tally(
        rcu_read_section=1 + failed + _retries,
        shadow_pte_read=failed * (levels() - _x) + _retries * (levels() - _lost) + levels(),
        mmu_lock_acquire=failed + _retries,
        shadow_page_alloc=_x + _retries * _lost,
        spte_install=_x + _retries * _lost,
    )


def _install() -> Tally:
    """One slot search of the data gfn and the entry written, MMIO or RAM."""
    return tally(hits=1 - _mmio, misses=_mmio, mmio_spte_install=_mmio, spte_install=1 - _mmio)


def access(gen: Generation, mode: str) -> Tally:
    """An access through the loop. ``sync`` spares the walk under shadow paging and never under TDP."""
    emulated = (tally(emulate_instruction=1) + fetch() + dispatch(gen)).times(_mmio)
    if mode == "ept":
        exited = exit_of(mode).times(1 - _mmio) + exit_of(mode, misconfig=True).times(_mmio)
        return exited + _fetches() + _install() + emulated
    walked = (data_walk() + updates() + _install()).times(sp.Integer(1) - _sync)
    return exit_of(mode) + _fetches() + walked + emulated


def expected_retries() -> Any:
    """E ρ = exp(λ_u·φ·t_b) - 1, ρ being builds undone: a build is undone if an unlink falls into its window.

    Unlinks of the chain are Poisson, so ρ is geometric: P(ρ >= k) = (1 - exp(-λ_u·φ·t_b))^k. Counts are linear in
    ρ; in a mix this mean stands for ``retries``.
    """
    expected = symbol("unlink_rate") * symbol("unlink_hit_fraction") * symbol("build_window")
    return sp.exp(expected) - 1
