"""Which executed notebook came from which inputs: a record of each task, in a file of its own.

A task that ends writes its own file in one step, so that tasks do not wait for each other, the cost of a thousand
grows no faster than their number, and a kill never costs more than the task that it hits.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mmiocost.cache import content_hash, write_atomically
from mmiocost.errors import InvalidInput
from mmiocost.execution.recorded import value_of
from mmiocost.execution.results import CellError, Recorded

FORMAT = 2
FOLDER = "ledger"
_FORMAT_1 = "ledger.json"  # one file for all tasks, with one hash for all inputs


@dataclass(frozen=True)
class Entry:
    """The last end of a task: hashes of its inputs by their names, of the file that came out, of its content."""

    inputs: Mapping[str, str]
    output: str
    content: str
    seconds: float
    error: CellError | None = None
    values: tuple[Recorded, ...] = ()


def inputs_of(content: bytes, parameters: Mapping[str, object], others: Mapping[str, str]) -> dict[str, str]:
    """All that a notebook's output depends on, hash by name: its source, its parameters, what the caller adds."""
    own = {
        "notebook": content_hash(content),
        "parameters": content_hash(json.dumps(parameters, sort_keys=True)),
        "packages": content_hash(environment()),
    }
    return {**own, **others}


@cache
def environment() -> str:
    """Python's version and the installed packages with theirs, by the names of their metadata folders.

    Reading only folder names takes a few milliseconds where reading the metadata takes a tenth of a second.
    """
    folders = {Path(entry) for entry in sys.path if entry}
    packages = {found.name for folder in folders for found in folder.glob("*.dist-info")}
    return "\n".join([sys.version, sys.platform, *sorted(packages)])


def why_again(entry: Entry | None, inputs: Mapping[str, str], output: str) -> str:
    """Why a task has to be executed, empty if its last end still stands. ``output`` is the hash of its file now."""
    if entry is None:
        return "new"
    changed = [name for name in dict.fromkeys([*entry.inputs, *inputs]) if entry.inputs.get(name) != inputs.get(name)]
    if changed:
        return f"{' and '.join(changed)} changed"
    if entry.error is not None:
        return "failed last time"
    if entry.output != output:
        return "executed notebook changed" if output else "executed notebook missing"
    return ""


def read_entry(out: Path, name: str) -> Entry | None:
    """What the ledger of the folder ``out`` says of a task; None if it says nothing or is damaged there.

    Raises InvalidInput for an entry of a newer format. Those of format 1 (mmiocost before 0.1) are not read.
    """
    path = _file(out, name)
    try:
        document = json.loads(path.read_bytes())
        version = int(document["format"])
        if version > FORMAT:
            raise InvalidInput.one(
                str(path), "format", version, f"written by a newer mmiocost (reads up to {FORMAT}); use another --out"
            )
        return _entry(document)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # A damaged entry costs one execution more, never a wrong report.
        return None


def write_entry(out: Path, name: str, entry: Entry) -> None:
    """Write what the ledger of ``out`` says of a task, in one step."""
    write_atomically(_file(out, name), json.dumps({"format": FORMAT, **asdict(entry)}, indent=1) + "\n")


def forget_format_1(out: Path) -> None:
    """Remove a ledger of format 1, whose tasks are executed once more."""
    (out / _FORMAT_1).unlink(missing_ok=True)


def _file(out: Path, name: str) -> Path:
    return out / FOLDER / f"{name}.json"


def _entry(found: Mapping[str, Any]) -> Entry:
    inputs = {str(name): str(value) for name, value in found["inputs"].items()}
    error = CellError(**found["error"]) if found["error"] is not None else None
    values = tuple(value for value in map(value_of, found["values"]) if value is not None)
    entry = Entry(inputs, str(found["output"]), str(found["content"]), float(found["seconds"]), error, values)
    if not math.isfinite(entry.seconds):
        raise ValueError("seconds must be finite")
    return entry
