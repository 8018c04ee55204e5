"""The same spaces searched a second time, by another algorithm over another encoding, to hold the first against.

Depth first with backtracking: a single set of values is changed in place and restored on the way back. A state is
one integer, 8 bits a variable, made of the numbers that the variable's values got in the order of their occurrence.
Nothing of ``search`` is used.
"""

from __future__ import annotations

from typing import Any

from .machine import DONE, Machine, Step, Values

_BITS = 8


class _Packer:
    """Numbers the values of each variable and packs those of a state into one integer."""

    def __init__(self, names: list[str]) -> None:
        self.numbers: dict[str, dict[Any, int]] = {name: {} for name in names}

    def pack(self, values: Values) -> int:
        """The integer of a state; two states have the same one if and only if all values agree."""
        packed = 0
        for name, known in self.numbers.items():
            number = known.setdefault(values[name], len(known))
            if number >> _BITS:
                raise OverflowError(f"{name} has more than {1 << _BITS} values")
            packed = packed << _BITS | number
        return packed


def recount(machine: Machine) -> tuple[int, bool]:
    """Number of distinct states, and whether one of them is bad."""
    values = machine.first_values()
    pack = _Packer(list(values)).pack
    seen = {pack(values)}
    bad = machine.bad(values)
    undo: list[Values] = []  # what stood before each step of the schedule that is being tried
    tried = [0]  # how many threads have been tried after each prefix of it
    while tried:
        turn = tried[-1]
        if turn == len(machine.threads):
            tried.pop()
            if undo:
                values.update(undo.pop())
            continue
        tried[-1] += 1
        step = _ready(machine, turn, values)
        if step is None:
            continue
        before = dict(values)
        _take(machine, turn, step, values)
        packed = pack(values)
        if packed in seen:
            values.update(before)
            continue
        seen.add(packed)
        bad = bad or machine.bad(values)
        undo.append(before)
        tried.append(0)
    return len(seen), bad


def _ready(machine: Machine, turn: int, values: Values) -> Step | None:
    """The next step of a thread, if it has one that can happen now."""
    thread = machine.threads[turn]
    if values[thread.name] == DONE:
        return None
    step = thread.steps[values[thread.name]]
    return step if step.when is None or step.when(values) else None


def _take(machine: Machine, turn: int, step: Step, values: Values) -> None:
    thread = machine.threads[turn]
    target = step.does(values)
    if target is None:
        target = values[thread.name] + 1
        if target == len(thread.steps):
            target = DONE
    values[thread.name] = target
