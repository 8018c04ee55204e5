"""The designed experiment: which VMs repeat which operation in which order, and what rows come of it.

A task is a list of steps for one VM with a function that reads their results. Tasks of one block run in random order;
every block repeats the whole, so that what drifts with time does so for all cells alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from . import guest_code as layout
from . import raw
from .guest_tables import SMALL_PAGE
from .operations import BUMPS, OPERATIONS, Operation, Shape
from .plan import Plan

Steps = list[list[Any]]
Rows = list[dict[str, Any]]

FRESH = "fresh"  # the worker whose VM every task builds anew


@dataclass(frozen=True)
class Task:
    """Steps for the VM ``vm``, of ``shape`` (None: the steps build it), and the reader of their results.

    ``read`` gives rows without ``repeat``. ``slots``: memory slots that the VM must have before.
    """

    vm: str
    shape: Shape | None
    steps: Steps
    read: Callable[[list[Any]], Rows]
    slots: int | None = None


def setting(experiment: str, shape: Shape, probe: str = "", **more: Any) -> dict[str, Any]:
    """The columns that say what a row is of."""
    served = OPERATIONS[probe].served if probe else ""
    return {
        "experiment": experiment, "probe": probe, "path": served, "mode": shape.mode, "cpl": shape.cpl,
        "guest_levels": shape.levels, "guest_page_size": shape.page, "slots": shape.slots,
        "mmio_pages": shape.mmio_pages, "operation": "", "step": "", "vm": 0, **more,
    }  # fmt: skip


def time_rows(about: Mapping[str, Any], run: Mapping[str, Any], turns: int, scale: int | None = None) -> Rows:
    """Rows of one run's two times, per turn (or per ``scale``), in ns."""
    common = {**about, "iterations": turns, "preempted": int(run["preempted"]), "unit": "ns"}
    per = scale or turns
    return [
        {**common, "quantity": raw.OUTSIDE, "value": round(run["outside"] / per, 3)},
        {**common, "quantity": raw.INSIDE, "value": round(run["inside"] / per, 3)},
    ]


def counter_rows(
    about: Mapping[str, Any], counters: Mapping[str, int], turns: int, source: str, preempted: bool
) -> Rows:
    """Rows of what moved during one run."""
    common = {**about, "iterations": turns, "preempted": int(preempted), "source": source}
    return [{**common, "counter": name, "value": value} for name, value in sorted(counters.items())]


def name_of(shape: Shape) -> str:
    """A name for the VM of a shape."""
    size = "large" if shape.large else "small"
    return f"{shape.mode}-{shape.cpl}-{size}{'-irqchip' if shape.irqchip else ''}"


def cells(plan: Plan) -> list[tuple[Shape, Operation]]:
    """Every operation on every VM that can do it."""
    return [(shape, item) for shape in plan.shapes for item in OPERATIONS.values() if shape.can(item)]


def counter_tasks(plan: Plan, traced: bool) -> Iterator[Task]:
    """Counters at several loop lengths, and tracepoints at two: what repeats exactly has one slope."""
    for shape, operation in cells(plan):
        warm: Steps = [["load", operation.body], ["run", 5, operation.name]]
        runs: Steps = [["run", turns, operation.name] for turns in plan.lengths]
        traces: Steps = [["trace", turns, operation.name] for turns in plan.trace_lengths] if traced else []

        def read(found: list[Any], shape: Shape = shape, name: str = operation.name) -> Rows:
            about, later = setting("counters", shape, name), found[2:]
            rows = [
                row
                for turns, run in zip(plan.lengths, later, strict=False)
                for row in counter_rows(about, run["counters"], turns, raw.KVM_STATS, run["preempted"])
            ]
            trace = {**about, "experiment": "trace"}
            for turns, counts in zip(plan.trace_lengths, later[len(plan.lengths) :], strict=False):
                rows += counter_rows(trace, counts, turns, raw.TRACEPOINT, False)
            return rows

        yield Task(name_of(shape), shape, [*warm, *runs, *traces], read)


