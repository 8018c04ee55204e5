"""Event counts of one access from the closed forms."""

from __future__ import annotations

from collections.abc import Mapping

from ..equations.lowering import kernel
from ..vocabulary import event_names, path_named, resolve


def count(path: str, scenario: Mapping[str, int] | None = None, where: str = "") -> dict[str, int]:
    """How often each primitive event occurs on a path; zero counts are left out.

    Symbols that are not given take their defaults. Raises InvalidInput for an unknown path, an unknown symbol, or
    a value that the path does not admit (model/mechanism.md); ``where`` says where the values come from.
    """
    name = path_named(path, where).name
    full = resolve(name, scenario or {}, where)
    found = kernel(name)({**full, "cold_search_fraction": 0})
    return {event: found[event] for event in event_names() if found.get(event)}
