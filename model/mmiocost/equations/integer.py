"""The two integer functions that have no closed form: searches of an array and of a tree by halving.

One definition for Python integers, NumPy integer arrays and numba, which compiles all but :func:`some`; SymPy
evaluates them through ``symbols.Bisection`` and ``symbols.TreeHit``, and generated code calls them directly. For a
mean gap the average is taken over their values, not before (model/mechanism.md).
"""

from __future__ import annotations

from typing import Any


def some(condition: Any) -> bool:
    """Whether a condition holds, for an array in some place of it."""
    return bool(condition.any()) if hasattr(condition, "any") else bool(condition)


def bisection_compares(n: Any, g: Any) -> Any:
    """B(n, g), with g of n entries above the gfn: B(0, g) = 0, else one test and half of the array.

    ``search_memslots`` of 4.14; also the depth T(n, a) of a fruitless descent in the median tree of 5.17, with
    a entries at or below the gfn. Written in the places that the gfn may have, one more than there are entries:
    a test of entry n // 2 leaves the first ⌈places / 2⌉ or the others.
    """
    places = n + 1
    count = 0 * (n + g)
    while some(places > 1):
        count = count + (places > 1)
        others = places // 2
        first = places - others
        beyond = g >= first
        g = g - beyond * first
        places = first - beyond * (first - others)
    return count


def tree_hit_compares(n: Any, t: Any) -> Any:
    """H(n, t), 0 <= t < n: nodes visited until entry t is met; the root of m entries is entry m // 2."""
    count = 0 * (n + t)
    while some(n > 0):
        count = count + (n > 0)
        middle = n // 2
        beyond = t > middle
        left = middle - beyond * (2 * middle + 1 - n)  # entries above the root are one fewer where n is even
        n = left * (t != middle) * (n > 0)
        t = t - beyond * (middle + 1)
    return count
