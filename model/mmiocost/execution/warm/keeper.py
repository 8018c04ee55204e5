"""A small process beside the nursery, for the case that the nursery is killed and the process that owns it as well.

The system then kills the kernels, but not what their notebooks have started, and nobody else would remove the
sockets' folder.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import struct
import time

from mmiocost.execution.warm import linux

_RECORD = struct.Struct("i")
_ENDING_S = 5.0


def start(owner: int, folder: str) -> int:
    """Fork the keeper of this process. Returns the file that :func:`began` and :func:`ended` tell it through."""
    nursery = os.getpid()
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            os.close(writing)
            _clean_up(_kernels_left(reading, nursery), owner, folder)
        finally:
            os._exit(0)
    os.close(reading)
    return writing


def began(keeper: int, kernel: int) -> None:
    """A kernel tells of itself, before anybody may use it."""
    with contextlib.suppress(BrokenPipeError):
        os.write(keeper, _RECORD.pack(kernel))


def ended(keeper: int, kernel: int) -> None:
    """A kernel has ended and so has its process group, before its number can be given to another."""
    with contextlib.suppress(BrokenPipeError):
        os.write(keeper, _RECORD.pack(-kernel))


def _kernels_left(reading: int, nursery: int) -> set[int]:
    """Wait for the nursery's end. Kernels whose end it has not told of."""
    kernels: set[int] = set()
    handle = os.pidfd_open(nursery)
    ready = select.poll()
    ready.register(reading, select.POLLIN)
    ready.register(handle, select.POLLIN)
    while os.getppid() == nursery:
        files = {file for file, _ in ready.poll()}
        if reading in files:
            _note(os.read(reading, 1024 * _RECORD.size), kernels)
        elif handle in files:
            break
    # What is still in the pipe; a kernel may hold its other end for a moment.
    os.set_blocking(reading, False)
    with contextlib.suppress(BlockingIOError):
        while data := os.read(reading, 1024 * _RECORD.size):
            _note(data, kernels)
    return kernels


def _note(data: bytes, kernels: set[int]) -> None:
    for (number,) in _RECORD.iter_unpack(data):
        if number > 0:
            kernels.add(number)
        else:
            kernels.discard(-number)


def _clean_up(kernels: set[int], owner: int, folder: str) -> None:
    end = time.monotonic() + _ENDING_S
    while not all(map(linux.is_gone, kernels)) and time.monotonic() < end:
        time.sleep(0.005)
    for kernel in filter(linux.is_gone, kernels):
        linux.kill_group(kernel)
    if linux.is_gone(owner):
        shutil.rmtree(folder, ignore_errors=True)
