"""Raw rows of a run: one measured time or one counter difference each, written as they come.

The columns are those of the packaged probe/timings.csv and probe/counters.csv, with the number of the VM and whether
the CPU was taken away during the run.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

SETTING = (
    "experiment", "probe", "path", "mode", "cpl", "guest_levels", "guest_page_size", "slots", "mmio_pages", "operation",
    "step",
)  # fmt: skip
RUN = ("vm", "iterations", "repeat", "preempted")
TIMINGS = (*SETTING, *RUN, "quantity", "value", "unit")
COUNTERS = ("experiment", "source", *SETTING[1:], *RUN, "counter", "value")
FILES = {"timings": TIMINGS, "counters": COUNTERS}
TIMINGS_FILE, COUNTERS_FILE = (f"{name}.csv" for name in FILES)
INSIDE, OUTSIDE, OPERATION = "time_inside_per_iteration", "time_outside_per_iteration", "time_per_operation"
KVM_STATS, TRACEPOINT = "kvm_stats", "tracepoint"

RawRow = Mapping[str, Any]


class RawRows:
    """Two CSV files in a folder that grow row by row; also in memory, for what is decided while it is measured."""

    def __init__(self, folder: Path) -> None:
        self.timings: list[dict[str, Any]] = []
        self.counters: list[dict[str, Any]] = []
        self._files = {name: (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") for name in FILES}
        self._writers = {name: csv.DictWriter(self._files[name], FILES[name], lineterminator="\n") for name in FILES}
        _lock(self._files["timings"])
        for writer in self._writers.values():
            writer.writeheader()

    def __enter__(self) -> RawRows:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
            file.close()

    def add(self, rows: Iterable[RawRow]) -> None:
        """Write rows: with a ``counter`` to the counters, else to the timings."""
        for row in rows:
            name = "counters" if "counter" in row else "timings"
            full = dict.fromkeys(FILES[name], "") | dict(row)
            (self.counters if name == "counters" else self.timings).append(full)
            self._writers[name].writerow(full)
        for file in self._files.values():
            file.flush()


def _lock(file: TextIO) -> None:
    """Lock a file for as long as this process lives, where the system can."""
    with suppress(ImportError):
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)


def read(path: Path) -> list[dict[str, Any]]:
    """Rows of one of the files, without a last line that was cut."""
    text = path.read_text(encoding="utf-8")
    return parsed(text[: text.rfind("\n") + 1])


def parsed(text: str) -> list[dict[str, Any]]:
    """Rows of a text in the form of one of the files, numbers as numbers; columns that it lacks are 0."""
    rows = []
    for cells in csv.DictReader(text.splitlines()):
        row: dict[str, Any] = dict(cells)
        for name in ("cpl", "guest_levels", "guest_page_size", "slots", "mmio_pages", "iterations", "repeat", "vm"):
            row[name] = int(cells[name]) if cells.get(name) else 0
        row["preempted"] = cells.get("preempted") in ("1", "True")
        row["value"] = float(cells["value"])
        rows.append(row)
    return rows
