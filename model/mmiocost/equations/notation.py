"""The equations in the letters of the symbol table, for a reader: display only, never evaluated."""

from __future__ import annotations

from typing import Any

import sympy as sp

from ..vocabulary import MIX_SYMBOLS, SYMBOLS
from .symbols import Bisection, Equal, Positive, TreeHit

_LETTERS = {item.name: item.letter for item in SYMBOLS} | {item.name: item.letter for item in MIX_SYMBOLS}


def in_letters(expression: Any) -> Any:
    """The expression with letters for scenario symbols, and Iverson brackets written as such."""
    expression = sp.sympify(expression)
    letters = {item: sp.Symbol(_LETTERS.get(item.name, item.name)) for item in expression.free_symbols}
    renamed = expression.xreplace(letters)  # a plain exchange; subs compares each part with each symbol
    renamed = renamed.replace(Positive, lambda x: sp.Symbol(f"[{x} > 0]"))
    renamed = renamed.replace(Equal, lambda x, y: sp.Symbol(f"[{x} = {y}]"))
    return renamed.replace(Bisection, sp.Function("B")).replace(TreeHit, sp.Function("H"))


def equation(name: str, expression: Any) -> Any:
    """``name = expression`` in letters, not evaluated."""
    return sp.Eq(sp.Symbol(name), in_letters(expression), evaluate=False)
