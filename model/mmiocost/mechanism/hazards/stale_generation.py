"""An MMIO entry that is cached while a slot update makes its gfn RAM.

A vCPU looks the gfn up in the slots that it has, and installs an MMIO entry with a generation number if there was
none. Bad, once both have finished: the gfn is RAM and the entry's generation is the current one, so that it would
be believed for ever.
"""

from __future__ import annotations

from . import grace
from .machine import DONE, Machine, Step, Thread, Values, assign

NAME = "stale_generation"
IN_PROGRESS = "in progress"
_MEANING = {
    "one_step": "slots and new generation published together; the vCPU reads the generation after its look-up (3.11)",
    "gen_first": "the same, but the vCPU reads the generation before its look-up",
    "two_step": "the generation is marked in progress until SRCU readers have left (4.14); nothing is cached then",
}


def machines() -> tuple[Machine, ...]:
    """Each order of publishing and reading."""
    return tuple(
        Machine(
            NAME,
            order,
            meaning,
            {
                "slots": "MMIO", "gen": "old", "entry": "none",
                "vcpu.found": "", "vcpu.gen": "", **grace.START,
            },
            (Thread("vcpu", _fault(order)), Thread("updater", _update(order))),
            _believed_for_ever,
        )
        for order, meaning in _MEANING.items()
    )  # fmt: skip


def _believed_for_ever(v: Values) -> bool:
    return bool(v["vcpu"] == v["updater"] == DONE and v["slots"] == "RAM" and v["entry"] == v["gen"])


def _fault(order: str) -> tuple[Step, ...]:
    look_up = Step("looks the gfn up", lambda v: v.update({"vcpu.found": v["slots"]}), shows="vcpu.found")
    read_gen = Step("reads the generation", lambda v: v.update({"vcpu.gen": v["gen"]}), shows="vcpu.gen")
    looked = (read_gen, look_up) if order == "gen_first" else (look_up, read_gen)
    return (
        grace.enter("vcpu", "srcu_read_lock"),
        *looked,
        Step("installs an MMIO entry if there was no slot", _install, shows="entry"),
        grace.leave("vcpu", "srcu_read_unlock"),
    )


def _install(v: Values) -> None:
    if v["vcpu.found"] == "MMIO" and v["vcpu.gen"] != IN_PROGRESS:
        v["entry"] = v["vcpu.gen"]


def _update(order: str) -> tuple[Step, ...]:
    wait = grace.period("synchronize_srcu")
    if order == "two_step":
        publish = assign("publishes the slots, generation in progress", slots="RAM", gen=IN_PROGRESS)
        return publish, *wait, assign("publishes the new generation", gen="new")
    return assign("publishes the slots and the new generation", slots="RAM", gen="new"), *wait
