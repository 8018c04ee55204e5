"""The nurseries of a process that uses warm kernels."""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from mmiocost.errors import MmioCostError
from mmiocost.execution.warm import preload
from mmiocost.execution.warm.folder import new_nursery_name, private_folder
from mmiocost.execution.warm.messages import receive, send
from mmiocost.execution.warm.process import KernelProcess, readable

# Names a nursery of another process, such as the parent of several that run notebooks.
SHARED = "MMIOCOST_NURSERY"
_END_S = 5.0
# What libraries and the interpreter read when they are loaded: a nursery serves only kernels that agree with it.
_READ_AT_LOAD = ("ARROW_", "HOME", "IPYTHON", "JUPYTER", "LC_", "LD_", "MALLOC_", "MKL_", "MPL", "NUMBA_", "NUMEXPR_",
                 "OMP_", "OPENBLAS_", "POLARS_", "PYTHON", "XDG_")  # fmt: skip


class NoWarmKernel(MmioCostError):
    """A kernel could not be forked; the message says why."""


class NurseryHandle:
    """A nursery that listens at ``address``; ``process`` if this process started it."""

    def __init__(self, address: str, process: subprocess.Popen[bytes] | None = None) -> None:
        self.address, self._process = address, process
        self._answers = True

    async def launch(self, request: Mapping[str, Any], files: Sequence[int]) -> KernelProcess:
        """Fork a kernel that reads and writes ``files`` (standard input, output and error).

        Returns when the kernel's sockets are bound. Raises NoWarmKernel.
        """
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(self.address)
            send(connection, dict(request), tuple(files))
            await readable(connection)
            reply, handles = receive(connection)
            if "pid" not in reply:
                raise NoWarmKernel(reply.get("refused") or f"the kernel ended with status {reply.get('status')}")
        except (OSError, ValueError):
            connection.close()
            self._answers = False
            raise NoWarmKernel("the process of ready kernels has ended") from None
        except BaseException:
            connection.close()
            raise
        return KernelProcess(reply["pid"], handles[0], connection)

    def is_alive(self) -> bool:
        """Whether the nursery still runs, as far as is known."""
        return self._answers and (self._process is None or self._process.poll() is None)

    def end(self) -> None:
        """End the nursery and all its kernels."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.address)
            send(connection, {"end": True})
        if self._process is not None:
            try:
                self._process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def start_nursery(python: str, entries: Sequence[str], environment: Mapping[str, str]) -> NurseryHandle:
    """Start a nursery that ends with this process, whatever ends that, and loads ``entries`` ahead.

    Its ``address`` may be given to other processes in the environment variable ``MMIOCOST_NURSERY``.
    """
    folder, address = private_folder(), new_nursery_name()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(1024)
        words = [str(listener.fileno()), str(os.getpid()), str(folder), *entries]
        process = subprocess.Popen(
            [python, "-m", __package__, *words],
            stdin=subprocess.DEVNULL,
            env={**environment, **preload.NO_ALLOCATOR_THREAD},
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
    handle = NurseryHandle(address, process)
    if os.getpid() not in _started:
        _started[os.getpid()] = []
        atexit.register(_end, os.getpid())
    _started[os.getpid()].append(handle)
    return handle


async def launch(
    python: str, entries: Sequence[str], request: Mapping[str, Any], files: Sequence[int]
) -> KernelProcess:
    """Fork a kernel from the nursery that the environment names, or else from one of this process.

    One that was killed meanwhile is replaced. Raises NoWarmKernel.
    """
    environment = request["environment"]
    if address := environment.get(SHARED):
        with contextlib.suppress(NoWarmKernel):
            return await NurseryHandle(address).launch(request, files)
    handle = _nursery(python, entries, environment)
    try:
        return await handle.launch(request, files)
    except NoWarmKernel:
        if handle.is_alive():
            raise
    return await _nursery(python, entries, environment).launch(request, files)


def _nursery(python: str, entries: Sequence[str], environment: Mapping[str, str]) -> NurseryHandle:
    """The nursery of this process for an interpreter, what it loads ahead, and the environment that it loads it in."""
    settings = tuple(sorted((k, v) for k, v in environment.items() if k.startswith(_READ_AT_LOAD)))
    key = (os.getpid(), python, *entries, settings)
    with _lock:
        found = _nurseries.get(key)
        if found is None or not found.is_alive():
            found = _nurseries[key] = start_nursery(python, entries, environment)
        return found


_lock = threading.RLock()
_nurseries: dict[tuple[object, ...], NurseryHandle] = {}
_started: dict[int, list[NurseryHandle]] = {}


def _end(pid: int) -> None:
    """At the end of process ``pid``, which is not that of processes forked from it."""
    if pid == os.getpid():
        for handle in _started.pop(pid, []):
            handle.end()
