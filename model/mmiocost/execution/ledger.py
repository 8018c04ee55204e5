"""Which executed notebook came from which inputs, kept beside the executed notebooks."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmiocost.cache import content_hash, write_atomically
from mmiocost.errors import InvalidInput

FORMAT = 1
_FILE = "ledger.json"


@dataclass(frozen=True)
class Entry:
    """One executed notebook: hash of its inputs, hash of the file that came out, wall seconds."""

    inputs: str
    output: str
    seconds: float


def inputs_of(content: bytes, parameters: Mapping[str, object], inputs_hash: str) -> str:
    """Hash of all that a notebook's output depends on: its source, its parameters, the caller's hash, packages."""
    return content_hash(content, json.dumps(parameters, sort_keys=True), inputs_hash, environment())


def environment() -> str:
    """Python's version and the installed packages with theirs, by the names of their metadata folders.

    Reading only folder names takes a few milliseconds where reading the metadata takes a tenth of a second.
    """
    folders = {Path(entry) for entry in sys.path if entry}
    packages = {found.name for folder in folders for found in folder.glob("*.dist-info")}
    return "\n".join([sys.version, sys.platform, *sorted(packages)])


def read_ledger(out: Path) -> dict[str, Entry]:
    """Entries of the ledger in ``out`` by notebook name; none if there is no ledger or it is damaged.

    Raises InvalidInput for a ledger of a newer format.
    """
    path = out / _FILE
    try:
        document = json.loads(path.read_bytes())
        version = int(document["format"])
        if version > FORMAT:
            raise InvalidInput.one(
                str(path), "format", version, f"written by a newer mmiocost (reads up to {FORMAT}); use another --out"
            )
        return {str(name): _entry(found) for name, found in document["notebooks"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # A damaged ledger costs one execution more, never a wrong report.
        return {}


def write_ledger(out: Path, entries: Mapping[str, Entry]) -> None:
    """Write the ledger of ``out`` in one step."""
    notebooks = {name: asdict(entries[name]) for name in sorted(entries)}
    write_atomically(out / _FILE, json.dumps({"format": FORMAT, "notebooks": notebooks}, indent=1) + "\n")


def output_hash(path: Path) -> str:
    """Hash of an executed notebook, empty if there is none."""
    try:
        return content_hash(path.read_bytes())
    except OSError:
        return ""


def _entry(found: Mapping[str, Any]) -> Entry:
    entry = Entry(str(found["inputs"]), str(found["output"]), float(found["seconds"]))
    if not math.isfinite(entry.seconds):
        raise ValueError("seconds must be finite")
    return entry
