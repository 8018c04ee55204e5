"""How much memory is left for another kernel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

MIB = 1 << 20
#: A kernel with the libraries of a report, and the process that drives it, take some 250 MB each.
FOR_A_KERNEL = 512 * MIB
_CGROUPS = Path("/sys/fs/cgroup")
_POLL_S = 0.5


def available() -> int:
    """Bytes that a new process may take: the least of what the machine and the control groups leave."""
    import psutil

    return min([int(psutil.virtual_memory().available), *_left_in_groups()])


def _left_in_groups() -> list[int]:
    """Bytes left in this process's control group and each one above it (Linux, cgroup v2)."""
    try:
        line = next(line for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        return []
    group = _CGROUPS / line.removeprefix("0::").strip("/")
    found = []
    for folder in (group, *group.parents):
        if _CGROUPS not in (folder, *folder.parents):
            break
        found += _left(folder)
    return found


def _left(folder: Path) -> list[int]:
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return []
    # Pages of files that nobody used of late are given up before a process is refused memory.
    return [] if limit == "max" else [int(limit) - used + int(stat.get("inactive_file", 0))]


class MemoryGate:
    """Lets work begin while there is memory for it; the only work in hand begins in any case."""

    def __init__(self, needed: int = FOR_A_KERNEL, left: Callable[[], int] = available) -> None:
        self._needed, self._left = needed, left
        self._lock = threading.Lock()
        self._busy = 0
        self._closed = threading.Event()

    def enter(self) -> bool:
        """Wait until there is memory; False where the gate was closed meanwhile."""
        while not self._closed.is_set():
            with self._lock:
                if self._busy == 0 or self._left() >= self._needed:
                    self._busy += 1
                    return True
            self._closed.wait(_POLL_S)
        return False

    def leave(self) -> None:
        """The work that entered has ended."""
        with self._lock:
            self._busy -= 1

    def close(self) -> None:
        """Let nothing more begin."""
        self._closed.set()
