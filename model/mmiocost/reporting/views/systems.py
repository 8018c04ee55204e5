"""Every system of the argument: its steps as a sequence, and where its cycles go beside the system it replaces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ...mechanism import Step
from ...vocabulary import EVENTS
from ...whatif.counting import explain
from .. import charts
from ..display import Figure, figure
from ..numbers import percent
from .exits import cost_parts
from .frames import fit_of

Folders = Sequence[str]


class Way(NamedTuple):
    """One way to serve an access or a fault: a label, its path, and the values that are not defaults."""

    label: str
    path: str
    values: Mapping[str, int]


_SLOTS = {"slots": 32}
SYSTEMS: dict[str, tuple[Way, ...]] = {
    "the series, EPT": (
        Way("3.0, every access", "v30.ept.mmio", _SLOTS),
        Way("3.1, first touch", "v31.ept.mmio_first", _SLOTS),
        Way("3.1, hit, vCPU cache", "v31.ept.mmio_hit", _SLOTS),
        Way("3.1, hit, lockless walk", "v31.ept.mmio_hit", {**_SLOTS, "mmio_cached": 0}),
    ),
    "the series, shadow paging": (
        Way("3.0, every access", "v30.shadow.mmio", _SLOTS),
        Way("3.1, first touch", "v31.shadow.mmio_first", _SLOTS),
        Way("3.1, hit, vCPU cache", "v31.shadow.mmio_hit", _SLOTS),
    ),
    "bypass_guest_pf": (
        Way("0, guest fault", "v30.shadow.guest_fault", _SLOTS),
        Way("1, guest fault on a notrap entry", "v30.shadow.guest_fault_bypassed", _SLOTS),
        Way("0, RAM fill with a new page", "v30.shadow.ram_fill", {**_SLOTS, "missing_levels": 1}),
        Way("1, RAM fill with a new page", "v30.shadow.ram_fill", {**_SLOTS, "missing_levels": 1, "bypass": 1}),
        Way("1 beside MMIO sptes", "proto.shadow.ram_fill_checked", {**_SLOTS, "missing_levels": 1, "bypass": 1}),
    ),
    "the unified loop": (
        Way("shadow, in step", "unified.shadow.access", _SLOTS),
        Way("shadow, one retry", "unified.shadow.access", {**_SLOTS, "retries": 1}),
        Way("TDP, sync never true", "unified.ept.access", _SLOTS),
    ),
    "MMIO generations": (
        Way("3.11, hit", "v311.ept.mmio_hit", {**_SLOTS, "mmio_cached": 0}),
        Way("3.11, stale entry", "v311.ept.mmio_stale", _SLOTS),
    ),
    "the fast MMIO bus": (
        Way("3.16, eventfd through the emulator", "v315.ept.mmio_hit", {**_SLOTS, "is_ioeventfd": 1}),
        Way("3.16, fast MMIO bus", "v315.ept.fast_mmio", _SLOTS),
        Way("4.16, host is a guest itself", "v414.ept.fast_mmio", {**_SLOTS, "host_hypervisor": 1}),
    ),
    "modern KVM": (
        Way("5.17, hit", "v517.ept.mmio_hit", _SLOTS),
        Way("5.17, stale entry", "v517.ept.mmio_stale", _SLOTS),
        Way("5.17, mmio_caching off", "v517.ept.mmio_uncached", _SLOTS),
    ),
}
_NAMED = 5
_PART = {event.name: event.part for event in EVENTS}


def system_stack(name: str, evidence: Folders = ()) -> Figure:
    """Where the cycles of each way of a system go, on the median machine, split by event."""
    import pandas as pd

    fit = fit_of(evidence)
    parts = {way.label: cost_parts(fit, way.path, way.values) for way in SYSTEMS[name]}
    total = {label: sum(found.values()) for label, found in parts.items()}
    named = sorted({event for found in parts.values() for event in found}, key=lambda event: -_largest(parts, event))[
        :5
    ]
    rows = []
    for label, found in parts.items():
        rows += [(label, event, found.get(event, 0.0)) for event in named]
        rows.append((label, "all others", sum(cost for event, cost in found.items() if event not in named)))
    frame = pd.DataFrame(rows, columns=["path", "event", "cost"])
    first = next(iter(total))
    told = "; ".join(
        f"{label} {percent(round(cost / total[first] - 1, 3))}" for label, cost in total.items() if label != first
    )
    see = f"Against {first}: {told}. Medians of the median machine; the intervals are on the pages of the questions."
    return figure(charts.cost_stack(frame), title=f"Where the cycles go: {name}", see=see)


def _largest(parts: Mapping[str, Mapping[str, float]], event: str) -> float:
    return max(found.get(event, 0.0) for found in parts.values())


def system_sequences(name: str) -> Iterator[Figure]:
    """The steps of each way of a system, as the reference machine takes them."""
    for way in SYSTEMS[name]:
        yield path_sequence(way.path, way.values, title=f"{way.label}: {way.path}")


def path_sequence(path: str, values: Mapping[str, int], title: str = "") -> Figure:
    """What each kernel function in turn does on a path, in the lane of the part that does it."""
    import pandas as pd

    calls = _calls(explain(path, values))
    frame = pd.DataFrame(
        {
            "step": range(1, len(calls) + 1),
            "actor": [_actor(events) for _, events in calls],
            "text": [f"{function}: {_said(events)}" for function, events in calls],
        }
    )
    total = sum(count for _, events in calls for count in events.values())
    see = f"{len(calls)} steps make {total} events; a step's slot searches stand with the function that asks for them."
    return figure(charts.sequence(frame), title=title or path, see=see)


def _calls(steps: Iterable[Step]) -> list[tuple[str, dict[str, int]]]:
    """Steps gathered by the kernel function that makes or asks for them, in a row."""
    calls: list[tuple[str, dict[str, int]]] = []
    for step in steps:
        if not calls or (step.event != "slot_compare" and step.function != calls[-1][0]):
            calls.append((step.function, {}))
        events = calls[-1][1]
        events[step.event] = events.get(step.event, 0) + step.count
    return calls


def _actor(events: Mapping[str, int]) -> str:
    own = [event for event in events if not event.startswith("slot_")]
    return _PART[own[-1] if own else next(iter(events))]


def _said(events: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {event}" if count > 1 else event for event, count in events.items())
