"""What a guest's MMIO access costs under KVM, and where caching "this gfn is MMIO" pays off.

The verbs, in the order in which data flow; each loads what it needs when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_VERBS = {
    "load_evidence": ("evidence", "load"),
    "ALONE": ("evidence", "ALONE"),
    "read_observations": ("evidence", "read_observations"),
    "read_measurements": ("evidence", "read_measurements"),
    "measure": ("evidence.probe.measuring", "measure"),
    "count": ("whatif.counting", "count"),
    "explain": ("whatif.counting", "explain"),
    "simulate": ("mechanism", "simulate"),
    "fit": ("fitting.store", "current_fit"),
    "fit_summary": ("fitting.store", "current_summary"),
    "conflicts": ("fitting.conflict", "conflicts"),
    "score": ("whatif.scoring", "score"),
    "Scenario": ("whatif.scenario", "Scenario"),
    "read_scenario": ("whatif.scenario", "read_scenario"),
    "scenario_names": ("whatif.library", "names"),
    "predict": ("whatif.predict", "predict"),
    "breakeven": ("whatif.breakeven", "breakeven"),
    "axis": ("whatif.maps", "axis"),
    "winning_map": ("whatif.maps", "winning_map"),
    "sweep": ("whatif.sweep", "sweep"),
    "Span": ("whatif.axes", "Span"),
    "Sample": ("whatif.sweep", "Sample"),
    "sensitivity": ("whatif.sensitivity", "sensitivity"),
    "plan": ("whatif.next_measurement", "plan"),
    "decide": ("reporting.deciding", "decide"),
    "check_record": ("reporting.record_check", "check"),
    "hazards": ("mechanism.hazards", "explore"),
    "answers": ("reporting.answers", "answers"),
    "report": ("reporting.report", "report"),
    "batch": ("reporting.batch", "batch"),
    "views": ("reporting.views", None),
}

__all__ = ["__version__", *_VERBS]


def __getattr__(name: str) -> Any:
    if name not in _VERBS:
        raise AttributeError(f"module 'mmiocost' has no attribute {name!r}")
    importlib.import_module("mmiocost.startup").one_blas_thread()
    module, attribute = _VERBS[name]
    found = importlib.import_module(f"mmiocost.{module}")
    return found if attribute is None else getattr(found, attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *_VERBS])
