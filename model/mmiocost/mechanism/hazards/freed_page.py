"""A shadow page freed while a lockless walker may still read it.

The parent's entry links page P. Bad: P's entry is read after P was freed.
"""

from __future__ import annotations

from . import grace
from .machine import DONE, Machine, Step, Thread, Values, assign

NAME = "freed_page"
_MEANING = {
    "none": "no bracket around the walk; the page is freed at once",
    "counter": "readers++ and a full barrier before the walk; with readers left, freed by an RCU callback (3.1)",
    "counter_no_barrier": "the same without the barrier: readers++ may wait in the store buffer",
    "grace": "freed once no vCPU that was inside a walk still is (READING_SHADOW_PAGE_TABLES, 3.6)",
    "free_before_unlink": "readers are looked for before the link is cleared",
}


def machines() -> tuple[Machine, ...]:
    """Each rule about when the page may be freed."""
    return tuple(_machine(rule) for rule in _MEANING)


def _machine(rule: str) -> Machine:
    threads = [Thread("walker", _walk("walker", rule)), Thread("unlinker", _unlink(rule))]
    if rule == "counter_no_barrier":
        threads.append(Thread("store buffer", store_buffer()))
    return Machine(
        NAME,
        rule,
        _MEANING[rule],
        {"link": "P", "P": "live", "readers": 0, "buffer": (), "walker.link": "", "walker.read": "", **grace.START},
        tuple(threads),
        lambda v: v["walker.read"] == "freed",
    )


def _walk(who: str, rule: str) -> tuple[Step, ...]:
    begin, end = bracket(who, rule)
    at_end = len(begin) + 2

    def read_link(v: Values) -> int | None:
        v[f"{who}.link"] = v["link"]
        if v["link"] == "P":
            return None
        return at_end if end else DONE

    reads = (
        Step("reads the link", read_link, shows=f"{who}.link"),
        Step("reads P's entry", lambda v: v.update({f"{who}.read": v["P"]}), shows="P"),
    )
    return (*begin, *reads, *end)


def bracket(who: str, rule: str) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """What a walker does before its first and after its last read."""
    if rule == "none":
        return (), ()
    if rule == "free_before_unlink":
        return (_count(1),), (_count(-1),)
    if rule == "grace":
        enter = grace.enter(who, "enters READING_SHADOW_PAGE_TABLES mode, full barrier")
        return (enter,), (grace.leave(who, "leaves READING_SHADOW_PAGE_TABLES mode"),)
    up, down = (_count(1), _count(-1)) if rule == "counter" else (_count_later(1), _count_later(-1))
    return (grace.enter(who, "rcu_read_lock"), up), (down, grace.leave(who, "rcu_read_unlock"))


def _count(change: int) -> Step:
    says = f"readers{'++' if change > 0 else '--'}, full barrier"
    return Step(says, lambda v: v.update(readers=v["readers"] + change), shows="readers")


def _count_later(change: int) -> Step:
    says = f"readers{'++' if change > 0 else '--'} goes into the store buffer"
    return Step(says, lambda v: v.update(buffer=(*v["buffer"], change)))


def store_buffer() -> tuple[Step, ...]:
    """The walker's store buffer, which writes its oldest entry to memory at any time."""

    def drain(v: Values) -> int:
        v["readers"] += v["buffer"][0]
        v["buffer"] = v["buffer"][1:]
        return 0

    return (Step("writes its oldest entry", drain, when=lambda v: bool(v["buffer"]), shows="readers"),)


def _unlink(rule: str) -> tuple[Step, ...]:
    unlink = assign("clears the link", link="none")
    free = assign("frees P", P="freed")
    if rule == "none":
        return unlink, free
    if rule == "grace":
        return unlink, *grace.period("kvm_flush_remote_tlbs"), free
    if rule == "free_before_unlink":
        return Step("waits for readers = 0", lambda v: None, when=lambda v: v["readers"] == 0), unlink, free
    return unlink, *free_by_counter(1, (free,))


def free_by_counter(first: int, free: tuple[Step, ...]) -> tuple[Step, ...]:
    """``kvm_mmu_commit_zap_page`` of 3.1: free at once if nobody reads, else by an RCU callback.

    ``first`` is the number of the first of these steps in its thread.
    """
    begin, wait = grace.period("call_rcu")
    at_free = first + 3

    def look(v: Values) -> int | None:
        return None if v["readers"] else at_free

    return Step("reads readers: 0 means free at once", look, shows="readers"), begin, wait, *free
