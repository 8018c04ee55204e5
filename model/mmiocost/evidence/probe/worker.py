"""A process that holds one VM: reads lists of steps as lines of JSON, takes them back to back, writes what came out.

It dies with its parent, and with its end of the pipe. The parent kills it when an answer is overdue: a VM on a host
that is itself a guest can hang where no signal but SIGKILL ends it.

Steps: ["build", shape], ["load", body, stride, span], ["run", turns, address, port], ["trace", turns, address,
port], ["resize", slots, seconds], ["bump", how, times], ["facts"]. An operation by name may stand for address and port.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from typing import Any

from . import abi, host
from .abi import GuestError, ProbeUnavailable
from .machine import Machine
from .operations import OPERATIONS, Shape
from .tracing import Tracing, sweep

_PR_SET_PDEATHSIG = 1
_IOCTLS = 2000
_RESIZE_AT_ONCE = 100


class Worker:
    """Takes steps on a VM that it holds."""

    def __init__(self) -> None:
        self.machine: Machine | None = None
        self.tracing: Tracing | None = None

    def take(self, step: list[Any]) -> Any:
        """The result of one step. Raises ProbeUnavailable or GuestError."""
        name, *arguments = step
        return getattr(self, f"_{name}")(*arguments)

    def close(self) -> None:
        """Give VM and tracing instance back."""
        for item in (self.machine, self.tracing):
            if item is not None:
                item.close()
        self.machine = self.tracing = None

    def _build(self, shape: dict[str, Any], device: str = abi.DEVICE) -> dict[str, int]:
        if self.machine is not None:
            self.machine.close()
            self.machine = None
        self.machine = Machine(Shape(**shape), device)
        return {"max_slots": self.machine.max_slots, "slots": self.machine.slots, "tsc_khz": self.machine.tsc_khz}

    def _load(self, body: str, stride: int = 0, span: int = 0) -> None:
        self._vm().load(body, stride, span)

    def _run(self, turns: int, *where: Any) -> dict[str, Any]:
        return self._vm().counted(turns, *self._place(*where))

    def _trace(self, turns: int, *where: Any) -> dict[str, int]:
        if self.tracing is None:
            sweep()
            self.tracing = Tracing()
        place = self._place(*where)
        self.tracing.start()
        self._vm().run(turns, *place)
        return self.tracing.stop()

    def _resize(self, slots: int, seconds: float) -> int:
        """Go towards that many slots for that long; a busy host takes from 12 us to 2 ms a slot."""
        machine, end = self._vm(), time.monotonic() + seconds
        while machine.slots != slots and time.monotonic() < end:
            machine.resize(max(machine.slots - _RESIZE_AT_ONCE, min(machine.slots + _RESIZE_AT_ONCE, slots)))
        return machine.slots

    def _bump(self, how: str, times: int) -> dict[str, Any]:
        start = time.perf_counter_ns()
        for _ in range(times):
            self._vm().bump(how)
        return {"outside": time.perf_counter_ns() - start}

    def _facts(self, device: str = abi.DEVICE) -> dict[str, Any]:
        found = host.kvm_facts(device, _IOCTLS)
        return {**found, "stats_names": sorted(self.machine.counters()) if self.machine else []}

    def _place(self, where: Any, port: int | None = None) -> tuple[int, int]:
        if isinstance(where, str):
            operation = OPERATIONS[where]
            return self._vm().address(operation), operation.port
        return int(where), port or 0

    def _vm(self) -> Machine:
        if self.machine is None:
            raise ProbeUnavailable("no VM has been built")
        return self.machine


def _answer(worker: Worker, steps: list[list[Any]]) -> dict[str, Any]:
    try:
        return {"results": [worker.take(step) for step in steps]}
    except ProbeUnavailable as error:
        return {"unavailable": str(error)}
    except GuestError as error:
        return {"guest_error": str(error)}
    except OSError as error:
        return {"unavailable": f"{error.strerror or error}"}


def main() -> None:
    """Serve requests until the pipe ends."""
    parent = os.getppid()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # KVM_RUN returns for a signal, and all is given back
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the call
        return
    worker = Worker()
    try:
        for line in sys.stdin:
            print(json.dumps(_answer(worker, json.loads(line))), flush=True)
    finally:
        worker.close()


if __name__ == "__main__":
    main()
