"""Slot counts climbed while all else stays: the live probe of kernel 6.18, and the memslot selftest of 2021."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from statistics import median

import numpy as np

from ...equations.lowering import kernel
from ...evidence import Evidence
from ...vocabulary import resolve
from .growth import Ladder, Measured

PROBE = "live probe"
_TO_SD = 1.4826  # of a median absolute deviation
_LEAST = 1e-4  # relative: repeats that happen to agree are not exact
_SLOTS_BELOW = 1  # of the probe's MMIO gfn: its RAM; all further slots lie above 4 GiB
_UNSTATED = 0.005  # relative error of a time of the selftest, given to three digits and without spread
_SELFTESTS = {"slot.test_map": "map RAM", "slot.test_unmap": "unmap"}
_KERNELS = {"v517": "tree", "v56": "sorted array"}


def ladders(evidence: Evidence) -> tuple[Ladder, ...]:
    """The probe first, then each test of the selftest on each of its kernels."""
    return (_probe(evidence), *_selftests(evidence))


def _probe(evidence: Evidence) -> Ladder:
    """Median over repeats of each probe, privilege and slot count; stores to MMIO search in vain, ports do not."""
    times: defaultdict[tuple[str, int, int], list[float]] = defaultdict(list)
    for row in evidence.table("probe_timings"):
        if row["experiment"] == "slots" and row["quantity"] == "time_outside_per_iteration":
            times[str(row["probe"]), int(str(row["cpl"])), int(str(row["slots"]))].append(float(str(row["value"])))
    rows = tuple(
        Measured(
            f"{probe}, CPL {cpl}", median(found), _error(found), slots, _levels_in_vain(slots),
            f"CPL {cpl}, {slots} slots", probe.startswith("mmio"),
        )
        for (probe, cpl, slots), found in times.items()
    )  # fmt: skip
    told = "stores to MMIO and OUT to a port, each at two privileges; kernel 6.18, MMIO answers not cached"
    return Ladder(PROBE, told, "probe2026", rows, 3000.0, 20.0, 100.0, (0.0005, 0.002, 0.008), _level(evidence))


def _level(evidence: Evidence) -> tuple[float, float]:
    """ns of one warm compare on the probe's host, and its standard deviation, by the prior that the fit has."""
    prior = evidence.priors["slot_compare"]
    clock = next(row.clock_hz for row in evidence.observations if row.source_id == "probe2026")
    level = prior.median / (clock or 0.0) * 1e9
    return level, level * prior.log_sd


def _error(values: list[float]) -> float:
    middle = median(values)
    sd = _TO_SD * median(abs(value - middle) for value in values)
    return max(sd, _LEAST * middle) / math.sqrt(len(values))


def _selftests(evidence: Evidence) -> Iterator[Ladder]:
    for quantity, doing in _SELFTESTS.items():
        for generation, search in _KERNELS.items():
            rows = [
                row
                for row in evidence.observations
                if (row.quantity, row.generation, row.source_id) == (quantity, generation, "szmigiero2021_v5")
            ]
            measured = tuple(
                Measured(
                    doing, 1e9 * row.value, _UNSTATED * 1e9 * row.value, row.slots or 0,
                    _levels_of_a_hit(generation, row.slots or 0), "", True,
                )
                for row in rows
            )  # fmt: skip
            told = "time of a whole run of memslot_perf_test; its numbers of faults and searches are not published"
            yield Ladder(
                f"selftest, {doing}, {search}", told, "szmigiero2021_v5", measured, 3e7, 0.0, 1e9, (0.03, 0.1, 0.3)
            )


@cache
def _levels_in_vain(slots: int) -> float:
    full = resolve("v517.slot.miss", {"slots": slots, "mmio_gap": min(_SLOTS_BELOW, slots)})
    return float(kernel("v517.slot.miss")({**full, "cold_search_fraction": 0})["slot_compare"])


@cache
def _levels_of_a_hit(generation: str, slots: int) -> float:
    """Mean over all slots, the last-used one being another."""
    path = f"{generation}.slot.hit"
    full = resolve(path, {"slots": slots, "slot_cache_warm": 0})
    return float(np.mean(kernel(path)({**full, "ram_slot": np.arange(1, slots + 1)})["slot_compare"]))
