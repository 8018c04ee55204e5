"""Memslot searches: entries examined by a linear scan, a bisection and the tree, each with its cache."""

from __future__ import annotations

from typing import Any

import sympy as sp

from ..vocabulary import Generation
from .symbols import Bisection, Positive, TreeHit, symbol

_n, _i, _g, _q = (symbol(name) for name in ("slots", "ram_slot", "mmio_gap", "slot_cache_warm"))


def miss_compares(gen: Generation) -> Any:
    """Entries examined by the first search that finds nothing (``gfn_to_memslot`` and its successors)."""
    if gen.search == "linear":
        return _n
    if gen.search == "binary":
        tail = Positive(_n - _g) if gen.binary_tail == "below_end" else sp.Integer(1)
        return 1 + Bisection(_n, _g) + tail
    return _q + Bisection(_n, _g)


def slot_compares(gen: Generation, hits: Any, misses: Any, misses_first: Any) -> Any:
    """Entries examined by all searches of a path.

    ``misses_first`` of the fruitless searches come before the first that finds the RAM slot: the tree tests
    its cached slot only once it has one. The RAM slot found becomes the cached one.
    """
    if gen.search == "linear":
        return hits * _i + misses * _n
    found = Positive(hits)
    if gen.search == "binary":
        cold = found * (1 + Bisection(_n, _i - 1) + hits)
        return misses * miss_compares(gen) + _q * hits + (1 - _q) * cold
    warm = misses * (Bisection(_n, _g) + 1) + hits
    cold = misses * Bisection(_n, _g) + found * (misses - misses_first + TreeHit(_n, _i - 1) + hits - 1)
    return _q * warm + (1 - _q) * cold
