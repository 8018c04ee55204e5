"""Which scenarios and sequences run a statement of the machine: a fault there can matter to these only."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from .drawn import ALL_PATHS, points
from .faults import Fault
from .rooms import PACKAGE, modules
from .sides import run
from .stories import NUMBERS, tell

SEQUENCE = "sequence"  # stands for the path where a sequence of accesses is tried; its number is the place


@cache
def reached() -> dict[tuple[str, int], list[tuple[int, str]]]:
    """Scenarios, as place and path, that run each line of the machine's modules."""
    files = {str(PACKAGE / "mechanism" / f"{module.split('.')[1]}.py"): module for module in modules()}
    found: dict[tuple[str, int], list[tuple[int, str]]] = {}
    lines: set[tuple[str, int]] = set()

    def trace(frame: Any, event: str, _: Any) -> Any:
        if (module := files.get(frame.f_code.co_filename)) is None:
            return None
        lines.add((module, frame.f_lineno))
        return trace

    for place, path in all_trials():
        lines.clear()
        _forget()
        sys.settrace(trace)
        try:
            run(path, points(path)[place]) if path != SEQUENCE else tell(place)
        finally:
            sys.settrace(None)
        for line in lines:
            found.setdefault(line, []).append((place, path))
    return found


def all_trials() -> list[tuple[int, str]]:
    """All scenarios and sequences, in an order in which paths take turns."""
    runs = [(place, path) for path in ALL_PATHS for place in range(len(points(path)))]
    return sorted([*runs, *((number, SEQUENCE) for number in NUMBERS)])


def _forget() -> None:
    """Let the machine run again what it has run before."""
    for name, module in list(sys.modules.items()):
        if name.startswith("mmiocost.mechanism."):
            for kept in vars(module).values():
                getattr(kept, "cache_clear", int)()


def reaching(fault: Fault) -> list[tuple[int, str]]:
    """The scenarios that run a fault's statement, in an order in which paths take turns."""
    if fault.at_import:
        return all_trials()
    lines = range(fault.line, fault.last_line + 1)
    return sorted({item for line in lines for item in reached().get((fault.module, line), ())})