def path_task(shape: Shape, operation: Operation, turns: int) -> Task:
    """One timed run of an operation, behind a short one that warms it up."""
    steps: Steps = [
        ["load", operation.body],
        ["run", max(2, turns // 8), operation.name],
        ["run", turns, operation.name],
    ]
    about = setting("paths", shape, operation.name)
    return Task(name_of(shape), shape, steps, lambda found: time_rows(about, found[2], turns))


def slot_tasks(plan: Plan, rng: Random, most: int) -> Iterator[Task]:
    """Accesses and updates at every slot count: several VMs, each refilled to every count in random order."""
    counts = sorted({min(count or most, most) for count in plan.slots})
    shapes = [Shape("long", cpl) for cpl in (3, 0)]
    for shape, number in rng.sample([(s, v) for s in shapes for v in range(plan.slot_vms)], 2 * plan.slot_vms):
        for count in rng.sample(counts, len(counts)):
            yield slot_task(shape, number, count, rng, most)


def slot_task(shape: Shape, number: int, count: int, rng: Random, most: int, turns: int = 32, times: int = 5) -> Task:
    """One VM brought to ``count`` slots: three accesses timed, then the updates."""
    names = rng.sample(("mmio_store_any", "mmio_store_user", "pio_out_any"), 3)
    updates = rng.sample([how for how in BUMPS[1:] if how != "create" or count + times <= most], 3) if count > 1 else []
    accesses: Steps = []
    for name in names:
        accesses += [["load", OPERATIONS[name].body], ["run", 4, name], ["run", turns, name]]
    measured: Steps = [*accesses, *(["bump", how, times] for how in updates)]
    about = {"slots": count, "vm": number}

    def read(found: list[Any]) -> Rows:
        rows: Rows = []
        for position, name in enumerate(names):
            rows += time_rows(setting("slots", shape, name, **about), found[3 * position + 2], turns)
        for how, answer in zip(updates, found[len(accesses) :], strict=True):
            row = {**setting("slot_update", shape, operation=how) | about, "iterations": times, "preempted": 0}
            rows.append({**row, "quantity": raw.OPERATION, "value": answer["outside"] / times, "unit": "ns"})
        return rows

    return Task(f"slots-{shape.cpl}-{number}", shape, measured, read, slots=count)


def page_tasks(plan: Plan, rng: Random) -> Iterator[Task]:
    """One MMIO page against many: each VM is new, so that its first turn touches every page first."""
    for pages, large in rng.sample([(p, g) for p in plan.pages for g in (False, True)], 2 * len(plan.pages)):
        shape = Shape("long", 3, large, mmio_pages=pages, all_served=True)
        steps: Steps = [["build", shape.document()], ["load", "nop"], ["run", 10, "loop"],
                 ["load", "store", SMALL_PAGE, pages * SMALL_PAGE]]  # fmt: skip
        turns = max(pages, 1)
        runs: Steps = [["run", turns, layout.MMIO] for _ in range(3)]

        def read(found: list[Any], shape: Shape = shape, turns: int = turns) -> Rows:
            return _phases("mmio_pages", shape, ("1 first touch", "2 again", "3 again"), found[4:], turns, "store")

        yield Task(FRESH, None, [*steps, *runs], read)


def bump_tasks(plan: Plan, rng: Random) -> Iterator[Task]:
    """Runs of four stores right after a memslot update, and once more; ``none`` is the control."""
    for slots, how in rng.sample([(s, h) for s in plan.bump_slots for h in BUMPS], len(plan.bump_slots) * len(BUMPS)):
        shape = Shape("long", 3, slots=slots)
        name = "mmio_store_any"
        start: Steps = [["build", shape.document()], ["load", OPERATIONS[name].body], ["run", 16, name]]
        once: Steps = [["bump", how, 1], ["run", 4, name], ["run", 4, name]]

        def read(found: list[Any], shape: Shape = shape, how: str = how) -> Rows:
            rows: Rows = []
            for phase, offset in (("first", 4), ("second", 5)):
                runs = found[offset::3]
                about = setting("generation_bump", shape, "mmio_store_any", operation=how, step=phase)
                rows += [row for run in runs for row in time_rows(about, run, 4, scale=1)]
                total = _total([run["counters"] for run in runs])
                rows += counter_rows(about, total, 4 * len(runs), raw.KVM_STATS, False)
            bump = setting("generation_bump", shape, operation=how, step="update")
            rows += [{**bump, "iterations": 1, "preempted": 0, "quantity": raw.OPERATION, "value": answer["outside"],
                      "unit": "ns"} for answer in found[3::3]]  # fmt: skip
            return rows

        yield Task(FRESH, None, [*start, *(once * plan.bumps)], read)


def touch_tasks(plan: Plan, rng: Random) -> Iterator[Task]:
    """RAM pages touched first, again, and after a slot move that zaps all shadow pages."""
    steps = ("1 first touch", "2 again", "3 after slot move", "4 again")
    for bits, body in rng.sample([(b, o) for b in ((0, 0), (1, 1)) for o in ("store", "load")], 4):
        shape = Shape("long", 3, slots=4, touch_pages=plan.touch_pages, accessed=bool(bits[0]), dirty=bool(bits[1]))
        run = ["run", plan.touch_pages, layout.TOUCH]
        start: Steps = [["build", shape.document()], ["load", "nop"], ["run", 10, "loop"]]
        touch: Steps = [
            ["load", body, SMALL_PAGE, plan.touch_pages * SMALL_PAGE],
            run,
            run,
            ["bump", "move", 1],
            run,
            run,
        ]

        def read(found: list[Any], shape: Shape = shape, body: str = body) -> Rows:
            runs = [*found[4:6], *found[7:9]]
            operation = f"{body} {'A D set' if shape.accessed else 'A D clear'}"
            return _phases("ram_touch", shape, steps, runs, plan.touch_pages, operation)

        yield Task(FRESH, None, [*start, *touch], read)


def _phases(experiment: str, shape: Shape, steps: Sequence[str], runs: list[Any], turns: int, operation: str) -> Rows:
    rows: Rows = []
    for step, run in zip(steps, runs, strict=True):
        about = setting(experiment, shape, operation=operation, step=step)
        rows += time_rows(about, run, turns)
        rows += counter_rows(about, run["counters"], turns, raw.KVM_STATS, run["preempted"])
    return rows


def _total(counters: Sequence[Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in counters:
        for name, value in item.items():
            found[name] = found.get(name, 0) + value
    return found
