"""Event counts of one access from the closed forms, and its steps from the reference machine."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING

from ..equations.lowering import kernel
from ..vocabulary import event_names, path_named, resolve

if TYPE_CHECKING:
    from ..mechanism import Step


def count(path: str, scenario: Mapping[str, int] | None = None, where: str = "") -> dict[str, int]:
    """How often each primitive event occurs on a path; zero counts are left out.

    Symbols that are not given take their defaults. Raises InvalidInput for an unknown path, an unknown symbol, or
    a value that the path does not admit (model/mechanism.md); ``where`` says where the values come from.
    """
    name = path_named(path, where).name
    full = resolve(name, scenario or {}, where)
    found = kernel(name)({**full, "cold_search_fraction": 0})
    return {event: found[event] for event in event_names() if found.get(event)}


def explain(path: str, scenario: Mapping[str, int] | None = None) -> tuple[Step, ...]:
    """Which step of a path makes each event, with the kernel function, as the reference machine takes them.

    Steps of one function that make the same event in a row are one. Raises InvalidInput as :func:`count` does.
    """
    from ..mechanism import trace

    steps = trace(path_named(path).name, scenario or {})
    rows = [list(run) for _, run in groupby(steps, key=lambda step: (step.function, step.event))]
    return tuple(run[0]._replace(count=sum(step.count for step in run), note=_note(run)) for run in rows)


def _note(run: list[Step]) -> str:
    notes = dict.fromkeys(step.note for step in run if step.note)
    return "; ".join(notes)
