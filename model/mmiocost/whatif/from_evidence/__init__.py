"""From a trace to a scenario: the values that a folder of imports gives for the symbols, and what it can't tell."""

from __future__ import annotations

from .derivation import Derivation, derive
from .derived import Derived
from .missing import Missing
from .writing import written

__all__ = ["Derivation", "Derived", "Missing", "derive", "written"]
