"""The hazards of a lockless shadow walk, explored over every interleaving.

Small step machines (threads of atomic steps over shared variables, under sequential consistency; a store buffer only
in ``counter_no_barrier``) say what walker, updater and unlinker do; :func:`explore` visits all their states.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import InvalidInput, nearest_name
from . import freed_page, hierarchy, stale_generation, torn_read, unlinked_page
from .machine import Machine
from .recount import recount
from .search import search

__all__ = ["MACHINES", "Hazard", "explore", "machines", "recount"]

_HAZARDS = (torn_read, freed_page, unlinked_page, stale_generation, hierarchy)
MACHINES = tuple(hazard.NAME for hazard in _HAZARDS)  #: names that :func:`explore` knows


@dataclass(frozen=True)
class Hazard:
    """One machine explored: ``verdict`` is safe or violated, ``states`` counts all distinct states.

    ``schedule`` is a shortest way to a bad state, one "thread: step" an entry; it is empty where there is none.
    """

    machine: str
    variant: str
    verdict: str
    states: int
    schedule: tuple[str, ...]
    meaning: str


def explore(name: str | None = None) -> tuple[Hazard, ...]:
    """All variants of one machine, or of all of them. Raises InvalidInput for an unknown name."""
    return tuple(_hazard(machine) for machine in machines(name))


def machines(name: str | None = None) -> tuple[Machine, ...]:
    """The machines themselves, for a search of one's own. Raises InvalidInput for an unknown name."""
    if name is not None and name not in MACHINES:
        raise InvalidInput.one(
            "", "machine", name, f"must be one of {', '.join(MACHINES)}", nearest_name(name, MACHINES)
        )
    return tuple(machine for hazard in _HAZARDS if name in (None, hazard.NAME) for machine in hazard.machines())


def _hazard(machine: Machine) -> Hazard:
    found = search(machine)
    verdict = "safe" if found.schedule is None else "violated"
    return Hazard(machine.name, machine.variant, verdict, found.states, found.schedule or (), machine.meaning)
