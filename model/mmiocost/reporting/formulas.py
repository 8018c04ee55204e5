"""The named equations of the model in the letters of the symbol table, as pages show them.

In: nothing. Out: groups of named formulas, each with what it says and where its form was read. SymPy is loaded when
they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .mathml import from_sympy


@dataclass(frozen=True)
class Named:
    """One equation: ``name`` is unique among all, ``markup`` is presentation MathML, ``plain`` the same as text."""

    name: str
    says: str
    markup: str
    plain: str


@dataclass(frozen=True)
class Group:
    """Equations that belong together, and where the reasons for them stand."""

    title: str
    source: str
    equations: tuple[Named, ...]


def groups() -> tuple[Group, ...]:
    """All named equations but the costs of the single paths, in reading order."""
    return (
        Group("Slot search", "model/mechanism.md", tuple(_searches())),
        Group("Fast MMIO", "model/mechanism.md", tuple(_fast_mmio())),
        Group("bypass_guest_pf", "model/mechanism.md", tuple(_bypass())),
        Group("Unified loop and wrap of the generation", "model/mechanism.md", tuple(_unified())),
    )


def path_costs() -> Iterator[Named]:
    """The cost of every path in cycles: its counts times the costs of its events."""
    from ..equations.paths import cost, terms
    from ..vocabulary import PATHS

    for path in PATHS:
        yield _named(path.name, path.summary, "C", cost(terms(path.name)))


def _named(name: str, says: str, left: str, expression: Any) -> Named:
    from ..equations.notation import equation

    found = equation(left, expression)
    return Named(name, says, from_sympy(found), str(found))


def _searches() -> Iterator[Named]:
    from ..equations.guest_walk import nested_walk
    from ..equations.slot_walk import miss_compares
    from ..vocabulary import GENERATIONS

    said = {"linear": "all of them", "binary": "a bisection by base gfn", "tree": "the tree by gfn"}
    seen: set[str] = set()
    for item in GENERATIONS:
        kind = f"{item.search}-{item.binary_tail}" if item.search == "binary" else item.search
        if kind in seen:
            continue
        seen.add(kind)
        says = f"memslot entries examined by a search that finds nothing: {said[item.search]} (from {item.id})"
        yield _named(f"compares-{kind}", says, f"compares_{item.search}", miss_compares(item))
    reads = nested_walk().events["guest_pte_read"]
    yield _named("walk", "page-table entries read by one walk of the guest's tables, nested or not", "W", reads)


def _fast_mmio() -> Iterator[Named]:
    from ..equations import payoff
    from ..equations.paths import cost
    from ..equations.symbols import symbol

    share = symbol("hit_fraction")
    gain, loss = payoff.GAIN_HIT, payoff.LOSS_FIRST
    yield _named(
        "gain-of-hit", "saved by an access that finds a valid MMIO spte (3.1, EPT)", "D_hit",
        cost(payoff.gain_of_hit("ept", "v31")),
    )  # fmt: skip
    yield _named(
        "loss-of-refill", "what the first access to a page costs more (3.1, EPT)", "D_first",
        cost(payoff.loss_of_refill("ept", "v31")),
    )  # fmt: skip
    yield _named("saving", "saving per access of a mix", "saving", share * gain - (1 - share) * loss)
    spoilt = "share of accesses that find a valid MMIO spte, where "
    yield _named("hit-fraction-zap", f"{spoilt}zapping updates spoil it (up to 3.10)", "h", payoff.hit_fraction("v31"))
    yield _named(
        "hit-fraction", f"{spoilt}every memslot update spoils it (from 3.11)", "h", payoff.hit_fraction("v311")
    )
    yield _named("hit-fraction-even", "hit fraction at break-even", "h_*", payoff.break_even_hit_fraction())
    yield _named("update-rate-even", "memslot updates a second at break-even", "λ_*", payoff.break_even_update_rate())
    yield _named("speedup", "transactions a second after over before the change", "speedup", payoff.speedup())


def _bypass() -> Iterator[Named]:
    import sympy as sp

    from ..equations import payoff
    from ..equations.paths import cost
    from ..equations.symbols import symbol

    yield _named("fault-saved", "saved by one bypassed guest fault", "fault", cost(payoff.fault_saved()))
    yield _named("fill-paid", "paid for one indirect shadow page", "fill", cost(payoff.fill_paid()))
    yield _named("unsync-paid", "paid for one page that becomes unsync", "unsync", cost(payoff.unsync_paid()))
    yield _named("check-paid", "paid by a fault to be told apart from MMIO", "check", cost(payoff.check_paid()))
    fault, fill, unsync, check = sp.symbols("fault fill unsync check")
    rate, true, marked = (symbol(name) for name in ("fault_rate", "true_fault_fraction", "notrap_fraction"))
    loss = symbol("fill_rate") * fill + symbol("unsync_rate") * unsync
    loss += rate * (1 - true * marked) * check - rate * true * marked * fault
    yield _named("regression", "cycles a second that the switch loses beside MMIO sptes", "regression", loss)


def _unified() -> Iterator[Named]:
    from ..equations.generation_wrap import wraps_per_second
    from ..equations.paths import cost
    from ..equations.payoff import unified_checks
    from ..equations.unified_loop import expected_retries

    yield _named("retries", "builds undone before the re-fetch, in the mean", "E ρ", expected_retries())
    said = "what real code must add to a RAM fault of the loop: its table's gfn is known only after a walk"
    yield _named("unified-checks", said, "checks", cost(unified_checks()))
    yield _named("wraps", "wraps of the MMIO generation a second (from 3.16)", "wraps", wraps_per_second("v315"))
