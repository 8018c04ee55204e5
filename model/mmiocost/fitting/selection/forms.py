"""Candidate forms of a slot search, written in SymPy and lowered with their derivatives.

A form gives the cycles of one look-up by how it searches: ``linear`` or ``binary`` among slots at random, and
``cached``, answered by the last-used slot. Its parameters are positive and have weak log-normal priors, so that a
left-out row is predicted even where no other row holds its parameter. Symbols of a row: ``slots``, ``entries`` (that
a linear scan examines beyond the first test until it finds), ``small`` (1 for few slots, else 0), ``k`` (FREE).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ..design import Array

ROW_SYMBOLS = ("slots", "entries", "small", "k")
SMALL = 20  # slots; between the published counts of 13 and 117


class Parameter(NamedTuple):
    """A positive parameter with its prior: median, standard deviation of the logarithm, unit, meaning."""

    name: str
    median: float
    log_sd: float
    unit: str
    meaning: str


# fmt: off
PARAMETERS: tuple[Parameter, ...] = (
    Parameter("a", 25, 1.0, "cycle", "a look-up that the last-used slot answers"),
    Parameter("c", 5, 2.0, "cycle", "one entry of the array examined by a linear scan"),
    Parameter("b", 15, 2.0, "cycle", "one halving of the array"),
    Parameter("s", 0.5, 1.0, "1", "what is left of the search: share not answered early, or warm over cold"),
    Parameter("t", 0.5, 1.0, "1", "the same at the large slot count"),
    Parameter("alpha", 1, 0.5, "1", "power of the number of entries"),
)
# fmt: on
#: A form with slots that cost nothing bends where they are all there are, so they are summed over and not solved for.
FREE = Parameter("k", 3, 1.0, "1", "slots at the head of the array that cost nothing")
FREE_SLOTS = tuple(3 * 2 ** (step / 2) for step in range(-3, 7))


@dataclass(frozen=True)
class LookupForm:
    """A candidate: its cost in cycles for each way to search, and what it says."""

    name: str
    question: str
    says: str
    linear: Any
    binary: Any
    parameters: tuple[Parameter, ...]

    @property
    def counts_free_slots(self) -> bool:
        """Whether the form has slots that cost nothing: one more parameter, beside ``parameters``."""
        return FREE.name in {str(item) for item in (self.linear + self.binary).free_symbols}

    def by_search(self) -> Mapping[str, Any]:
        """Expression of each kind of search."""
        return {"linear": self.linear, "binary": self.binary, "cached": _symbol("a")}


SCAN, HITS = "cost of a scan", "hits of the last-used slot"


def _symbol(name: str) -> Any:
    import sympy as sp

    return sp.Symbol(name, positive=True)


@cache
def lookup_forms() -> tuple[LookupForm, ...]:
    """All candidate forms of the look-ups, in the order in which they are told; loads SymPy."""
    import sympy as sp

    a, c, b, s, t, alpha, n, e, small, k = (_symbol(name) for name in ("a", "c", "b", "s", "t", "alpha", *ROW_SYMBOLS))
    halvings = sp.log(n, 2)
    at_small = 1 + small * (s - 1)
    by_count = small * s + (1 - small) * t
    uniform, halved = a + c * e, a + b * halvings
    return (
        _form("uniform hits, warm", SCAN, "every slot is as likely, every entry costs the same", uniform, halved),
        _form(
            "whole scan, warm", SCAN, "as if every look-up examined all entries",
            a + c * (2 * e - 1), a + b * (halvings + 1),
        ),
        _form(
            "two cache regimes", SCAN, "an entry costs less where the few slots stay in the cache",
            a + at_small * c * e, a + at_small * b * halvings,
        ),
        _form(
            "first slots free", SCAN, "the largest slots stand first and are cached; only what lies behind costs",
            a + c * sp.Max(0, 2 * e - k) / 2, a + b * sp.Max(0, sp.log(n / k, 2)),
        ),
        _form(
            "power of the count", SCAN, "entries cost more, or less, the more there are",
            a + c * e**alpha, a + b * halvings,
        ),
        _form(
            "last-used slot by chance", HITS, "of n slots the last one is asked again in one of n look-ups",
            a + (1 - 1 / n) * c * e, a + (1 - 1 / n) * b * halvings,
        ),
        _form(
            "last-used slot, one share", HITS, "the same share of look-ups asks the last slot again, whatever n",
            a + s * c * e, a + s * b * halvings,
        ),
        _form(
            "last-used slot, share at few slots", HITS, "with few slots a share of look-ups asks the last slot again",
            a + at_small * c * e, a + at_small * b * halvings,
        ),
        _form(
            "last-used slot, share by count", HITS, "a share of its own at either slot count",
            a + by_count * c * e, a + by_count * b * halvings,
        ),
    )  # fmt: skip


def _form(name: str, question: str, says: str, linear: Any, binary: Any) -> LookupForm:
    return LookupForm(name, question, says, linear, binary, _parameters(linear + binary))


def _parameters(expression: Any) -> tuple[Parameter, ...]:
    names = {str(item) for item in expression.free_symbols}
    return tuple(item for item in PARAMETERS if item.name in names)


class Lowered(NamedTuple):
    """A form as functions of arrays: ``log_cost`` and its derivatives by the log of each parameter."""

    log_cost: Callable[..., Array]
    derivatives: tuple[Callable[..., Array], ...]


@cache
def lowered(form: LookupForm, search: str) -> Lowered:
    """The log of a form's cost and its derivatives by log parameters; arguments are parameters, then ROW_SYMBOLS."""
    import sympy as sp

    names = [item.name for item in form.parameters]
    arguments = [_symbol(name) for name in (*names, *ROW_SYMBOLS)]
    log_cost = sp.log(form.by_search()[search])
    by_log = (_symbol(name) * sp.diff(log_cost, _symbol(name)) for name in names)
    made = (sp.lambdify(arguments, item, "numpy") for item in (log_cost, *by_log))
    first, *others = made
    return Lowered(first, tuple(others))


