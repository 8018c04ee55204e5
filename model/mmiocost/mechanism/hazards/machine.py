"""What a step machine is: threads of atomic steps over shared variables and the threads' own registers.

All values of a machine stand in one dictionary: shared variables, registers (named ``thread.register``) and, under
each thread's name, the number of its next step. Values are hashable. Nothing is explored here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

Values = dict[str, Any]

DONE = -1  #: number of the next step of a thread that has finished


@dataclass(frozen=True)
class Step:
    """One atomic step. ``does`` changes the values; the number that it gives, if any, is the next step.

    ``when`` says whether the step can happen now (a wait); ``shows`` is the variable whose value after the step
    belongs into a schedule.
    """

    says: str
    does: Callable[[Values], int | None]
    when: Callable[[Values], bool] | None = None
    shows: str | None = None


@dataclass(frozen=True)
class Thread:
    """A thread: its steps in program order."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Machine:
    """A hazard as a machine: where it starts, what its threads do, which state must not be reached.

    ``name`` is the hazard, ``variant`` the protection, ``meaning`` says in words what the variant does.
    """

    name: str
    variant: str
    meaning: str
    start: Mapping[str, Hashable]
    threads: tuple[Thread, ...]
    bad: Callable[[Values], bool]

    def first_values(self) -> Values:
        """Values before any step."""
        return {**{thread.name: 0 for thread in self.threads}, **self.start}


def assign(says: str, **values: Hashable) -> Step:
    """A step that writes constants to shared variables."""
    return Step(says, lambda v: v.update(values))
