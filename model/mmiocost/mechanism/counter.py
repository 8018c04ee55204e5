"""The log of one access: which kernel function made which primitive event, in the order in which it happened."""

from __future__ import annotations

from typing import NamedTuple

from ..vocabulary import event_names


class Step(NamedTuple):
    """Some occurrences of one event: the kernel function that makes them, and what it does there."""

    function: str
    event: str
    count: int  # type: ignore[assignment]  # hides a method of tuples that nobody needs here
    note: str


class Counter:
    """Collects steps; the counts of the events are their sums."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def __call__(self, event: str, function: str, note: str = "", times: int = 1) -> None:
        """``function`` has made ``event`` that many times."""
        if times:
            self.steps.append(Step(function, event, times, note))

    def repeat(self, since: int, times: int) -> None:
        """Count all steps from number ``since`` on so many times more: the same state has recurred so often."""
        again = self.steps[since:]
        for step in again:
            self(step.event, step.function, step.note, step.count * times)

    def events(self) -> dict[str, int]:
        """Sums by event, in the order of the vocabulary; events that did not occur are left out."""
        found = dict.fromkeys((step.event for step in self.steps), 0)
        for step in self.steps:
            found[step.event] += step.count
        return {name: found[name] for name in event_names() if name in found}
