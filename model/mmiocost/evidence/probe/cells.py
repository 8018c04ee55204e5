"""Cells of a run: the median over repeats of each setting with its interval, and what follows from pairs of them.

Times are those inside the guest (the outside ones hold the end of the loop, tens of microseconds on some hosts), but
for memslot updates, which the host makes. A run during which the CPU was taken away is left out where five others of
its cell are not; ``left_out`` counts them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from . import raw
from .counts import Key, key_of, per_turn
from .intervals import median_interval

_ENOUGH = 5
_SMALL = 4096
_ELEMENTS = "kvm_mmu_paging_element"
_NUMBERS = ("guest_levels", "guest_page_size", "slots", "mmio_pages")
_EMPTY: dict[str, Any] = {name: None if name in _NUMBERS else "" for name in raw.SETTING}

#: Value by what pairs runs: the number of the VM and of the repeat.
Paired = dict[tuple[int, int], float]


def cells(timings: Sequence[Mapping[str, Any]], counts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """All cells of a run, the derived ones last; ``counts`` as :func:`counts.counts` gives them."""
    found = [_cell(key, values, dropped) for key, (values, dropped) in _by_setting(timings).items()]
    return [*found, *_net_cells(timings), *_doubling_cells(timings), *_level_cells(timings, counts)]


def paired(timings: Iterable[Mapping[str, Any]], quantity: str = raw.INSIDE) -> dict[Key, Paired]:
    """Times of the settings that were not preempted, by setting, then by VM and repeat (the median of several)."""
    found: defaultdict[Key, defaultdict[tuple[int, int], list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in timings:
        if row["quantity"] == quantity and not row["preempted"]:
            found[key_of(row)][int(row["vm"]), int(row["repeat"])].append(float(row["value"]))
    return {key: {pair: median(values) for pair, values in item.items()} for key, item in found.items()}


def _by_setting(timings: Iterable[Mapping[str, Any]]) -> dict[Key, tuple[list[float], int]]:
    """Values of each setting that count, and how many were left out."""
    calm: defaultdict[Key, list[float]] = defaultdict(list)
    every: defaultdict[Key, list[float]] = defaultdict(list)
    for row in timings:
        if row["quantity"] in (raw.INSIDE, raw.OPERATION):
            every[key_of(row)].append(float(row["value"]))
            if not row["preempted"]:
                calm[key_of(row)].append(float(row["value"]))
    chosen = {key: calm[key] if len(calm[key]) >= _ENOUGH else values for key, values in every.items()}
    return {key: (values, len(every[key]) - len(values)) for key, values in chosen.items()}


def _cell(key: Key, values: Sequence[float], left_out: int, of: str = "time", minus: str = "") -> dict[str, Any]:
    middle, low, high = median_interval(values)
    return {
        **dict(zip(raw.SETTING, key, strict=True)), "of": of, "minus": minus, "value": middle, "low": low, "high": high,
        "unit": "ns", "repeats": len(values), "left_out": left_out,
    }  # fmt: skip


def _net_cells(timings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Times of ``paths`` less the empty loop of the same VM and block; and user space less ioeventfd."""
    times = {key: values for key, values in paired(timings).items() if key[0] == "paths"}
    found = []
    for key, values in times.items():
        for other in ("loop", "mmio_store_any", "pio_out_any"):
            if _is_pair(str(key[1]), other) and (less := times.get(_same_vm(times, key, other))):
                differences = [value - less[pair] for pair, value in values.items() if pair in less]
                if differences:
                    found.append(_cell(key, differences, 0, "difference", other))
    return found


def _is_pair(probe: str, other: str) -> bool:
    return probe != other and (other == "loop" or probe == other.replace("_any", "_user"))


def _same_vm(times: Mapping[Key, Any], key: Key, probe: str) -> Key:
    return next((k for k in times if k[1] == probe and k[3:] == key[3:]), ())


def _doubling_cells(timings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Slope of an access per doubling of the slots, within each VM and block, so that VMs don't pose as slots."""
    series: defaultdict[Key, defaultdict[tuple[int, int], list[tuple[float, float]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    at = raw.SETTING.index("slots")
    for key, values in paired(timings).items():
        if key[0] == "slots":
            for pair, value in values.items():
                series[(*key[:at], None, *key[at + 1 :])][pair].append((math.log2(key[at]), value))
    found = []
    for key, pairs in series.items():
        fitted = [_slope(points) for points in pairs.values() if len({x for x, _ in points}) > 2]
        if fitted:
            found.append(_cell(key, fitted, 0, "slope per doubling of slots"))
    return found


def _level_cells(timings: Iterable[Mapping[str, Any]], counts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One guest page-table level read: time that large guest pages save over the reads that they save."""
    reads = {_guest(key): item.get(_ELEMENTS, 0.0) for key, item in per_turn(counts, "trace").items()}
    times = {_guest(key): item for key, item in paired(timings).items() if key[0] == "paths"}
    points: defaultdict[tuple[str, int], defaultdict[tuple[int, int], list[tuple[float, float]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for small, values in times.items():
        large = next((guest for guest in times if guest[:3] == small[:3] and guest[3] > _SMALL), None)
        if small[3] == _SMALL and large is not None and small in reads and large in reads:
            saved = reads[small] - reads[large]
            for pair in values.keys() & times[large].keys():
                points[small[1], small[2]][pair].append((saved, values[pair] - times[large][pair]))
    found = []
    for (mode, cpl), pairs in points.items():
        fitted = [_through_origin(item) for item in pairs.values() if any(x for x, _ in item)]
        about = _EMPTY | {"experiment": "paths", "mode": mode, "cpl": cpl}
        if fitted:
            found.append(_cell(tuple(about[name] for name in raw.SETTING), fitted, 0, "guest page-table level read"))
    return found


def _guest(key: Key) -> tuple[str, str, int, int]:
    """Probe, mode, privilege and page size of a setting."""
    return tuple(key[raw.SETTING.index(name)] for name in ("probe", "mode", "cpl", "guest_page_size"))


def _slope(points: Sequence[tuple[float, float]]) -> float:
    mean_x, mean_y = (sum(item) / len(points) for item in zip(*points, strict=True))
    over = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return float(over / sum((x - mean_x) ** 2 for x, _ in points))


def _through_origin(points: Sequence[tuple[float, float]]) -> float:
    return sum(x * y for x, y in points) / sum(x * x for x, _ in points)
