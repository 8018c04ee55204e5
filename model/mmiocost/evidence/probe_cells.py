"""The cells of the recorded probe as observations: seven numbers out of the single timings, by a fixed recipe.

Comes in: ``probe/cells.csv`` (which timings make a cell), ``probe/timings.csv``, ``probe/counters.csv`` and the
clock of ``probe/host.json``. Goes out: :class:`Observation` rows in TSC cycles.

``median_difference``: per repeat (block), time per turn of the probe less that of ``minus``, divided by
``divide_by``; the value is the median over repeats. ``page_size_slope``: for every probe, the median time with
4 KiB guest pages less that with 2 MiB, against the page-table reads that this saves by the tracepoint
``kvm_mmu_paging_element``; the value is the slope through the origin. Both use the time measured outside the
guest. The spread is a standard error: robust standard deviation over repeats over the root of their number.
"""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from mmiocost.units import to_cycles

from .package import Package
from .records import Observation, unstated
from .tables import Row

CELLS, TIMINGS, COUNTERS, HOST = "probe_cells", "probe_timings", "probe_counters", "probe_host"

#: What a set of timings is of: probe, mode, cpl, guest page size.
Setting = tuple[str, str, str, str]
#: Time outside the guest per turn, ns, in the order of the repeats.
Timings = Mapping[Setting, Sequence[float]]
#: Guest page-table entries that the host reads per turn.
Reads = Mapping[Setting, float]

_SMALL, _LARGE = "4096", "2097152"
# A median absolute deviation times this is the standard deviation of a normal distribution.
_MAD_TO_SD = 1.4826


@dataclass(frozen=True, slots=True)
class CellTime:
    """A cell in ns: value, standard error and number of repeats."""

    value: float
    sem: float
    repeats: int


def probe_observations(package: Package) -> list[Observation]:
    """The probe's cells as rows of the fit, in cycles of the host's TSC."""
    timings = read_timings(package)
    reads = read_walk_reads(package)
    clock_hz = 1000.0 * json.loads(package.read_bytes(HOST))["tsc_khz"]
    return [_observation(row, cell_time(row, timings, reads), clock_hz) for row in package.rows(CELLS)]


def cell_time(row: Row, timings: Timings, reads: Reads) -> CellTime:
    """The time of one row of ``probe/cells.csv`` by the recipe that it names."""
    return _RECIPES[str(row.cells["method"])](row, timings, reads)


def read_timings(package: Package) -> Timings:
    """Time per turn outside the guest of the block ``paths``, by setting, in the order of the repeats."""
    timings: defaultdict[Setting, list[tuple[int, float]]] = defaultdict(list)
    for row in _block(package, TIMINGS, "paths"):
        if row["quantity"] == "time_outside_per_iteration":
            timings[_setting(row)].append((int(row["repeat"]), float(row["value"])))
    return {setting: [value for _, value in sorted(pairs)] for setting, pairs in timings.items()}


def read_walk_reads(package: Package) -> Reads:
    """Page-table reads per turn: slope of the tracepoint's count between its two loop lengths."""
    counts: defaultdict[Setting, dict[int, float]] = defaultdict(dict)
    for row in _block(package, COUNTERS, "trace"):
        if row["counter"] == "kvm_mmu_paging_element":
            counts[_setting(row)][int(row["iterations"])] = float(row["value"])
    return {setting: _slope(by_length) for setting, by_length in counts.items()}


def _block(package: Package, name: str, experiment: str) -> Iterator[dict[str, str]]:
    # The files hold ten times what is needed: only lines of the block are parsed.
    header, *lines = package.read_bytes(name).decode().splitlines()
    return csv.DictReader([header, *(line for line in lines if line.startswith(f"{experiment},"))])


def _setting(row: Mapping[str, str]) -> Setting:
    return row["probe"], row["mode"], row["cpl"], row["guest_page_size"]


def _slope(by_length: Mapping[int, float]) -> float:
    short, long = min(by_length), max(by_length)
    return (by_length[long] - by_length[short]) / (long - short)


def _median_difference(row: Row, timings: Timings, reads: Reads) -> CellTime:
    setting = tuple(str(row.cells[name]) for name in ("mode", "cpl", "guest_page_size"))
    times = timings[(str(row.cells["probe"]), *setting)]  # type: ignore[index]
    minus = timings[(str(row.cells["minus"]), *setting)] if row.cells["minus"] else [0.0] * len(times)  # type: ignore[index]
    turns = float(row.cells["divide_by"] or 1)
    differences = [(time - other) / turns for time, other in zip(times, minus, strict=True)]
    return CellTime(median(differences), _standard_error(differences), len(differences))


def _page_size_slope(row: Row, timings: Timings, reads: Reads) -> CellTime:
    privileges = str(row.cells["cpl"]).split()
    small = [s for s in timings if s[1] == row.cells["mode"] and s[2] in privileges and s[3] == _SMALL]
    pairs = [(s, (*s[:3], _LARGE), reads.get(s, 0.0) - reads.get((*s[:3], _LARGE), 0.0)) for s in small]
    saved = [count for *_, count in pairs]
    medians = [median(timings[s]) - median(timings[large]) for s, large, _ in pairs]
    repeats = len(timings[small[0]])
    slopes = [
        _through_origin(saved, [timings[s][repeat] - timings[large][repeat] for s, large, _ in pairs])
        for repeat in range(repeats)
    ]
    return CellTime(_through_origin(saved, medians), _standard_error(slopes), repeats)


def _observation(row: Row, time: CellTime, clock_hz: float) -> Observation:
    absent = unstated()
    stated = {name: value for name, value in row.cells.items() if name in absent}
    measured = {
        "value": to_cycles(time.value, "ns", clock_hz),
        "spread": to_cycles(time.sem, "ns", clock_hz),
        "spread_kind": "sem",
        "n_runs": time.repeats,
        "unit": "cycle",
        "clock_hz": clock_hz,
    }
    return Observation(**{**absent, **stated, **measured})  # type: ignore[arg-type]


def _through_origin(x: Sequence[float], y: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(x, y, strict=True)) / sum(a * a for a in x)


def _standard_error(values: Sequence[float]) -> float:
    centre = median(values)
    return _MAD_TO_SD * median(abs(value - centre) for value in values) / math.sqrt(len(values))


_RECIPES: Mapping[str, Callable[[Row, Timings, Reads], CellTime]] = {
    "median_difference": _median_difference,
    "page_size_slope": _page_size_slope,
}
