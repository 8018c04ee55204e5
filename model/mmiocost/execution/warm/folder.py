"""A private folder for the sockets of a process's kernels, under a name that is short enough for a socket."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path

from mmiocost.execution.warm import linux

_LONGEST = 60  # bytes; the path of a socket may have 107 (unix(7)), and ours add a name and a number
_PREFIX, _NURSERY, _KERNEL = "mmiocost-warm-", "nursery-", "kernel-"

_numbers = itertools.count()
_folders: dict[int, Path] = {}


def private_folder() -> Path:
    """Folder of this process, which removes it at its end; its nurseries do if it is killed."""
    folder = _folders.get(os.getpid())
    if folder is None or not folder.is_dir():
        # A path of a socket must be short, which the folder that the environment names need not be.
        base = tempfile.gettempdir() if len(os.fsencode(tempfile.gettempdir())) + 35 < _LONGEST else "/tmp"
        remove_abandoned(Path(base))
        folder = _folders[os.getpid()] = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))
        atexit.register(_remove_private_folder, os.getpid())
    return folder


def _remove_private_folder(pid: int) -> None:
    """At the end of process ``pid``, which is not that of processes forked from it."""
    if pid == os.getpid():
        shutil.rmtree(_folders.pop(pid), ignore_errors=True)


def new_nursery_name() -> str:
    """Path for the socket that a nursery listens at."""
    return str(private_folder() / f"{_NURSERY}{next(_numbers)}")


def new_kernel_name(nursery: str | None = None) -> str:
    """Path for a kernel's sockets, to which jupyter_client adds ``-1`` and so on.

    Beside the socket ``nursery`` if there is one, so that they go with it however this process ends.
    """
    folder = Path(nursery).parent if nursery and Path(nursery).exists() else private_folder()
    return str(folder / f"{_KERNEL}{os.getpid()}-{next(_numbers)}")


def remove_abandoned(base: Path, older_than: float = 60.0) -> None:
    """Remove folders of processes that were killed before their nursery was ready, or together with it.

    ``older_than`` is an age in seconds, since a folder is older than the nursery that answers in it. A process of
    another container may look as if it were gone, but its nursery answers.
    """
    for folder in base.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            state, pid = folder.stat(), int(folder.name.removeprefix(_PREFIX).partition("-")[0])
            old = time.time() - state.st_mtime > older_than
            if state.st_uid == os.getuid() and old and linux.is_gone(pid) and not _answers(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _answers(folder: Path) -> bool:
    for address in folder.glob(f"{_NURSERY}*"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(address))
            return True
    return False
