"""A 64-bit spte read in two halves on i386 while it is replaced (``__get_spte_lockless``, 3.6).

The old entry A and the new entry B are present and have both halves set. In the case ``same`` their low halves are
equal. Bad: a walker returns a pair with a low half that is neither A nor B.
"""

from __future__ import annotations

from collections.abc import Hashable

from .machine import Machine, Step, Thread, Values

NAME = "torn_read"
Pair = tuple[str, str]
DIFFERENT: tuple[Pair, Pair] = ("A.lo", "A.hi"), ("B.lo", "B.hi")
SAME: tuple[Pair, Pair] = ("AB.lo", "A.hi"), ("AB.lo", "B.hi")
NOTHING = ""  # a register that holds no value
_MEANING = {
    "native": "x86-64: the entry is read, cleared and set by single 8-byte accesses",
    "plain": "read lo, read hi",
    "lowcheck": "read lo, hi, lo again; restart if lo changed (fast GUP)",
    "count": "read count, lo, hi, lo, count; restart if lo or count changed (__get_spte_lockless, 3.6)",
}


def machines() -> tuple[Machine, ...]:
    """Each way to read, with different and with equal low halves."""
    return tuple(
        _machine(way, entries, suffix) for way in _MEANING for entries, suffix in ((DIFFERENT, ""), (SAME, "_same"))
    )


def _machine(way: str, entries: tuple[Pair, Pair], suffix: str) -> Machine:
    old, new = entries
    return Machine(
        NAME,
        f"{way}{suffix}",
        f"{_MEANING[way]}; A.lo {'=' if suffix else '!='} B.lo",
        {"lo": old[0], "hi": old[1], "count": 0, **registers("walker")},
        (
            Thread("walker", read_entry("walker", way)),
            Thread("updater", set_at_once(new) if way == "native" else set_by_halves(new)),
        ),
        lambda v: torn(v["walker.entry"], entries),
    )


def registers(who: str) -> dict[str, Hashable]:
    """A walker's registers before it reads: the halves, the count, the entry that it returns."""
    return {f"{who}.{name}": NOTHING for name in ("lo", "hi", "count", "entry")}


def torn(entry: Pair | str, entries: tuple[Pair, Pair]) -> bool:
    """Whether a returned pair is present but was never written as a whole."""
    return entry != NOTHING and entry[0] != "0" and entry not in entries


def set_by_halves(new: Pair) -> tuple[Step, ...]:
    """``__update_clear_spte_slow``, ``count_spte_clear``, ``__set_spte`` (3.6), in the order of ``smp_wmb``."""
    return (*clear_by_halves(), *write_by_halves(new))


def clear_by_halves() -> tuple[Step, ...]:
    """An entry that is cleared: the low half, with the present bit, first; then its clears are counted."""
    return (
        Step("writes lo", lambda v: v.update(lo="0"), shows="lo"),
        Step("writes hi", lambda v: v.update(hi="0"), shows="hi"),
        Step("adds 1 to count", lambda v: v.update(count=v["count"] + 1), shows="count"),
    )


def write_by_halves(new: Pair) -> tuple[Step, ...]:
    """An entry that is set: the low half, with the present bit, last."""
    return (
        Step("writes hi", lambda v: v.update(hi=new[1]), shows="hi"),
        Step("writes lo", lambda v: v.update(lo=new[0]), shows="lo"),
    )


def set_at_once(new: Pair) -> tuple[Step, ...]:
    """The same with 8-byte stores: cleared, then set."""
    return (
        Step("clears the entry", lambda v: v.update(lo="0", hi="0")),
        Step("sets the entry to B", lambda v: v.update(lo=new[0], hi=new[1])),
    )


def read_entry(who: str, way: str, first: int = 0) -> tuple[Step, ...]:
    """A walker's reads of one entry; ``first`` is the number of the step at which a restart begins again."""
    if way == "native":
        return (Step("reads the entry", lambda v: _return(v, who, v["lo"], v["hi"]), shows=f"{who}.entry"),)
    if way == "plain":
        return (
            _load(who, "lo"),
            Step("reads hi and returns", lambda v: _return(v, who, v[f"{who}.lo"], v["hi"]), shows=f"{who}.entry"),
        )
    halves = (_load(who, "lo"), _load(who, "hi"))
    if way == "lowcheck":
        return (*halves, _check(who, "lo", first, last=True))
    return (_load(who, "count"), *halves, _check(who, "lo", first), _check(who, "count", first, last=True))


def _load(who: str, name: str) -> Step:
    register = f"{who}.{name}"
    return Step(f"reads {name}", lambda v: v.update({register: v[name]}), shows=register)


def _check(who: str, name: str, first: int, last: bool = False) -> Step:
    def does(v: Values) -> int | None:
        if v[name] != v[f"{who}.{name}"]:
            v.update(registers(who))
            return first
        if last:
            _return(v, who, v[f"{who}.lo"], v[f"{who}.hi"])
        return None

    says = f"reads {name} again, restarts if it changed"
    return Step(f"{says}, else returns" if last else says, does, shows=f"{who}.entry" if last else None)


def _return(v: Values, who: str, low: str, high: str) -> None:
    v.update(registers(who))
    v[f"{who}.entry"] = (low, high)
