"""The run of the design: counters first, then randomised blocks until intervals are narrow or the time is spent.

Workers are started when they are first needed and ended with the campaign. A VM that is refused, hangs or leaves its
loop costs its own cells: it is said once, in one line, and the rest goes on.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from random import Random
from types import TracebackType
from typing import Any

from . import design, host, raw
from .abi import GuestError, ProbeUnavailable, check_platform
from .child import Child, Hung
from .design import Task
from .intervals import relative_half_width
from .operations import Operation, Shape
from .plan import Plan

#: Experiments in their order, with their shares of the time that is left for all that follow too.
SHARES = {"counters": 0.3, "paths": 0.35, "generation_bump": 0.05, "mmio_pages": 0.05, "ram_touch": 0.05, "slots": 0.2}
_RUN_NS = 1.2e6  # long beside one KVM_RUN, short beside the time slices of a busy host
_LEAST_TURNS, _MOST_TURNS = 16, 1 << 17
_RESIZE_S, _RESIZE_SHARE = 0.5, 0.1
_FAULTS = 2  # after which a VM is given up

Watch = Callable[[str], None]


class Campaign:
    """Workers, clock and rows of one run. Use it as a context; leaving ends every worker."""

    def __init__(self, plan: Plan, rows: raw.RawRows, budget_s: float, seed: int, watch: Watch) -> None:
        self.plan, self.rows, self.rng, self.watch = plan, rows, Random(seed), watch
        self.end = time.monotonic() + budget_s
        self.refused: dict[str, str] = {}
        self.repeats: dict[str, int] = {}
        self._children: dict[str, Child] = {}
        self._faults: defaultdict[str, int] = defaultdict(int)
        self._stop = self.end

    def __enter__(self) -> Campaign:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for child in self._children.values():
            child.dismiss()  # all take their VMs down at once
        for child in self._children.values():
            child.close()

    def run(self, most_slots: int, traced: bool) -> None:
        """All experiments, each in its share of the time that is left."""
        plan, rng = self.plan, self.rng
        experiments: dict[str, Callable[[], Iterable[Task]]] = {
            "counters": lambda: design.counter_tasks(plan, traced),
            "paths": self._path_tasks,
            "generation_bump": lambda: design.bump_tasks(plan, rng),
            "mmio_pages": lambda: design.page_tasks(plan, rng),
            "ram_touch": lambda: design.touch_tasks(plan, rng),
            "slots": lambda: design.slot_tasks(plan, rng, most_slots),
        }
        left = sum(SHARES.values())
        for name, tasks in experiments.items():
            now = time.monotonic()
            self._stop = now + (self.end - now) * SHARES[name] / left
            left -= SHARES[name]
            self._turns: dict[tuple[Shape, str], int] = {}
            self._blocks(name, tasks, {"counters": 1, "paths": plan.most_path_repeats}.get(name, plan.most_repeats))

    def _blocks(self, name: str, tasks: Callable[[], Iterable[Task]], most: int) -> None:
        for repeat in range(most):
            for task in tasks():
                if time.monotonic() >= self._stop:
                    return
                self.watch(name)
                self.rows.add({**row, "repeat": repeat} for row in self._taken(task))
            self.repeats[name] = repeat + 1
            if name == "paths" and repeat + 1 >= self.plan.least_repeats and self._narrow():
                return

    def _path_tasks(self) -> Iterator[Task]:
        cells = design.cells(self.plan)
        for shape, operation in self.rng.sample(cells, len(cells)):
            turns = self._turns.get((shape, operation.name)) or self._calibrated(shape, operation)
            if turns:
                yield design.path_task(shape, operation, turns)

    def _calibrated(self, shape: Shape, operation: Operation) -> int:
        """Turns that take about _RUN_NS; 0 where the VM does not run."""
        steps: design.Steps = [
            ["load", operation.body],
            ["run", 8, operation.name],
            ["run", _LEAST_TURNS, operation.name],
        ]
        found = self._results(Task(design.name_of(shape), shape, steps, lambda _: []))
        if not found:
            return 0
        one = max(found[2]["inside"], 1.0) / _LEAST_TURNS
        turns = max(_LEAST_TURNS, min(_MOST_TURNS, int(_RUN_NS / one)))
        self._turns[shape, operation.name] = turns
        return turns

    def _narrow(self) -> bool:
        values: defaultdict[tuple[Any, ...], list[float]] = defaultdict(list)
        for row in self.rows.timings:
            if row["experiment"] == "paths" and row["quantity"] == raw.INSIDE and not row["preempted"]:
                values[tuple(row[name] for name in raw.SETTING)].append(row["value"])
        timed = (item for key, item in values.items() if key[1] != "loop")  # the empty loop is next to nothing
        return all(relative_half_width(item) <= self.plan.narrow for item in timed)

    def _taken(self, task: Task) -> list[dict[str, Any]]:
        steal = host.steal_ticks()
        found = self._results(task)
        if found is None:
            return []
        rows = task.read(found)
        if host.steal_ticks() != steal:
            rows = [{**row, "preempted": 1} for row in rows]
        return rows

    def _results(self, task: Task) -> list[Any] | None:
        """Results of a task; None where its VM is refused or failed."""
        if task.vm in self.refused:
            return None
        try:
            child = self._child(task)
            if task.slots is not None and not self._has_slots(child, task.slots):
                return None
            return child.ask(*task.steps)
        except ProbeUnavailable as error:
            self._give_up(task.vm, str(error))
        except GuestError as error:
            self._faults[task.vm] += 1
            if isinstance(error, Hung) or self._children[task.vm].process.poll() is not None:
                self._children.pop(task.vm).close()
            if self._faults[task.vm] >= _FAULTS:
                self._give_up(task.vm, str(error))
        return None

    def _give_up(self, vm: str, why: str) -> None:
        self.refused[vm] = why
        if vm in self._children:
            self._children.pop(vm).close()

    def _child(self, task: Task) -> Child:
        if task.vm not in self._children:
            child = self._children[task.vm] = Child()
            if task.shape is not None:
                child.build(task.shape)
        return self._children[task.vm]

    def _has_slots(self, child: Child, slots: int) -> bool:
        """Bring a VM to so many slots, unless a slow host takes too much of the time that is left."""
        now = time.monotonic()
        end = now + max(_RESIZE_S, (self._stop - now) * _RESIZE_SHARE)
        while child.ask(["resize", slots, _RESIZE_S])[0] != slots:
            if time.monotonic() >= end:
                return False
        return True


def first_look(limit_s: float = 5.0) -> dict[str, Any]:
    """What KVM says before anything is measured: capabilities, slots allowed, clock, whether tracepoints are there.

    Raises ProbeUnavailable or GuestError with the reason in one line where no VM runs.
    """
    check_platform()
    with Child(limit_s) as child:
        built = child.build(Shape())
        found = child.ask(["load", "nop"], ["run", 8, "loop"], ["facts"])[2]
        try:
            child.ask(["trace", 8, "loop"])
            traced = ""
        except ProbeUnavailable as error:
            traced = str(error)
    return {**found, "tsc_khz": built["tsc_khz"], "max_slots": built["max_slots"], "untraced": traced}
