"""Read sections and grace periods: ``inside`` holds the threads in a section, ``awaited`` those that are waited for.

A grace period waits for the readers that were inside when it began, as RCU and SRCU do, and as KVM does when it
sends an IPI to each vCPU in ``READING_SHADOW_PAGE_TABLES`` mode; readers that come later do not hold it up.
"""

from __future__ import annotations

from collections.abc import Hashable

from .machine import Step, Values

START: dict[str, Hashable] = {"inside": (), "awaited": ()}


def enter(who: str, says: str) -> Step:
    """The thread enters a read section."""
    return Step(says, lambda v: v.update(inside=tuple(sorted((*v["inside"], who)))))


def leave(who: str, says: str) -> Step:
    """The thread leaves its read section; whoever waited for it has one reader less to wait for."""

    def does(v: Values) -> None:
        for group in START:
            v[group] = tuple(name for name in v[group] if name != who)

    return Step(says, does)


def period(says: str) -> tuple[Step, Step]:
    """A grace period: note the readers inside, then wait until they have left."""

    def begin(v: Values) -> None:
        v["awaited"] = v["inside"]

    return (
        Step(f"{says}: note the readers inside", begin),
        Step(f"{says}: the readers noted have left", lambda v: None, when=lambda v: not v["awaited"]),
    )
