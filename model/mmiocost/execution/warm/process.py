"""A handle of a forked kernel, in the process that uses it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import socket
import subprocess

from mmiocost.execution.warm import linux
from mmiocost.execution.warm.messages import receive, send


class KernelProcess:
    """A forked kernel, with the part of ``subprocess.Popen`` that ``LocalProvisioner`` uses.

    ``returncode`` is None while the kernel runs, then its exit status, or minus the signal that ended it.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, handle: int, connection: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._handle, self._connection = handle, connection

    def poll(self) -> int | None:
        """Exit status if the kernel has ended, else None."""
        if self.returncode is None and _is_readable(self._connection):
            self._learn_status()
        return self.returncode

    async def ended(self, seconds: float | None = None) -> None:
        """Wait until the kernel has ended, ``seconds`` at most."""
        if self.poll() is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(readable(self._connection), seconds)
            self.poll()

    def wait(self, timeout: float | None = None) -> int:
        """Exit status, once the kernel has ended. Raises subprocess.TimeoutExpired."""
        if self.poll() is None and not _is_readable(self._connection, timeout):
            raise subprocess.TimeoutExpired("warm kernel", timeout or 0.0)
        status = self.poll()
        assert status is not None
        return status

    def send_signal(self, number: int) -> None:
        """Signal the kernel's process group; nothing if the kernel has ended."""
        if self.poll() is None:
            with contextlib.suppress(OSError):
                send(self._connection, {"signal": int(number)})

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Give the handles back, and kill the kernel if it still runs."""
        if self._handle >= 0:
            if self.poll() is None:
                self.returncode = -signal.SIGKILL
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            self._connection.close()
            os.close(self._handle)
            self._handle = -1

    def _learn_status(self) -> None:
        try:
            self.returncode = int(receive(self._connection)[0]["status"])
        except (OSError, ValueError, KeyError):
            # The nursery is gone, so the system has killed the kernel; its children are left to us.
            self.returncode = -signal.SIGKILL
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            ended = select.poll()
            ended.register(self._handle, select.POLLIN)
            ended.poll()
            if linux.is_gone(self.pid):
                linux.kill_group(self.pid)


def _is_readable(connection: socket.socket, seconds: float | None = 0.0) -> bool:
    ready = select.poll()
    ready.register(connection, select.POLLIN)
    return bool(ready.poll(None if seconds is None else 1000 * seconds))


async def readable(connection: socket.socket) -> None:
    """Wait until something has come on a connection, or its other end is closed."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    # A number of our own: a loop has one reader a file, and others may wait for the same.
    file = os.dup(connection.fileno())
    loop.add_reader(file, _set, ready)
    try:
        await ready
    finally:
        loop.remove_reader(file)
        os.close(file)


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
