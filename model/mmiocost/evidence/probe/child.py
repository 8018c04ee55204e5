"""The parent's end of a worker: requests with a wall-clock limit, and no worker left behind."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from types import TracebackType
from typing import Any

from .abi import GuestError, ProbeUnavailable
from .operations import Shape

LIMIT_S = 10.0  # of one request; the longest take a second on a busy host
_GOODBYE_S, _SWEEP_S = 2.0, 10.0


class Hung(GuestError):
    """A VM gave no answer within its limit and was killed."""


class Child:
    """A worker process. Use it as a context; leaving ends the process and the VM that it holds."""

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self.limit_s, self.traced = limit_s, False
        # Its own session: Ctrl-C in the terminal is for the parent, which ends its workers itself.
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self._left = b""

    def __enter__(self) -> Child:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def build(self, shape: Shape) -> dict[str, Any]:
        """Build a VM in the worker, in place of the one it has. Raises ProbeUnavailable where KVM refuses it."""
        found: dict[str, Any] = self.ask(["build", shape.document()])[0]
        return found

    def ask(self, *steps: list[Any]) -> list[Any]:
        """Have the steps taken back to back; their results.

        Raises Hung where no answer comes in time, ProbeUnavailable and GuestError as the worker met them.
        """
        self.traced |= any(step[0] == "trace" for step in steps)
        stdin = self.process.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps(steps).encode() + b"\n")
            stdin.flush()
            answer = json.loads(self._line())
        except (BrokenPipeError, ValueError):
            self.kill()
            raise GuestError("the process of the VM died") from None
        if "unavailable" in answer:
            raise ProbeUnavailable(answer["unavailable"])
        if "guest_error" in answer:
            raise GuestError(answer["guest_error"])
        results: list[Any] = answer["results"]
        return results

    def _line(self) -> bytes:
        stdout = self.process.stdout
        assert stdout is not None
        end = time.monotonic() + self.limit_s
        while b"\n" not in self._left:
            left = end - time.monotonic()
            if left <= 0 or not select.select([stdout], [], [], left)[0]:
                self.kill()
                raise Hung(f"no answer within {self.limit_s:g} s: the VM was killed")
            part = os.read(stdout.fileno(), 1 << 16)
            if not part:
                break
            self._left += part
        line, _, self._left = self._left.partition(b"\n")
        return line

    def kill(self) -> None:
        """End the worker at once, and remove the tracing instance that it may have left."""
        self.process.kill()
        self.process.wait()
        self._close_pipes()
        if self.traced:
            command = [sys.executable, "-m", f"{__package__}.tracing"]
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run(command, stderr=subprocess.DEVNULL, check=False, timeout=_SWEEP_S)

    def dismiss(self) -> None:
        """Tell the worker to end, by the end of its pipe; :meth:`close` waits for it."""
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()

    def close(self) -> None:
        """End the worker, and kill it where it does not end by itself."""
        self.dismiss()
        try:
            self.process.wait(_GOODBYE_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
