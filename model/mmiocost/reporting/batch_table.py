"""The results of a batch as one Parquet table: a row for each value that a notebook recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cache import write_atomically
from ..execution.results import NotebookRun
from ..vocabulary import SYMBOLS
from ..whatif.scenario import Scenario

FILE = "results.parquet"
_COUNTS = {symbol.name for symbol in SYMBOLS}


@dataclass(frozen=True)
class Row:
    """A scenario that went through a notebook, both by name."""

    name: str
    notebook: str
    scenario: Scenario
    run: NotebookRun

    @property
    def status(self) -> str:
        """``done`` or ``failed``: whether it was executed now or before is no matter of the result."""
        return "failed" if self.run.status == "failed" else "done"

    @property
    def fields(self) -> dict[str, Any]:
        """What the scenario sets: machine, mode, generations, symbols."""
        asked = self.scenario
        plain = {"machine": asked.machine, "mode": asked.mode, "before": asked.before, "after": asked.after}
        return {**plain, **asked.counts, **asked.mix}


def write_table(rows: Sequence[Row], out: Path, about: Mapping[str, str]) -> Path:
    """Write the table into the folder ``out``; its metadata say, under the key ``mmiocost``, what it is of.

    Columns: scenario, notebook, status, error; what the scenarios set, in the units of the symbols; then name, value,
    low, high, unit of a recorded value. A run that recorded none has one row, with nothing in these.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema(rows, about)
    columns: dict[str, list[Any]] = {name: [] for name in schema.names}
    for row in rows:
        head = {
            "scenario": row.name,
            "notebook": row.notebook,
            "status": row.status,
            "error": _error(row),
            **row.fields,
        }
        for value in row.run.values or (None,):
            body = (
                {}
                if value is None
                else {part: getattr(value, part) for part in ("name", "value", "low", "high", "unit")}
            )
            for name, column in columns.items():
                column.append(head.get(name, body.get(name)))
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, schema=schema), buffer, compression="zstd")
    path = out / FILE
    write_atomically(path, buffer.getvalue().to_pybytes())
    return path


def _schema(rows: Sequence[Row], about: Mapping[str, str]) -> Any:
    import pyarrow as pa

    fields = dict.fromkeys(name for row in rows for name in row.fields)
    texts = {"machine", "mode", "before", "after"}
    kinds = {True: pa.int64(), False: pa.float64()}
    columns = [pa.field(name, pa.string()) for name in ("scenario", "notebook", "status", "error")]
    columns += [pa.field(name, pa.string() if name in texts else kinds[name in _COUNTS]) for name in fields]
    columns += [pa.field("name", pa.string()), *(pa.field(name, pa.float64()) for name in ("value", "low", "high"))]
    return pa.schema([*columns, pa.field("unit", pa.string())], metadata={"mmiocost": json.dumps(about)})


def _error(row: Row) -> str | None:
    error = row.run.error
    return f"cell {error.number}: {error.ename}: {error.evalue}" if error else None
