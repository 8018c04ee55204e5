"""The two integer functions that have no closed form: searches of an array and of a tree by halving.

Plain arithmetic on Python integers and on NumPy integer arrays alike; SymPy evaluates them through
``symbols.Bisection`` and ``symbols.TreeHit``, and generated code calls them directly. For a mean gap the
average is taken over their values, not before (model/mechanism.md).
"""

from __future__ import annotations

from typing import Any


def _any(condition: Any) -> bool:
    return bool(condition.any()) if hasattr(condition, "any") else bool(condition)


def bisection_compares(n: Any, g: Any) -> Any:
    """B(n, g), with g of n entries above the gfn: B(0, g) = 0, else one test and half of the array.

    ``search_memslots`` of 4.14; also the depth T(n, a) of a fruitless descent in the median tree of 5.17, with
    a entries at or below the gfn.
    """
    count = 0 * (n + g)
    while _any(n > 0):
        middle, live = n // 2, 1 * (n > 0)
        left = 1 * (g <= middle)
        g = g - live * (1 - left) * (middle + 1)
        n = live * (left * middle + (1 - left) * (n - middle - 1))
        count = count + live
    return count


def tree_hit_compares(n: Any, t: Any) -> Any:
    """H(n, t), 0 <= t < n: nodes visited until entry t is met; the root of m entries is entry m // 2."""
    count = 0 * (n + t)
    while _any(n > 0):
        middle, live = n // 2, 1 * (n > 0)
        left, here = 1 * (t < middle), 1 * (t == middle)
        t = t - live * (1 - left) * (middle + 1)
        n = live * (1 - here) * (left * middle + (1 - left) * (n - middle - 1))
        count = count + live
    return count
