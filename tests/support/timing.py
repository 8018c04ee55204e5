"""Processor time of a call, for the benchmarks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def best_time(run: Callable[[], Any], rounds: int) -> float:
    """Shortest of several runs in seconds of processor time."""
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return min(taken)
