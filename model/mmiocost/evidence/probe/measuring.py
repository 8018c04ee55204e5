"""One run of the probe from start to end: host, VMs, microbenchmarks, and an import of the user's evidence folder."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from blake3 import blake3

from ... import __version__
from ...errors import MmioCostError
from ..importers import folder
from ..importers.rows import complete, written
from . import campaign, cells, counts, host, microbenchmarks, observed, raw
from .plan import FULL, QUICK, Plan
from .seen import seen

FORMAT = "probe"
QUICK_S, FULL_S = 20.0, 120.0
_MICRO_SHARE, _MICRO_S = 0.2, 6.0  # of the budget, but no more seconds, after the VMs
_SEED = 20260101
_OVERHEAD_S = 2.0  # what closing, summing up and writing take of the budget

Watch = Callable[[str], None]


@dataclass
class Measured:
    """What a run found: cells, microbenchmarks, facts, and in one line each what could not be measured.

    ``file``: the observations in the evidence folder, or the entry of the import where there are none.
    """

    probes: list[dict[str, Any]]
    benchmarks: list[dict[str, Any]]
    facts: dict[str, Any]
    saw: list[str]
    refused: list[str]
    repeats: dict[str, int]
    interrupted: bool
    unavailable: bool
    file: Path | None = None
    observations: int = 0


@dataclass
class _Run:
    facts: dict[str, Any]
    refused: list[str] = field(default_factory=list)
    repeats: dict[str, int] = field(default_factory=dict)
    benchmarks: list[dict[str, Any]] = field(default_factory=list)
    interrupted: bool = False
    unavailable: bool = False


def measure(
    to: Path,
    quick: bool = False,
    budget_s: float | None = None,
    machine: str | None = None,
    watch: Watch = lambda _: None,
) -> Measured:
    """Measure this host for at most ``budget_s`` seconds and put the result into the evidence folder ``to``.

    ``watch`` is called with the name of the experiment as it goes on. Ctrl-C and SIGTERM end the run early; what is
    measured by then is kept. Where no VM runs, the microbenchmarks alone are kept and ``unavailable`` is set. Raises
    InvalidInput where the folder can't be written.
    """
    budget = budget_s or (QUICK_S if quick else FULL_S)
    end = time.monotonic() + max(budget - _OVERHEAD_S, 0.5 * budget)
    run = _Run(host.facts())
    with folder.staged(to) as staging, raw.RawRows(staging) as rows, _stoppable():
        try:
            _probe(run, rows, QUICK if quick else FULL, end - min(_MICRO_SHARE * budget, _MICRO_S), watch)
            _benchmark(run, end, watch)
        except KeyboardInterrupt:
            run.interrupted = True
        with _unstoppable():
            return _kept(run, rows, staging, to, machine)


def _probe(run: _Run, rows: raw.RawRows, plan: Plan, end: float, watch: Watch) -> None:
    try:
        look = campaign.first_look()
    except MmioCostError as error:
        run.refused.append(str(error))
        run.unavailable = True
        return
    most, untraced = look.pop("max_slots"), look.pop("untraced")
    run.facts |= {**look, "clock_hz": 1000.0 * look["tsc_khz"]}
    run.refused += [untraced] if untraced else []
    run.refused += [f"{name} is missing" for name, value in look["capabilities"].items() if not value]
    with campaign.Campaign(plan, rows, end - time.monotonic(), _SEED, watch) as going:
        try:
            going.run(most, not untraced)
        finally:
            run.refused += [f"{vm}: {why}" for vm, why in going.refused.items()]
            run.repeats = going.repeats


def _benchmark(run: _Run, end: float, watch: Watch) -> None:
    try:
        run.benchmarks = microbenchmarks.measure(run.facts.get("clock_hz"), end, Random(_SEED), watch)
    except ImportError:
        run.refused.append("microbenchmarks: need numba")


def _kept(run: _Run, rows: raw.RawRows, staging: Path, to: Path, machine: str | None) -> Measured:
    counted = counts.counts(rows.counters)
    saw = seen(counted, run.facts)
    found = cells.cells(rows.timings, counted)
    said = saw.lines() if rows.counters else []
    measured = Measured(
        found, run.benchmarks, run.facts, said, run.refused, run.repeats, run.interrupted, run.unavailable
    )
    if not (found or counted or run.benchmarks):
        return measured
    checksum = _checksum(staging, measured)
    observations = complete(
        observed.observations(found, saw, run.facts), run.facts, machine, f"probe-{folder.import_id(checksum)[:8]}"
    )
    tables = {"timings": rows.timings, "counters": rows.counters, "cells": found, "counts": counted,
              "benchmarks": run.benchmarks}  # fmt: skip
    for name, table in tables.items():
        if table:
            _parquet(staging / f"{name}.parquet", table, checksum, run.facts)
    for name in raw.FILES:
        (staging / f"{name}.csv").unlink()
    if observations:
        (staging / "observations.csv").write_text(written(observations), encoding="utf-8")
    made = folder.commit(staging, _entry(measured, checksum, len(rows.timings) + len(rows.counters)))
    measured.observations = len(observations)
    measured.file = made.path / ("observations.csv" if observations else folder.ENTRY)
    return measured


def _checksum(staging: Path, measured: Measured) -> str:
    digest = blake3()
    for name in raw.FILES:
        digest.update((staging / f"{name}.csv").read_bytes())
    digest.update(json.dumps(measured.benchmarks).encode())
    return f"blake3:{digest.hexdigest()}"


def _entry(measured: Measured, checksum: str, rows: int) -> dict[str, Any]:
    return {
        "file": FORMAT, "checksum": checksum, "size": None, "format": FORMAT,
        "imported": datetime.now(UTC).isoformat(timespec="milliseconds"), "importer": __version__, "options": {},
        "facts": measured.facts, "rows": rows, "skipped": 0, "skipped_lines": [],
        "warnings": [{"line": None, "text": text} for text in measured.refused],
        "saw": measured.saw, "repeats": measured.repeats, "interrupted": measured.interrupted,
    }  # fmt: skip


def _parquet(path: Path, table: list[dict[str, Any]], checksum: str, facts: Mapping[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    about = {"file": FORMAT, "checksum": checksum, "format": FORMAT, "facts": json.dumps(facts)}
    pq.write_table(pa.Table.from_pylist(table).replace_schema_metadata(about), path, compression="zstd")


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does; where signals can't be set (no main thread) nothing changes."""
    with _handling({signal.SIGTERM: signal.default_int_handler}):
        yield


@contextmanager
def _unstoppable() -> Iterator[None]:
    """What has been measured is written down whatever comes."""
    with _handling(dict.fromkeys((signal.SIGTERM, signal.SIGINT), signal.SIG_IGN)):
        yield


@contextmanager
def _handling(handlers: Mapping[signal.Signals, Any]) -> Iterator[None]:
    before: dict[signal.Signals, Any] = {}
    try:
        with suppress(ValueError):  # not in the main thread
            before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
