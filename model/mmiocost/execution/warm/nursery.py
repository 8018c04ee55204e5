"""The process that ready kernels are forked from. It has one thread, and waits for requests, ends and its owner.

A client connects to the nursery's socket once for each kernel; the connection stands for the kernel from then on.

    client                                   nursery
    {"connection_file": …} and three files   forks; the kernel answers {"pid": …} and a handle of itself (pidfd)
                                             as soon as its sockets are bound
    {"signal": 2}                            signals the kernel's process group
                                             {"status": …} when the kernel has ended
    closes                                   kills the kernel's process group

Every message is one line of JSON. ``{"end": true}`` instead of a request ends the nursery and all its kernels; so
does the end of the process that owns it. A kernel that does not react within its grace time after an interrupt
(no thread of it gets the interpreter's lock: a loop in C) is killed.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from mmiocost.execution.warm import keeper, linux
from mmiocost.execution.warm.messages import receive, send

_REQUEST_TIMEOUT_S = 5.0
_NEVER = float("inf")


@dataclass(eq=False)
class _Kernel:
    """A forked kernel as the nursery sees it. ``deadline`` is when an interrupt must have shown an effect."""

    pid: int
    handle: int
    connection: socket.socket
    pulse: socket.socket
    grace: float
    deadline: float = _NEVER


class Forked(Exception):
    """Raised in a new kernel's process, to leave the nursery's frames behind."""

    def __init__(self, request: dict[str, Any], connection: socket.socket, pulse: socket.socket) -> None:
        self.request, self.connection, self.pulse = request, connection, pulse


class Nursery:
    """Serves requests on ``listener`` until ``owner`` (pidfd) ends or a client says so; ``refusal`` answers all if set.

    ``told`` is the file that tells the keeper.
    """

    def __init__(self, listener: socket.socket, owner: int, told: int, refusal: str) -> None:
        self._listener, self._to_keeper, self._refusal = listener, told, refusal
        self._kernels: set[_Kernel] = set()
        self._ready = selectors.DefaultSelector()
        self._when_ready(listener, self._accept)
        self._when_ready(owner, self._end)
        self._serving = True

    def _when_ready(self, file: Any, act: Callable[[], None]) -> None:
        self._ready.register(file, selectors.EVENT_READ, act)

    def serve(self) -> None:
        """Serve until the end. Raises Forked in each new kernel's process."""
        while self._serving:
            for key, _ in self._ready.select(self._patience()):
                # One event may have closed what another is about.
                if self._ready.get_map().get(key.fd) is key:
                    key.data()
            for kernel in self._kernels:
                if time.monotonic() >= kernel.deadline:
                    kernel.deadline = _NEVER
                    _kill(kernel)
        for kernel in list(self._kernels):
            self._ended(kernel)

    def _patience(self) -> float | None:
        soonest = min((kernel.deadline for kernel in self._kernels), default=_NEVER)
        return None if soonest == _NEVER else max(0.0, soonest - time.monotonic())

    def _end(self) -> None:
        self._serving = False

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        self._when_ready(connection, partial(self._answer, connection))

    def _answer(self, connection: socket.socket) -> None:
        """Serve the request of a connection that has no kernel yet."""
        self._ready.unregister(connection)
        with contextlib.suppress(OSError, ValueError):
            connection.settimeout(_REQUEST_TIMEOUT_S)
            request, files = receive(connection)
            connection.settimeout(None)
            try:
                self._serve(request, connection, files)
                return
            finally:
                for file in files:
                    os.close(file)
        connection.close()

    def _serve(self, request: dict[str, Any], connection: socket.socket, files: list[int]) -> None:
        if request.get("end"):
            self._end()
            connection.close()
        elif self._refusal:
            send(connection, {"refused": self._refusal})
            connection.close()
        else:
            self._fork(request, connection, files)

    def _fork(self, request: dict[str, Any], connection: socket.socket, files: list[int]) -> None:
        ours, theirs = socket.socketpair()
        nursery, pid = os.getpid(), os.fork()
        if pid == 0:
            linux.die_with_parent(nursery)
            os.setsid()
            keeper.began(self._to_keeper, os.getpid())
            os.close(self._to_keeper)
            for number, file in enumerate(files):
                os.dup2(file, number)
            self._forget()
            ours.close()
            raise Forked(request, connection, theirs)
        theirs.close()
        kernel = _Kernel(pid, os.pidfd_open(pid), connection, ours, request["grace"])
        self._kernels.add(kernel)
        self._when_ready(kernel.handle, partial(self._ended, kernel))
        self._when_ready(connection, partial(self._told, kernel))
        self._when_ready(ours, partial(self._alive, kernel))

    def _forget(self) -> None:
        """In a new kernel's process: close what belongs to the nursery and to its other kernels."""
        waiting: list[Any] = [key.fileobj for key in self._ready.get_map().values()]
        self._ready.close()
        for file in [*waiting, *(kernel.connection for kernel in self._kernels)]:
            if isinstance(file, int):
                os.close(file)
            else:
                file.close()

    def _told(self, kernel: _Kernel) -> None:
        try:
            number = receive(kernel.connection)[0]["signal"]
        except (OSError, ValueError, KeyError):
            # The client has closed the connection, or is gone; the rest happens when the kernel has ended.
            self._ready.unregister(kernel.connection)
            _kill(kernel)
            return
        if number == signal.SIGINT and kernel.deadline == _NEVER:
            kernel.deadline = time.monotonic() + kernel.grace
            with contextlib.suppress(OSError):
                kernel.pulse.send(b"?")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(kernel.pid, number)

    def _alive(self, kernel: _Kernel) -> None:
        kernel.deadline = _NEVER
        try:
            ended = not kernel.pulse.recv(16)
        except OSError:
            ended = True
        if ended:
            self._ready.unregister(kernel.pulse)

    def _ended(self, kernel: _Kernel) -> None:
        # The group goes before its leader is waited for: until then its number can't be given to another.
        _kill(kernel)
        keeper.ended(self._to_keeper, kernel.pid)
        _, status = os.waitpid(kernel.pid, 0)
        self._kernels.discard(kernel)
        for file in (kernel.handle, kernel.connection, kernel.pulse):
            with contextlib.suppress(KeyError):
                self._ready.unregister(file)
        with contextlib.suppress(OSError):
            send(kernel.connection, {"status": os.waitstatus_to_exitcode(status)})
        os.close(kernel.handle)
        kernel.connection.close()
        kernel.pulse.close()


def _kill(kernel: _Kernel) -> None:
    """SIGKILL to a kernel that was not waited for yet, and to its group, which it may not have made yet."""
    os.kill(kernel.pid, signal.SIGKILL)
    linux.kill_group(kernel.pid)