def model(form: LookupForm, searches: Sequence[str], symbols: Array) -> Callable[[Array], tuple[Array, Array]]:
    """A form against rows, as the solver takes it: logs of parameters over their prior medians to log cycles.

    ``searches``: (rows,) names; ``symbols``: (rows, ROW_SYMBOLS). The model gives values (rows,) and their Jacobian.
    """

    rows = {search: [row for row, name in enumerate(searches) if name == search] for search in dict.fromkeys(searches)}

    def values(unknowns: Array) -> tuple[Array, Array]:
        costs = costs_of(form, unknowns)
        value, jacobian = np.empty(len(searches)), np.empty((len(searches), len(unknowns)))
        for search, chosen in rows.items():
            function, arguments = lowered(form, search), (*costs, *symbols[chosen].T)
            value[chosen] = function.log_cost(*arguments)
            for place, derivative in enumerate(function.derivatives):
                jacobian[chosen, place] = derivative(*arguments)
        return value, jacobian

    return values


def costs_of(form: LookupForm, unknowns: Array) -> Array:
    """Parameters of a form that the unknowns stand for, (unknowns,)."""
    return np.array([item.median for item in form.parameters]) * np.exp(unknowns)


def prior_variance(form: LookupForm) -> Array:
    """Variance of the log of every parameter, (unknowns,)."""
    return np.array([item.log_sd**2 for item in form.parameters])


def evaluate(form: LookupForm, search: str, costs: Array, symbols: Array) -> Array:
    """Cycles of a look-up, (rows,), for given parameters, (unknowns,), and ``symbols`` (rows, ROW_SYMBOLS)."""
    log_cost = lowered(form, search).log_cost(*costs, *symbols.T)
    return np.asarray(np.exp(np.broadcast_to(log_cost, len(symbols))))
