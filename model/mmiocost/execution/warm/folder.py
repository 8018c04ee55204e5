"""A private folder for the sockets of a process's kernels, under a name that is short enough for a socket."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path

_LONGEST = 60  # bytes; the path of a socket may have 107 (unix(7)), and ours add a name and a number
_ABANDONED_S = 60.0
_PREFIX, _NURSERY, _KERNEL = "mmiocost-warm-", "nursery-", "kernel-"

_numbers = itertools.count()
_folders: dict[int, Path] = {}


def private_folder() -> Path:
    """Folder of this process, which removes it at its end; its nurseries do if it is killed."""
    folder = _folders.get(os.getpid())
    if folder is None or not folder.is_dir():
        # A path of a socket must be short, which the folder that the environment names need not be.
        base = tempfile.gettempdir() if len(os.fsencode(tempfile.gettempdir())) + 30 < _LONGEST else "/tmp"
        _remove_abandoned(Path(base))
        folder = _folders[os.getpid()] = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
    return folder


def remove_private_folder() -> None:
    """Remove the folder of this process, if there is one."""
    if os.getpid() in _folders:
        shutil.rmtree(_folders.pop(os.getpid()), ignore_errors=True)


def new_nursery_name() -> str:
    """Path for the socket that a nursery listens at."""
    return str(private_folder() / f"{_NURSERY}{next(_numbers)}")


def new_kernel_name() -> str:
    """Path for a kernel's sockets, to which jupyter_client adds ``-1`` and so on."""
    return str(private_folder() / f"{_KERNEL}{next(_numbers)}")


def _remove_abandoned(base: Path) -> None:
    """Remove folders whose process and nursery were killed together: no nursery answers there any more."""
    for folder in base.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            state = folder.stat()
            if state.st_uid == os.getuid() and time.time() - state.st_mtime > _ABANDONED_S and not _answers(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _answers(folder: Path) -> bool:
    for address in folder.glob(f"{_NURSERY}*"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(address))
            return True
    return False
