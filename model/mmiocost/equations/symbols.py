"""SymPy symbols of the scenario and of the event costs, and the functions that counts are made of."""

from __future__ import annotations

from functools import cache
from typing import Any

import sympy as sp

from ..vocabulary import COLD_COMPARE, EVENTS, MIX_SYMBOLS, SYMBOLS
from .integer import bisection_compares, tree_hit_compares


@cache
def symbol(name: str) -> sp.Symbol:
    """The one SymPy symbol of that scenario name: integer and nonnegative for counts, real for mixes."""
    if any(item.name == name for item in SYMBOLS):
        return sp.Symbol(name, integer=True, nonnegative=True)
    if any(item.name == name for item in MIX_SYMBOLS):
        return sp.Symbol(name, real=True, nonnegative=True)
    raise KeyError(name)


@cache
def cost_symbol(parameter: str) -> sp.Symbol:
    """θ of an event, in cycles, or of :data:`COLD_COMPARE`, what a compare costs more out of the cache."""
    if parameter != COLD_COMPARE and all(event.name != parameter for event in EVENTS):
        raise KeyError(parameter)
    return sp.Symbol(f"theta_{parameter}", positive=True)


class Bisection(sp.Function):  # type: ignore[misc]
    """B(n, g): range tests of a bisection of n entries with g of them above the gfn that is sought."""

    nargs = 2
    is_integer = True
    is_nonnegative = True

    @classmethod
    def eval(cls, n: Any, g: Any) -> Any:
        """Evaluate exactly where both arguments are integers."""
        if n.is_Integer and g.is_Integer:
            return sp.Integer(bisection_compares(int(n), int(g)))
        return None


class TreeHit(sp.Function):  # type: ignore[misc]
    """H(n, t): nodes visited until entry t (from 0) of the median tree over n entries is found."""

    nargs = 2
    is_integer = True
    is_nonnegative = True

    @classmethod
    def eval(cls, n: Any, t: Any) -> Any:
        """Evaluate exactly where both arguments are integers."""
        if n.is_Integer and t.is_Integer:
            return sp.Integer(tree_hit_compares(int(n), int(t)))
        return None


class Positive(sp.Function):  # type: ignore[misc]
    """Iverson bracket [x > 0] of a whole number: 1 or 0.

    Opaque on purpose: a Piecewise is rewritten into nested cases wherever two of them meet.
    """

    nargs = 1
    is_integer = True
    is_nonnegative = True

    @classmethod
    def eval(cls, x: Any) -> Any:
        """Evaluate where the sign is known."""
        if x.is_positive:
            return sp.Integer(1)
        return sp.Integer(0) if x.is_nonpositive else None


class Equal(sp.Function):  # type: ignore[misc]
    """Iverson bracket [x = y]: 1 or 0."""

    nargs = 2
    is_integer = True
    is_nonnegative = True

    @classmethod
    def eval(cls, x: Any, y: Any) -> Any:
        """Evaluate where both are numbers."""
        return sp.Integer(int(x == y)) if x.is_number and y.is_number else None


def walked(shadow_levels: Any) -> Any:
    """s(ℓ): levels that a walk reads; the PAE root entry is a register-like array (shadow_walk_init)."""
    return shadow_levels - Equal(shadow_levels, 3)
