"""Finished runs of the probe, however they are kept: recorded with single times, packaged as cells, or the user's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..importers.folder import Import, imports
from ..package import Package, open_package
from . import cells, counts, host, raw

_BUMP_STORES = 4
_TURNS = {"turn 0": "1 first touch", "turn 1": "2 again", "turn 2": "3 again", "turn 3": "4 again"}
_QUANTITIES = {"time_inside_per_run_of_4_stores": raw.INSIDE, "time_of_bump": raw.OPERATION}
RECORDED, PACKAGED = "AMD EPYC (Zen 5), recorded", "Intel Xeon, packaged"


@dataclass(frozen=True)
class ProbeRun:
    """A run: host facts, cells (:func:`cells.cells`), counts (:func:`counts.counts`) and microbenchmarks."""

    name: str
    facts: Mapping[str, Any]
    cells: Sequence[Mapping[str, Any]]
    counts: Sequence[Mapping[str, Any]]
    benchmarks: Sequence[Mapping[str, Any]]


def packaged() -> tuple[ProbeRun, ...]:
    """The recorded experiment and the run of this probe that come with the package."""
    package = open_package()
    return (_recorded(package), _packaged(package))


def own(folders: Sequence[Path]) -> tuple[ProbeRun, ...]:
    """The runs in the user's evidence folders. Raises InvalidInput for a damaged import."""
    return tuple(_own(item) for folder in folders for item in imports(folder) if item.entry["format"] == "probe")


def _recorded(package: Package) -> ProbeRun:
    said = json.loads(package.read_bytes("probe_host"))
    timings = [_in_our_terms(row) for row in raw.parsed(package.read_bytes("probe_timings").decode())]
    counters = raw.parsed(package.read_bytes("probe_counters").decode())
    counted = counts.counts([_in_our_terms(row) for row in counters])
    cpu = said["cpu"]
    modules: dict[str, dict[str, str]] = {}
    for name, value in said["module_parameters"].items():
        module, _, parameter = name.partition(".")
        modules.setdefault(module, {})[parameter] = value
    facts = {
        "cpu_model": cpu["model name"], "vendor": cpu["vendor_id"], "release": said["kernel"],
        "microarchitecture": host.microarchitecture(cpu["vendor_id"], int(cpu["cpu family"]), int(cpu["model"]), []),
        "is_guest": said["is_guest"], "tsc_khz": said["tsc_khz"], "clock_hz": 1000.0 * said["tsc_khz"],
        "ioctl_floor_ns": said["python_ioctl_floor_ns"], "kvm_modules": modules, **host.paging(modules),
    }  # fmt: skip
    return ProbeRun(RECORDED, facts, cells.cells(timings, counted), counted, ())


def _in_our_terms(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the recorded files in the terms of this probe: they count bumps, and name phases otherwise."""
    step = str(row["step"])
    if row["experiment"] == "mmio_pages":
        return {**row, "step": _TURNS.get(step, step), "operation": "store"}
    if row["experiment"] != "generation_bump":
        return row
    step = "update" if row.get("quantity") == "time_of_bump" else step.split()[0]
    more = {"quantity": _QUANTITIES.get(row["quantity"], "")} if "quantity" in row else {}
    return {**row, "step": step, "iterations": row["iterations"] * _BUMP_STORES, **more}


def _packaged(package: Package) -> ProbeRun:
    tables = {
        name: [row.cells for row in package.rows(f"probe_xeon_{name}")] for name in ("cells", "counts", "benchmarks")
    }
    facts = json.loads(package.read_bytes("probe_xeon_host"))
    return ProbeRun(PACKAGED, facts, tables["cells"], tables["counts"], tables["benchmarks"])


def _own(item: Import) -> ProbeRun:
    facts = item.entry["facts"]
    name = f"{facts.get('cpu_model', 'your machine')}, {str(item.entry['imported'])[:10]}"
    tables = {name: list(_rows(item, name)) for name in ("cells", "counts", "benchmarks")}
    return ProbeRun(name, facts, tables["cells"], tables["counts"], tables["benchmarks"])


def _rows(item: Import, table: str) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    for path in item.tables(table):
        yield from pq.read_table(path).to_pylist()
