"""What a site consists of: which file was made from which inputs, and which files the site may remove."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from mmiocost.cache import content_hash, write_atomically

FORMAT = 1
_FILE = "site.json"


@dataclass(frozen=True)
class Made:
    """One file of a site: hash of what it was made from, and of what came out."""

    inputs: str
    content: str


def read_manifest(out: Path) -> dict[str, Made]:
    """Files of the site in ``out`` by their path within it; none if there is no manifest that can be read.

    A manifest of another format is taken for none: every page is then rendered again.
    """
    try:
        document = json.loads((out / _FILE).read_bytes())
        if document["format"] != FORMAT:
            return {}
        return {
            name: Made(str(made["inputs"]), str(made["content"]))
            for name, made in document["files"].items()
            if _is_inside(name)
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_manifest(out: Path, files: Mapping[str, Made]) -> None:
    """Write the manifest of ``out`` in one step."""
    made = {name: asdict(files[name]) for name in sorted(files)}
    write_atomically(out / _FILE, json.dumps({"format": FORMAT, "files": made}, indent=1) + "\n")


def is_current(out: Path, name: str, made: Made | None, inputs: str) -> bool:
    """Whether the file ``name`` of the site was made from ``inputs`` and is still as it was written."""
    if made is None or made.inputs != inputs:
        return False
    try:
        return content_hash((out / name).read_bytes()) == made.content
    except OSError:
        return False


def _is_inside(name: object) -> bool:
    """Whether a path of a manifest names a file within the site; a manifest may have been tampered with."""
    if not isinstance(name, str) or "\\" in name or ":" in name:
        return False
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and path.suffix in {".html", ".css", ".js"}
