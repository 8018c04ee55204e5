"""The folder that a run writes: one writer at a time, nothing outside it, nothing half-made left in it."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from mmiocost.errors import InvalidInput, MmioCostError

_LOCK = ".lock"
_MADE_BESIDE = ".*.????????"  # what cache.write_atomically names a file before it has its place


@contextlib.contextmanager
def only_writer(out: Path) -> Iterator[None]:
    """Make the folder ``out`` and keep every other process from writing it; the lock ends with this process.

    Raises MmioCostError where another process has it, InvalidInput where ``out`` can be no folder.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = os.open(out / _LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
    except OSError as error:
        raise InvalidInput.one("--out", "", out, f"can't be written: {error.strerror}") from None
    try:
        if not _locks(handle):
            holder = os.pread(handle, 200, 0).decode(errors="replace") if hasattr(os, "pread") else "another process"
            raise MmioCostError(f"{out}: {holder or 'another process'} writes here; wait for it, or use another --out")
        os.ftruncate(handle, 0)
        os.write(handle, f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield
    finally:
        os.close(handle)


def _locks(handle: int) -> bool:
    """Take the lock of an open file, which the system takes back when this process ends in whatever way."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def folder_within(out: Path, name: str) -> Path:
    """The folder ``name`` in ``out``, made if need be. Raises InvalidInput where a link leads it elsewhere."""
    found = out / name
    found.mkdir(parents=True, exist_ok=True)
    if found.resolve() != out.resolve() / name:
        raise InvalidInput.one(str(found), "", "", f"is a link that leads out of {out}: remove it")
    return found


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process was about to put into place. Only the one writer of a folder may call this."""
    for path in folder.glob(_MADE_BESIDE):
        path.unlink(missing_ok=True)
