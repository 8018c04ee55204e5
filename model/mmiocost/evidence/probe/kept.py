"""A run put into the evidence folder: summed up, in Parquet tables, as one import. Also a run that was killed.

While it goes on a run writes its rows and what it knows of the host into a folder of its own beside the imports. The
folder's rows are locked: one that is there and not locked was left by a process that was killed, and is taken up by
the next run.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from blake3 import blake3

from ... import __version__
from ..digest import USER_IMPORTS
from ..importers import folder
from ..importers.rows import complete, written
from . import cells, counts, observed, raw
from .seen import seen

FORMAT = "probe"
_NOTE = folder.PROBE_RUN

Rows = Sequence[dict[str, Any]]


@dataclass
class Run:
    """What is known of a run as it goes on, its rows aside: one line each in ``refused`` for what can't be measured."""

    facts: dict[str, Any]
    machine: str | None = None
    refused: list[str] = field(default_factory=list)
    repeats: dict[str, int] = field(default_factory=dict)
    benchmarks: list[dict[str, Any]] = field(default_factory=list)
    interrupted: bool = False
    unavailable: bool = False

    def note(self, place: Path) -> None:
        """Write it down beside the rows, for whoever has to take the run up."""
        (place / _NOTE).write_text(json.dumps(asdict(self)), encoding="utf-8")


@dataclass
class Measured:
    """What a run found: its cells, and what counters ``saw`` of the host in words.

    ``file``: the observations in the evidence folder, the entry of the import where there are none, None where
    nothing was measured. ``observations`` is their number.
    """

    run: Run
    probes: list[dict[str, Any]]
    saw: list[str]
    file: Path | None = None
    observations: int = 0


def keep(run: Run, timings: Rows, counters: Rows, place: Path) -> Measured:
    """Make the folder ``place`` of a run part of the evidence folder that it stands in, if it holds anything."""
    counted = counts.counts(counters)
    saw = seen(counted, run.facts)
    measured = Measured(run, cells.cells(timings, counted), saw.lines() if counters else [])
    if not (measured.probes or counted or run.benchmarks):
        return measured
    tables = {"timings": timings, "counters": counters, "cells": measured.probes, "counts": counted,
              "benchmarks": run.benchmarks}  # fmt: skip
    checksum = f"blake3:{blake3(json.dumps([run.facts, *tables.values()]).encode()).hexdigest()}"
    source = f"probe-{folder.import_id(checksum)[:8]}"
    observations = complete(observed.observations(measured.probes, saw, run.facts), run.facts, run.machine, source)
    for name, table in tables.items():
        if table:
            _parquet(place / f"{name}.parquet", table, checksum, run.facts)
    if observations:
        (place / "observations.csv").write_text(written(observations), encoding="utf-8")
    made = folder.commit(place, _entry(measured, checksum, len(timings) + len(counters)))
    for name in (_NOTE, *(f"{name}.csv" for name in raw.FILES)):
        (made.path / name).unlink(missing_ok=True)
    measured.observations = len(observations)
    measured.file = made.path / ("observations.csv" if observations else folder.ENTRY)
    return measured


def take_up(to: Path) -> list[Measured]:
    """Keep what runs that were killed have measured into the evidence folder ``to``."""
    return [found for place in _left(to) if (found := _taken_up(place)).file is not None]


def _left(to: Path) -> Iterator[Path]:
    try:
        import fcntl
    except ImportError:  # where nothing can be measured, nothing is left
        return
    for note in sorted((to / USER_IMPORTS).glob(f".*/{_NOTE}")):
        with (note.parent / raw.TIMINGS_FILE).open("rb") as rows:
            try:
                fcntl.flock(rows, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # its process is alive
                continue
            yield note.parent


def _taken_up(place: Path) -> Measured:
    run = Run(**json.loads((place / _NOTE).read_text(encoding="utf-8")))
    run.interrupted = True
    found = keep(run, raw.read(place / raw.TIMINGS_FILE), raw.read(place / raw.COUNTERS_FILE), place)
    if found.file is None:
        shutil.rmtree(place, ignore_errors=True)
    return found


def _entry(measured: Measured, checksum: str, rows: int) -> dict[str, Any]:
    run = measured.run
    return {
        "file": FORMAT, "checksum": checksum, "size": None, "format": FORMAT,
        "imported": datetime.now(UTC).isoformat(timespec="milliseconds"), "importer": __version__, "options": {},
        "facts": run.facts, "rows": rows, "skipped": 0, "skipped_lines": [],
        "warnings": [{"line": None, "text": text} for text in run.refused],
        "saw": measured.saw, "repeats": run.repeats, "interrupted": run.interrupted,
    }  # fmt: skip


def _parquet(path: Path, table: Rows, checksum: str, facts: Mapping[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    about = {"file": FORMAT, "checksum": checksum, "format": FORMAT, "facts": json.dumps(facts)}
    pq.write_table(pa.Table.from_pylist(list(table)).replace_schema_metadata(about), path, compression="zstd")
