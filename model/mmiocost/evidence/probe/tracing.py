"""Counts of KVM's tracepoints for this process, for root: in an instance of tracefs of its own.

Where tracefs is not mounted it is mounted in a mount namespace of this process alone, so that the mount goes with it.
An instance outlives the process that made it: ``python -m mmiocost.evidence.probe.tracing`` removes those of workers
that were killed, and so does the next worker that traces.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections import Counter
from pathlib import Path

from .abi import ProbeUnavailable

PLACE = Path("/sys/kernel/tracing")
_NAME = "mmiocost-probe-"
_GROUPS = ("kvm", "kvmmmu")
_NEW_MOUNTS, _PRIVATE, _RECURSIVE = 0x20000, 1 << 18, 1 << 14
_EVENT = re.compile(r"\d: (\w+): ")
_BUFFER_KB = "1024"


class Tracing:
    """A tracefs instance that counts this process's events. Raises ProbeUnavailable without root or tracefs."""

    def __init__(self) -> None:
        self._folder = _mounted() / "instances" / name_of(os.getpid())
        try:
            self._folder.mkdir()
            self._put("tracing_on", "0")
            self._put("buffer_size_kb", _BUFFER_KB)
            self._put("set_event_pid", str(os.getpid()))
            for group in self._groups():
                self._put(f"events/{group}/enable", "1")
        except OSError as error:
            self.close()
            raise ProbeUnavailable(f"tracepoints: {error.strerror}; counters alone are read") from None

    def start(self) -> None:
        """Record from now on."""
        self._put("tracing_on", "1")

    def stop(self) -> dict[str, int]:
        """Events since the start, by name."""
        self._put("tracing_on", "0")
        return dict(Counter(_EVENT.findall(self._drained())))

    def _drained(self) -> str:
        """What is in the buffer, which is empty afterwards; emptying it by ``trace`` waits for all CPUs instead."""
        pipe = os.open(self._folder / "trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
        parts = []
        try:
            while part := os.read(pipe, 1 << 16):
                parts.append(part)
        except BlockingIOError:
            pass
        finally:
            os.close(pipe)
        return b"".join(parts).decode("utf-8", "replace")

    def close(self) -> None:
        """Remove the instance."""
        _remove(self._folder)

    def _groups(self) -> list[str]:
        return [group for group in _GROUPS if (self._folder / "events" / group).exists()]

    def _put(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text)


def name_of(process: int) -> str:
    """Name of the instance that a process makes."""
    return f"{_NAME}{process}"


def sweep() -> None:
    """Remove the instances of processes that are gone."""
    for folder in (_mounted() / "instances").glob(f"{_NAME}*"):
        process = folder.name.removeprefix(_NAME)
        if process.isdigit() and not Path("/proc", process).exists():
            _remove(folder)


def instances() -> list[str]:
    """Names of the instances that probes have made and that are there now."""
    return sorted(path.name for path in (_mounted() / "instances").glob(f"{_NAME}*"))


def _mounted() -> Path:
    """tracefs, mounted for this process alone where it is not mounted."""
    if os.geteuid() != 0:
        raise ProbeUnavailable("tracepoints: need root; counters alone are read")
    if (PLACE / "instances").is_dir():
        return PLACE
    libc = ctypes.CDLL(None, use_errno=True)
    made = (
        libc.unshare(_NEW_MOUNTS) == 0
        and libc.mount(b"none", b"/", None, _PRIVATE | _RECURSIVE, None) == 0
        and libc.mount(b"none", bytes(PLACE), b"tracefs", 0, None) == 0
    )
    if not made:
        why = os.strerror(ctypes.get_errno())
        raise ProbeUnavailable(f"tracepoints: tracefs can't be mounted ({why}); counters alone are read")
    return PLACE


def _remove(folder: Path) -> None:
    if not folder.is_dir():
        return
    try:
        for group in _GROUPS:
            if (folder / "events" / group).exists():
                (folder / "events" / group / "enable").write_text("0")
        folder.rmdir()
    except OSError:  # another process is at it already
        pass


if __name__ == "__main__":
    sweep()
