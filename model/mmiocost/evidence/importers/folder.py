"""A folder of imports: one folder inside for each file that was read, complete or not there at all.

``DIR/imports/ID/`` holds import.json (what was read, from which file, how), the Parquet tables and, where the file
has measured values, observations.csv, which ``--evidence DIR`` reads. A new import is made beside its place and
renamed, so that a kill at any time leaves the folder as it was or with the whole of the import.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import InvalidInput, nearest_name
from ..digest import USER_IMPORTS as IMPORTS

FORMAT = 1
ENTRY = "import.json"
PROBE_RUN = "run.json"
_STAGING = ".importing-"
_SETTLED = 5.0  # seconds after which a folder's maker has locked it
_ATTEMPTS = 5


@dataclass(frozen=True)
class Import:
    """One import: its ``id`` (from the checksum), its folder, and its entry as written."""

    id: str
    path: Path
    entry: dict[str, Any]

    def tables(self, name: str) -> list[Path]:
        """Parquet files of a table, for example "pairs" or "events"."""
        single = self.path / f"{name}.parquet"
        return [single] if single.is_file() else sorted((self.path / name).glob("*.parquet"))


def imports(folder: Path) -> list[Import]:
    """All imports of a folder, in the order in which they were made.

    Raises InvalidInput for one that is damaged or of another format version.
    """
    found = [_read(place) for place in sorted((Path(folder) / IMPORTS).glob("*/")) if _is_import(place)]
    return sorted(found, key=lambda item: (str(item.entry["imported"]), item.id))


def _is_import(place: Path) -> bool:
    return not place.name.startswith(_STAGING) and (place / ENTRY).is_file()


def _read(place: Path) -> Import:
    where = f"{place.parent.parent.name}/{IMPORTS}/{place.name}/{ENTRY}"
    try:
        entry = json.loads((place / ENTRY).read_bytes())
        version = entry["format_version"]
        said = {name: entry[name] for name in ("file", "checksum", "format", "imported", "facts")}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        advice = f"is damaged ({error}); remove it with `mmiocost evidence remove {place.name}` and import again"
        raise InvalidInput.one(where, "", "", advice) from None
    if version != FORMAT or not isinstance(said["facts"], dict):
        advice = f"must be {FORMAT}: remove the import and import its file again with this version"
        raise InvalidInput.one(where, "format_version", version, advice)
    return Import(place.name, place, entry)


def facts(folder: Path) -> dict[str, Any]:
    """What all imports of a folder say of its host; a later one wins."""
    found: dict[str, Any] = {}
    for item in imports(folder):
        found |= {name: value for name, value in item.entry["facts"].items() if name != "window_s"}
    return found


def import_id(checksum: str) -> str:
    """The id of an import, from the checksum of its file."""
    return checksum.partition(":")[2][:16]


def by_checksum(folder: Path, checksum: str) -> Import | None:
    """The import of a file with that content, if there is one."""
    place = Path(folder) / IMPORTS / import_id(checksum)
    return _read(place) if _is_import(place) else None


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A folder to make an import in, removed unless ``commit`` takes it. Raises InvalidInput if it can't be made."""
    base = Path(folder) / IMPORTS
    try:
        base.mkdir(parents=True, exist_ok=True)
        _sweep(base)
        place = Path(tempfile.mkdtemp(prefix=_STAGING, dir=base))
        lock = _locked(place)
    except OSError as error:
        raise InvalidInput.one(str(folder), "--to", "", f"can't be written: {error.strerror}") from None
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _locked(place: Path) -> int | None:
    """An open handle that holds the lock of a folder, as long as its process lives; None where there are no locks.

    Raises OSError where another process holds it.
    """
    if os.name != "posix":
        return None
    import fcntl

    handle = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def _sweep(base: Path) -> None:
    """Remove what imports left behind that were killed: made a while ago, and no living process holds its lock.

    What a killed probe measured stays: the next ``measure`` takes it up.
    """
    for place in base.glob(f"{_STAGING}*"):
        if (place / PROBE_RUN).exists():
            continue
        try:
            if time.time() - place.stat().st_mtime > _SETTLED and (lock := _locked(place)) is not None:
                shutil.rmtree(place, ignore_errors=True)
                os.close(lock)
        except OSError:
            continue


def commit(staging: Path, entry: dict[str, Any]) -> Import:
    """Make a staged import part of its folder in one step."""
    text = json.dumps({"format_version": FORMAT, **entry}, indent=1, ensure_ascii=False) + "\n"
    (staging / ENTRY).write_text(text, encoding="utf-8")
    for path in staging.rglob("*"):
        if path.is_file():
            _sync(path)
    place = staging.parent / import_id(entry["checksum"])
    for _ in range(_ATTEMPTS):
        try:
            staging.rename(place)
            break
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.EACCES):
                raise
            if _sound(place):  # another process was faster with the same content
                break
            _discard(place)
    _sync(place.parent)
    return _read(place)


def _sound(place: Path) -> bool:
    try:
        return _read(place) is not None
    except InvalidInput:
        return False


def _discard(place: Path) -> None:
    """Take a folder out of the imports in one step, and then apart."""
    trash = Path(tempfile.mkdtemp(prefix=f"{_STAGING}removed-", dir=place.parent))
    with suppress(FileNotFoundError):
        place.rename(trash / place.name)
    shutil.rmtree(trash, ignore_errors=True)


def _sync(path: Path) -> None:
    """Have the system write a file, or a folder's list, to the disk."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove(folder: Path, name: str) -> Import | None:
    """Remove an import by its id or the name of its file, in one step; gives its entry, None if it was damaged.

    Raises InvalidInput where nothing or more than one import is called so.
    """
    base = Path(folder) / IMPORTS
    places = [place for place in sorted(base.glob("*/")) if not place.name.startswith(_STAGING)]
    called = {place: _file_of(place) for place in places}
    chosen = [place for place, file in called.items() if name in (place.name, file)]
    if len(chosen) != 1:
        known = [text for place, file in called.items() for text in (place.name, file) if text]
        allowed = "several imports are called so: give the id" if chosen else f"no import of {folder} is called so"
        raise InvalidInput.one(str(folder), "import", name, allowed, nearest_name(name, known))
    try:
        found = _read(chosen[0])
    except InvalidInput:
        found = None
    _discard(chosen[0])
    return found


def _file_of(place: Path) -> str:
    try:
        return str(_read(place).entry["file"])
    except InvalidInput:
        return ""
