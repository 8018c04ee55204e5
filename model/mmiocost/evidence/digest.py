"""The content of the evidence in one short hash: a key for caches, made without parsing a table.

Comes in: the packaged files that a fit rests on, and the user's folders. Goes out: 16 hexadecimal digits. This
module imports little, since every start of the command line asks for the hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mmiocost import resources
from mmiocost.cache import content_hash
from mmiocost.errors import InvalidInput

DESCRIPTOR = "datapackage.json"
#: Resources of the package that ``load`` reads, in the order in which they are hashed.
LOADED = (
    "observations",
    "quantities",
    "states",
    "priors",
    "assumptions",
    "probe_cells",
    "probe_timings",
    "probe_counters",
    "probe_host",
)
_RESOURCE_KEYS = ("name", "path", "title", "hash", "bytes", "sources")
#: Name of the table in a user's folder.
USER_TABLE = "observations.csv"


def evidence_hash(extra: Sequence[Path] = ()) -> str:
    """Names the content of all files that ``load`` reads, the user's folders ``extra`` included.

    A moved or renamed folder keeps its hash. Raises InvalidInput for a file that is missing or unreadable.
    """
    folder, descriptor = read_descriptor()
    by_name = {resource["name"]: resource for resource in descriptor["resources"]}
    own = (DESCRIPTOR, *(str(by_name[name]["path"]) for name in LOADED))
    packaged = [(f"{folder.name}/{path}", folder / path) for path in own]
    return _hash([*packaged, *((str(table), table) for table in map(user_table, extra))])


def read_descriptor() -> tuple[Path, dict[str, Any]]:
    """Folder and descriptor of the packaged evidence; raises InvalidInput where it is missing or no JSON object."""
    folder = resources.data_dir()
    where = f"{folder.name}/{DESCRIPTOR}"
    try:
        descriptor = json.loads(read_file(folder / DESCRIPTOR, where))
        lacking = _lacking(descriptor)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInput.one(where, "", "", f"must be a Data Package descriptor ({error})") from None
    if lacking:
        raise InvalidInput.one(where, "", "", f"must be a Data Package descriptor ({', '.join(lacking)} missing)")
    return folder, descriptor


def _lacking(descriptor: dict[str, Any]) -> list[str]:
    """What the rest of this room relies on and the descriptor does not have."""
    missing = [key for key in ("resources", "sources") if key not in descriptor]
    for resource in descriptor.get("resources", ()):
        missing += [f"{resource.get('name')}.{key}" for key in _RESOURCE_KEYS if key not in resource]
    names = {resource.get("name") for resource in descriptor.get("resources", ())}
    return missing + [name for name in LOADED if name not in names]


def user_table(folder: Path) -> Path:
    """The table in a user's folder; raises InvalidInput where there is no such folder."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InvalidInput.one(str(folder), "", "", f"must be a folder with an {USER_TABLE}")
    return folder / USER_TABLE


def read_file(path: Path, where: str) -> bytes:
    """The bytes of a regular file; raises InvalidInput that calls it ``where``."""
    _refuse_no_file(path, where)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput.one(where, "", "", f"cannot be read: {error.strerror}") from None


def _hash(files: Iterable[tuple[str, Path]]) -> str:
    return content_hash(*(_file_hash(path, where) for where, path in files))[:16]


def _file_hash(path: Path, where: str) -> str:
    _refuse_no_file(path, where)
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InvalidInput.one(where, "", "", f"cannot be read: {error.strerror}") from None


def _refuse_no_file(path: Path, where: str) -> None:
    # A pipe or a device would block or never end.
    if path.exists() and not path.is_file():
        raise InvalidInput.one(where, "", "", "must be a file")
