"""Measured evidence in: what was published, what the recorded probe gave, and what users add.

``load`` gives all of it, checked; ``evidence_hash`` names its content cheaply; ``Folders`` says how a user's folders
are given, with the packaged rows or ALONE; ``read_observations`` and ``read_measurements`` read one file of a user;
``catalogue``, ``show`` and ``verify`` tell what is there, from where, and whether it is sound. Each is imported when it
is first used: a warm start of the command line needs the hash alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .digest import ALONE, Folders, evidence_hash
    from .inventory import catalogue, show, verify
    from .loading import Evidence, load, read_measurements, read_observations
    from .observations import same_dimension
    from .records import Assumption, Observation, Prior, Quantity, Resource, Source, State, Verdict

__all__ = [
    "ALONE",
    "Assumption",
    "Evidence",
    "Folders",
    "Observation",
    "Prior",
    "Quantity",
    "Resource",
    "Source",
    "State",
    "Verdict",
    "catalogue",
    "evidence_hash",
    "load",
    "read_measurements",
    "read_observations",
    "same_dimension",
    "show",
    "verify",
]

_MODULES = {
    "digest": ("ALONE", "Folders", "evidence_hash"),
    "inventory": ("catalogue", "show", "verify"),
    "loading": ("Evidence", "load", "read_measurements", "read_observations"),
    "observations": ("same_dimension",),
    "records": ("Assumption", "Observation", "Prior", "Quantity", "Resource", "Source", "State", "Verdict"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
