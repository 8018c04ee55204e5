"""What a slot search and a dependent page-table read cost in user space, by working set: evidence on cache regimes.

Three searches over records of 128 bytes, as large as a struct kvm_memory_slot: an array scanned to its end, the same
array bisected, and a balanced tree whose nodes lie anywhere (pointer chasing, as in the red-black tree of 5.17). And
a chain of reads each of which names the next, one a cache line in random order, as a walk of cold page tables makes.
Compiled by numba; every search waits for the one before. No kernel code runs: what differs from KVM's own search is
the code around it, what is alike are the memory accesses.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from .host import involuntary_switches
from .intervals import median_interval

if TYPE_CHECKING:
    import numpy as np

SLOTS = (4, 32, 125, 509, 4096, 32764)
WORKING_SETS = tuple(1 << power for power in range(14, 27, 2))  # bytes: 16 KiB to 64 MiB
_RECORD = 16  # words of 8 bytes in a slot's record
_LINE = 8  # words in a cache line
_SLOT_PAGES = 4
_KEYS = 1024
_RUN_NS = 5e5
_REPEATS = 15
_NO_SLOT = 1

#: Times in ns of one turn, by benchmark, structure and size.
Times = dict[tuple[str, str, int], list[float]]


def _linear(records: np.ndarray, keys: np.ndarray, turns: int) -> int:
    found = 0
    for turn in range(turns):
        key = keys[(turn + found) & 1023]
        hit = 0
        for at in range(records.shape[0]):
            if records[at, 0] <= key < records[at, 0] + records[at, 1]:
                hit = 1
                break
        found = hit
    return found


def _bisection(records: np.ndarray, keys: np.ndarray, turns: int) -> int:
    found = 0
    for turn in range(turns):
        key = keys[(turn + found) & 1023]
        low, high = 0, records.shape[0]
        while low < high:
            middle = (low + high) >> 1
            if records[middle, 0] <= key:
                low = middle + 1
            else:
                high = middle
        found = 1 if low > 0 and key < records[low - 1, 0] + records[low - 1, 1] else 0
    return found


def _tree(records: np.ndarray, keys: np.ndarray, turns: int) -> int:
    found = 0
    for turn in range(turns):
        key = keys[(turn + found) & 1023]
        node, hit = 0, 0
        while node >= 0:
            if key < records[node, 0]:
                node = records[node, 2]
            elif key >= records[node, 0] + records[node, 1]:
                node = records[node, 3]
            else:
                hit = 1
                break
        found = hit
    return found


def _chain(lines: np.ndarray, keys: np.ndarray, turns: int) -> int:
    at = 0
    for _ in range(turns):
        at = lines[at, 0]
    return at


def measure(values: Times, end: float, rng: Random, watch: Callable[[str], None]) -> None:
    """Run all benchmarks in random order, time and again until ``end`` (monotonic), and add their times to ``values``.

    Needs numba; raises ImportError without it.
    """
    import numba

    compiled = {function: numba.njit(cache=True)(function) for function in (_linear, _bisection, _tree, _chain)}
    cases = list(_cases(rng.randrange(1 << 30)))
    for _ in range(_REPEATS):
        for name, structure, size, function, data, keys in rng.sample(cases, len(cases)):
            if time.monotonic() >= end:
                return
            watch("microbenchmarks")
            spent = _timed(compiled[function], data, keys)
            if spent is not None:
                values.setdefault((name, structure, size), []).append(spent)


def _timed(function: Callable[..., int], data: Any, keys: Any) -> float | None:
    """ns of one turn, over as many turns as take about _RUN_NS; None where the CPU was taken away meanwhile."""
    turns = 16
    while True:
        switched, start = involuntary_switches(), time.perf_counter_ns()
        function(data, keys, turns)
        spent = time.perf_counter_ns() - start
        if spent >= _RUN_NS:
            return spent / turns if involuntary_switches() == switched else None
        turns = min(turns * 4, max(turns + 1, int(turns * _RUN_NS / max(spent, 1) * 1.2)))


def cells(values: Times, tsc_hz: float | None) -> list[dict[str, Any]]:
    """Medians in ns with their intervals and, where the TSC's rate is known, in TSC cycles."""
    found = []
    for (name, structure, size), times in sorted(values.items()):
        middle, low, high = median_interval(times)
        per = tsc_hz / 1e9 if tsc_hz else None
        found.append(
            {
                "benchmark": name, "structure": structure, "size": size,
                "size_unit": "slots" if name == "slot_search" else "byte", "value": middle, "low": low, "high": high,
                "unit": "ns", "tsc_cycles": middle * per if per else None, "repeats": len(times),
            }
        )  # fmt: skip
    return found


def _cases(seed: int) -> Iterator[tuple[str, str, int, Callable[..., int], Any, Any]]:
    import numpy as np

    generator = np.random.default_rng(seed)
    for slots in SLOTS:
        bases = 2 * _SLOT_PAGES * np.arange(slots, dtype=np.int64)
        hits = bases[generator.integers(0, slots, _KEYS)]
        misses = hits + _SLOT_PAGES + _NO_SLOT
        table = np.zeros((slots, _RECORD), dtype=np.int64)
        table[:, 0], table[:, 1] = bases, _SLOT_PAGES
        yield "slot_search", "array scanned, nothing found", slots, _linear, table, misses
        yield "slot_search", "array bisected, nothing found", slots, _bisection, table, misses
        yield "slot_search", "tree, nothing found", slots, _tree, _scattered(bases, generator), misses
    for size in WORKING_SETS:
        yield "page_table_read", "dependent reads", size, _chain, _cycle(size, generator), np.zeros(1, np.int64)


def _scattered(bases: Sequence[int] | Any, generator: Any) -> Any:
    """A balanced tree over the slots: words are base, pages, left, right (-1 for none); nodes in random places."""
    import numpy as np

    count = len(bases)
    places = np.concatenate(([0], 1 + generator.permutation(count - 1))) if count > 1 else np.zeros(1, np.int64)
    nodes = np.full((count, _RECORD), -1, dtype=np.int64)
    taken = 0
    waiting = [(0, count, -1, 0)]  # range of slots, the parent's place, the word that points here
    while waiting:
        low, high, parent, word = waiting.pop()
        middle = (low + high) // 2
        place = int(places[taken])
        taken += 1
        nodes[place, 0], nodes[place, 1] = bases[middle], _SLOT_PAGES
        if parent >= 0:
            nodes[parent, word] = place
        if low < middle:
            waiting.append((low, middle, place, 2))
        if middle + 1 < high:
            waiting.append((middle + 1, high, place, 3))
    return nodes


def _cycle(size: int, generator: Any) -> Any:
    """Cache lines of which each names the next, all in one cycle of random order."""
    import numpy as np

    count = size // (8 * _LINE)
    order = generator.permutation(count)
    lines = np.zeros((count, _LINE), dtype=np.int64)
    lines[order, 0] = np.roll(order, -1)
    return lines
