"""What a guest's MMIO access costs under KVM, and where caching "this gfn is MMIO" pays off.

The verbs, in the order in which data flow; each loads what it needs when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_VERBS = {
    "load_evidence": ("evidence", "load"),
    "read_observations": ("evidence", "read_observations"),
    "count": ("whatif.counting", "count"),
    "explain": ("whatif.counting", "explain"),
    "simulate": ("mechanism", "simulate"),
    "fit": ("fitting.store", "current_fit"),
    "fit_summary": ("fitting.store", "current_summary"),
    "score": ("fitting.score", "score"),
    "Scenario": ("whatif.scenario", "Scenario"),
    "read_scenario": ("whatif.scenario", "read_scenario"),
    "predict": ("whatif.predict", "predict"),
    "breakeven": ("whatif.breakeven", "breakeven"),
    "hazards": ("mechanism.hazards", "explore"),
    "answers": ("reporting.answers", "answers"),
    "report": ("reporting.report", "report"),
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
