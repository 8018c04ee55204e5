"""The JSON that a command printed, checked for what every document of the command line carries."""

from __future__ import annotations

from typing import Any

from mmiocost import __version__
from mmiocost.evidence import evidence_hash

ABOUT = {"version", "evidence"}


def document(ran: Any) -> Any:
    """The JSON document of a run that went well."""
    assert (ran.status, ran.err) == (0, "")
    found = ran.json()
    for item in found if isinstance(found, list) else [found]:
        assert (item["version"], item["evidence"]) == (__version__, evidence_hash())
    return found
