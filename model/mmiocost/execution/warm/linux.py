"""What the warm kernel asks of Linux: forks, process handles, and a child that dies with its parent."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # prctl(2)
# Looked up at import: a child calls it between its fork and anything that could go wrong.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@functools.cache
def supported() -> bool:
    """Whether kernels can be forked here: Linux 5.3 or later, for handles of processes (pidfd)."""
    if sys.platform != "linux":
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


def die_with_parent(parent: int) -> None:
    """Have this process killed when the thread that made it ends; exit at once if ``parent`` is gone already."""
    assert _libc is not None
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def outlive_parent() -> None:
    """Take :func:`die_with_parent` back."""
    assert _libc is not None
    _libc.prctl(_PR_SET_PDEATHSIG, 0)


def threads() -> list[str]:
    """Names of this process's threads, those that no Python code started included."""
    return [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]


def kill_group(leader: int) -> None:
    """SIGKILL to all processes of a group; nothing if there are none."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def is_gone(pid: int) -> bool:
    """Whether there is no process ``pid``, or only one that has ended and was not waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
