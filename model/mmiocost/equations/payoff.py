"""What a change saves and where it breaks even: differences of path costs, linear in the event costs.

Everything here is derived from the paths' own counts, so that an answer can't part from them. The old path is
given the new one's slot search and bus: what those save is not part of fast MMIO.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sympy as sp

from ..vocabulary import GENERATIONS, PATHS, generation
from . import mmio
from .guest_fault import ENTRIES
from .guest_walk import data_reads, walk
from .paths import settle, terms, with_cold_search
from .symbols import symbol
from .tally import tally

Terms = dict[str, Any]

GAIN_HIT, LOSS_FIRST = sp.symbols("D_hit D_first", real=True)


def _difference(left: Terms, right: Terms) -> Terms:
    names = dict.fromkeys([*left, *right])
    found = {name: _shorter(left.get(name, sp.S.Zero) - right.get(name, sp.S.Zero)) for name in names}
    return {name: value for name, value in found.items() if value != 0}


def _shorter(expression: Any) -> Any:
    return min(sp.expand(expression), expression, key=sp.count_ops)


def _scaled(counts: Terms, factor: Any) -> Terms:
    return {name: factor * value for name, value in counts.items()}


def _sum(*parts: Terms) -> Terms:
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: sp.Add(*(part[name] for part in parts if name in part)) for name in names}


def _set(counts: Terms, **values: Any) -> Terms:
    fixed = {symbol(name): value for name, value in values.items()}
    return {name: sp.sympify(count).subs(fixed) for name, count in counts.items()}


def after_modes(after: str) -> tuple[str, ...]:
    """Paging modes in which that generation has paths with MMIO sptes."""
    return tuple(path.mode for path in PATHS if path.generation == after and path.way == "mmio_hit" and path.mode)


def designs() -> tuple[tuple[str, str], ...]:
    """All (mode, generation) pairs that fast MMIO can be asked about."""
    return tuple((mode, item.id) for item in GENERATIONS for mode in after_modes(item.id))


@cache
def before_terms(mode: str, after: str) -> Terms:
    """The access of 3.0 with the slot search and the bus of ``after``."""
    gen = generation(after)
    found = mmio.before(gen, mode)
    return with_cold_search(settle(found, gen, mode), found, gen)


def refill_path(mode: str, after: str) -> str:
    """The path of an access whose entry is not there or no longer valid."""
    way = "mmio_stale" if generation(after).since("v311") else "mmio_first"
    return f"{after}.{mode}.{way}"


@cache
def gain_of_hit(mode: str, after: str) -> Terms:
    """D_hit = cost(before) - cost(hit): what an access saves that finds a valid MMIO spte."""
    return _difference(before_terms(mode, after), terms(f"{after}.{mode}.mmio_hit"))


@cache
def loss_of_refill(mode: str, after: str) -> Terms:
    """D_first = cost(first touch or stale entry) - cost(before): what a refill costs more; may be negative."""
    return _difference(terms(refill_path(mode, after)), before_terms(mode, after))


@cache
def saving(mode: str, after: str) -> Terms:
    """Saving per access: h·D_hit - (1 - h)·D_first."""
    share = symbol("hit_fraction")
    return _sum(_scaled(gain_of_hit(mode, after), share), _scaled(loss_of_refill(mode, after), share - 1))


def hit_fraction(after: str) -> Any:
    """h = r_m/(r_m + k·λ), λ the updates that spoil entries: all from 3.11, before those that zap."""
    rate, pages = symbol("mmio_rate"), symbol("mmio_pages")
    spoiling = symbol("generation_rate" if generation(after).since("v311") else "zapping_rate")
    return rate / (rate + pages * spoiling)


def break_even_hit_fraction() -> Any:
    """h* = D_first/(D_hit + D_first); it exists only where both differences have the same sign."""
    return LOSS_FIRST / (GAIN_HIT + LOSS_FIRST)


def break_even_update_rate() -> Any:
    """λ* = (r_m/k)·D_hit/D_first: updates a second above which refills eat up the saving."""
    return symbol("mmio_rate") / symbol("mmio_pages") * GAIN_HIT / LOSS_FIRST


def speedup() -> Any:
    """Transactions a second after the change over before, from the saving per access."""
    cycles, accesses = symbol("cycles_per_transaction"), symbol("accesses_per_transaction")
    return cycles / (cycles - accesses * sp.Symbol("saving", real=True))


# --- bypass_guest_pf ---------------------------------------------------------------------------------------


def fault_saved() -> Terms:
    """What one bypassed guest fault saves: exit, walk, injection."""
    return _difference(terms("v30.shadow.guest_fault"), terms("v30.shadow.guest_fault_bypassed"))


def fill_paid() -> Terms:
    """What bypass_guest_pf=1 adds to the creation of one indirect shadow page."""
    page = _set(terms("v30.shadow.ram_fill"), missing_levels=1)
    return _difference(_set(page, bypass=1), _set(page, bypass=0))


def unsync_paid() -> Terms:
    """What it adds when a page becomes unsync: every entry rewritten (``mmu_convert_notrap``)."""
    return {"prefetch_pte_scan": sp.Integer(ENTRIES)}


def check_paid() -> Terms:
    """What an exiting fault pays to be told apart from MMIO once every trapping entry has RSVD set."""
    plain = _set(terms("v30.shadow.ram_fill"), missing_levels=0)
    return _difference(_set(terms("proto.shadow.ram_fill_checked"), missing_levels=0), plain)


@cache
def regression() -> Terms:
    """Cycles a second that bypass_guest_pf=1 costs more than 0 (positive: it loses).

    r_s fills and r_x unsync conversions are paid for; MMIO sptes beside it make every other fault pay a check,
    and without them their saving is lost; r_f·p·ν bypassed faults are saved.
    """
    rate, true, marked = (symbol(name) for name in ("fault_rate", "true_fault_fraction", "notrap_fraction"))
    on = symbol("mmio_faults_on")
    return _sum(
        _scaled(fill_paid(), symbol("fill_rate")),
        _scaled(unsync_paid(), symbol("unsync_rate")),
        _scaled(check_paid(), on * rate * (1 - true * marked)),
        _scaled(saving("shadow", "v31"), (1 - on) * symbol("mmio_rate")),
        _scaled(fault_saved(), -rate * true * marked),
    )


def unified_trusting() -> Terms:
    """The unified loop under TDP where an MMIO entry once found is trusted, the mail's other reading.

    Counts are those of an entry in step under shadow paging, with the exit of EPT. The literal reading, in which
    ``sync`` is never true for TDP, is the path ``unified.ept.access``.
    """
    in_step = _set(terms("unified.shadow.access"), sync=1, is_mmio=1)
    return {"vm_exit_ept_misconfig" if name == "vm_exit_page_fault" else name: count for name, count in in_step.items()}


def unified_checks() -> Terms:
    """What real code must add to a RAM fault of the loop: its table's gfn is known only after a walk.

    Reads and rechecks of the walk and the searches that write-protect an indirect page; the mail does not say how.
    """
    reads = data_reads()
    indirect = generation("unified").indirect_page_searches * symbol("missing_levels")
    found = walk(reads) + tally(gpte_recheck=reads, hits=reads + indirect)
    return settle(found, generation("unified"), "shadow")


def linear_root(weighted: Any, variable: Any) -> Any:
    """Where an expression that is linear in a variable is 0. Raises ValueError if it is not linear."""
    slope = sp.diff(weighted, variable)
    if slope.has(variable) or slope == 0:
        raise ValueError(f"not linear in {variable}")
    return sp.simplify(-weighted.subs(variable, 0) / slope)
