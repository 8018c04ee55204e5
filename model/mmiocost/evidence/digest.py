"""The content of the evidence in one short hash: a key for caches, made without parsing a table.

Comes in: the packaged files that a fit rests on, and the user's folders. Goes out: 16 hexadecimal digits. This
module imports little, since every start of the command line asks for the hash.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
#: Folder in a user's folder that holds one folder for each imported file.
USER_IMPORTS = "imports"
#: Stands among a user's folders where their rows are to be fitted alone: ``[folder, ALONE]``, or its text
#: "--alone" in a notebook's ``evidence``. It is a path, so that it goes wherever folders go.
ALONE = Path("--alone")


@dataclass(frozen=True, slots=True)
class Folders:
    """A user's folders, and whether their rows are fitted ``alone`` or together with the packaged ones."""

    paths: tuple[Path, ...]
    alone: bool

    @classmethod
    def of(cls, extra: Iterable[os.PathLike[str] | str]) -> Folders:
        """What a sequence of folders says, the mark ALONE anywhere in it or not.

        Every function of the package with ``extra`` or ``evidence`` takes such a sequence and hands it on as it is.
        Raises InvalidInput for the mark without a folder.
        """
        given = [Path(item) for item in extra]
        paths = tuple(path for path in given if path != ALONE)
        alone = len(paths) < len(given)
        if alone and not paths:
            raise InvalidInput.one(str(ALONE), "", "", "needs evidence of your own: add --evidence DIR")
        return cls(paths, alone)

    @property
    def notes(self) -> tuple[str, ...]:
        """What an answer says of the evidence it rests on: nothing, unless the user's stands alone."""
        alone = "fitted from your evidence alone; the packaged priors of the costs apply, without their rows"
        return (alone,) if self.alone else ()

    def plain(self) -> list[str]:
        """The same as plain texts with absolute paths, such as a notebook takes."""
        return [*(str(path.resolve()) for path in self.paths), *([str(ALONE)] if self.alone else [])]


def evidence_hash(extra: Sequence[Path] = ()) -> str:
    """Names the content of all files that ``load`` reads, the user's folders ``extra`` included, alone or not.

    A moved or renamed folder keeps its hash. Raises InvalidInput for a file that is missing or unreadable.
    """
    folders = Folders.of(extra)
    folder, descriptor = read_descriptor()
    by_name = {resource["name"]: resource for resource in descriptor["resources"]}
    own = (DESCRIPTOR, *(str(by_name[name]["path"]) for name in LOADED))
    packaged = [(f"{folder.name}/{path}", folder / path) for path in own]
    users = [(str(table), table) for folder in folders.paths for table in user_tables(folder)]
    return content_hash(*_file_hashes([*packaged, *users]), *([ALONE.name] if folders.alone else []))[:16]


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


def user_tables(folder: Path) -> list[Path]:
    """The tables in a user's folder: its own and those of its imports. Raises InvalidInput where there is no folder.

    Where a folder has no imports its own table is named even if it is missing.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InvalidInput.one(str(folder), "", "", f"must be a folder with an {USER_TABLE}")
    own, made = folder / USER_TABLE, folder / USER_IMPORTS
    imported = [place / USER_TABLE for place in sorted(made.glob("[0-9a-f]*")) if (place / USER_TABLE).is_file()]
    return [own, *imported] if own.exists() or not made.is_dir() else imported


def read_file(path: Path, where: str) -> bytes:
    """The bytes of a regular file; raises InvalidInput that calls it ``where``."""
    _refuse_no_file(path, where)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput.one(where, "", "", f"cannot be read: {error.strerror}") from None


def _file_hashes(files: Iterable[tuple[str, Path]]) -> list[str]:
    return [_file_hash(path, where) for where, path in files]


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
