"""Every interleaving of a machine, breadth first: the first bad state that is met lies at the end of a shortest way.

States are tuples of all values, kept in a dictionary with the step that first led to them. Bad states are explored
further like any other, so that the number of states does not depend on where the first one is met.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .machine import DONE, Machine, Thread, Values

State = tuple[Any, ...]
Origin = tuple[State, Thread] | None


@dataclass(frozen=True)
class Found:
    """What a search found: the number of distinct states, and the shortest way to a bad one as thread: step."""

    states: int
    schedule: tuple[str, ...] | None


def search(machine: Machine) -> Found:
    """Visit every state that can be reached."""
    names = tuple(machine.first_values())
    start = tuple(machine.first_values().values())
    origins: dict[State, Origin] = {start: None}
    queue, first_bad = [start], None
    for state in queue:  # grows while it is read
        values = dict(zip(names, state, strict=True))
        if first_bad is None and machine.bad(values):
            first_bad = state
        for thread, after in _moves(machine.threads, values):
            if after not in origins:
                origins[after] = (state, thread)
                queue.append(after)
    return Found(len(origins), None if first_bad is None else _schedule(names, origins, first_bad))


def _moves(threads: tuple[Thread, ...], values: Values) -> Iterator[tuple[Thread, State]]:
    """The states after one more step of any thread."""
    for thread in threads:
        number = values[thread.name]
        if number == DONE:
            continue
        step = thread.steps[number]
        if step.when is None or step.when(values):
            after = values.copy()
            target = step.does(after)
            following = number + 1 if number + 1 < len(thread.steps) else DONE
            after[thread.name] = following if target is None else target
            yield thread, tuple(after.values())


def _schedule(names: tuple[str, ...], origins: dict[State, Origin], state: State) -> tuple[str, ...]:
    """The steps from the start to a state, in words."""
    lines = []
    while (origin := origins[state]) is not None:
        before, thread = origin
        lines.append(_line(thread, dict(zip(names, before, strict=True)), dict(zip(names, state, strict=True))))
        state = before
    return tuple(reversed(lines))


def _line(thread: Thread, before: Values, after: Values) -> str:
    step = thread.steps[before[thread.name]]
    shown = "" if step.shows is None else _text(after[step.shows])
    return f"{thread.name}: {step.says}{shown and f' ({shown})'}"


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
