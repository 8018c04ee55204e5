"""All hazards at once over three levels: two walkers, an updater and an unlinker.

The root (level 3) links page P2, P2 links P1, and P1 holds an entry of two halves. Updater and unlinker exclude each
other by ``mmu_lock``, walkers take no lock. The updater replaces the entry A by B, whose low halves are equal, by
half-writes; the unlinker clears the entry, unlinks P1, then P2, and gives both pages away. Bad: a walker reads a page
that was given away, or returns an entry that this hierarchy never held.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from . import grace, torn_read
from .freed_page import bracket, free_by_counter
from .machine import DONE, Machine, Step, Thread, Values, assign
from .torn_read import SAME

NAME = "hierarchy"
WALKERS = ("walker 1", "walker 2")
_OTHER = ("C.lo", "C.hi")  # what a page holds that was taken into another hierarchy
# variant: rule of freeing, way to read an entry, meaning
_VARIANTS = {
    "unprotected": ("none", "plain", "no bracket, halves read once"),
    "grace_only": ("grace", "plain", "pages are freed after a grace period, but halves are read once"),
    "count_only": ("none", "count", "halves are rechecked by count, but pages are freed at once"),
    "grace_and_count": ("grace", "count", "grace period and recheck by count (3.6)"),
    "counter_and_count": ("counter", "count", "reader counter with RCU callback (3.1) and recheck by count"),
    "reused_at_once": ("reuse", "count", "grace period before freeing, but P1 is used for another hierarchy before it"),
}


def machines() -> tuple[Machine, ...]:
    """Each combination of a rule for freeing with a way to read."""
    return tuple(_machine(variant, *how) for variant, how in _VARIANTS.items())


def _machine(variant: str, rule: str, way: str, meaning: str) -> Machine:
    start: dict[str, Hashable] = {
        "root": "P2", "P2": "P1", "lo": SAME[0][0], "hi": SAME[0][1], "count": 0,
        "mmu_lock": "free", "gone": (), "readers": 0, **grace.START,
    }  # fmt: skip
    for who in WALKERS:
        start |= {f"{who}.link": "", f"{who}.used": "", **torn_read.registers(who)}
    threads = [Thread(who, _walk(who, rule, way)) for who in WALKERS]
    return Machine(
        NAME,
        variant,
        meaning,
        start,
        (*threads, Thread("updater", _update()), Thread("unlinker", _unlink(rule))),
        lambda v: any(v[f"{who}.used"] or torn_read.torn(v[f"{who}.entry"], SAME) for who in WALKERS),
    )


def _walk(who: str, rule: str, way: str) -> tuple[Step, ...]:
    """Down from the root; a link that is not there ends the walk."""
    begin, end = bracket(who, "grace" if rule == "reuse" else rule)
    first = len(begin) + 2
    entry = torn_read.read_entry(who, way, first)
    at_end = first + len(entry) if end else DONE
    reads = (
        _follow(who, "root", at_end),
        _follow(who, "P2", at_end),
        *(Step(step.says, _in_page(who, "P1", step), step.when, step.shows) for step in entry),
    )
    return (*begin, *reads, *end)


def _follow(who: str, page: str, at_end: int) -> Step:
    register = f"{who}.link"

    def does(v: Values) -> int | None:
        v[register] = v[page]
        return at_end if v[page] == "none" else None

    step = Step(f"reads the link in {page}", does, shows=register)
    return Step(step.says, _in_page(who, page, step), shows=register)


def _in_page(who: str, page: str, step: Step) -> Callable[[Values], int | None]:
    """The same read, held against the pages given away; a walker that used one stops there."""

    def does(v: Values) -> int | None:
        if page in v["gone"]:
            v[f"{who}.used"] = page
            return DONE
        return step.does(v)

    return does


def _update() -> tuple[Step, ...]:
    writes = torn_read.set_by_halves(SAME[1])
    return _locked((_unless_unlinked(len(writes)), *writes))


def _unless_unlinked(writes: int) -> Step:
    def does(v: Values) -> int | None:
        return None if v["root"] == "P2" and v["P2"] == "P1" else 2 + writes

    return Step("walks to the entry, gives up if P1 is unlinked", does)


def _unlink(rule: str) -> tuple[Step, ...]:
    unlink = (
        *torn_read.clear_by_halves(),
        assign("clears the link in P2", P2="none"),
        assign("clears the link in the root", root="none"),
    )
    return _locked((*unlink, *_give_away(rule, 1 + len(unlink))))


def _give_away(rule: str, first: int) -> tuple[Step, ...]:
    free = (_free("P2"), _free("P1"))
    if rule == "grace":
        return *grace.period("kvm_flush_remote_tlbs"), *free
    if rule == "counter":
        return free_by_counter(first, free)
    if rule == "reuse":
        reuse = torn_read.write_by_halves(_OTHER)
        return *reuse, *grace.period("kvm_flush_remote_tlbs"), *free
    return free


def _free(page: str) -> Step:
    return Step(f"frees {page}", lambda v: v.update(gone=(*v["gone"], page)))


def _locked(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    take = Step("takes mmu_lock", lambda v: v.update(mmu_lock="held"), when=lambda v: v["mmu_lock"] == "free")
    return take, *steps, assign("drops mmu_lock", mmu_lock="free")
