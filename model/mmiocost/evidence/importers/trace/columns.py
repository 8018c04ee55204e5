"""Events and pairs of a trace as Parquet files, written in groups of rows while the trace is read.

``events/`` holds a file for each kind of event, since a column that only some rows have costs three times as much
to write: ``read_parquet('events/*.parquet', union_by_name=true)`` gives one table, and ``line`` its order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import classes
from . import pairing as p
from .block import ROOM
from .payloads import ENTRY, EVENTS, EXIT, RW_NAMES


class Names:
    """What the numbers in the columns stand for, by number."""

    def __init__(self) -> None:
        self.tid: list[int] = []
        self.tgid: list[int] = []
        self.comm: list[str] = []
        self.event = list(EVENTS)
        self.reason: list[str] = []
        self.printed: list[str] = []


class Field(NamedTuple):
    """A column of a file, made from a column of gathered numbers; -1 is null.

    ``kind`` is a NumPy type for a number, "text" for names (empty where there is none), "constant" for one name.
    ``texts`` are the names by number, or the list of Names that has them; numbers may be looked up there as well.
    """

    name: str
    column: int
    kind: str = "int64"
    texts: str | Sequence[str] = ()


def _of_event(event: Field, *more: Field) -> tuple[Field, ...]:
    return (
        Field("time", 0), Field("line", 1), Field("cpu", 2, "int32"), Field("tid", 3, "int32", "tid"),
        Field("tgid", 3, "int32", "tgid"), Field("vcpu", 4, "int32"), Field("comm", 3, "text", "comm"), event, *more,
    )  # fmt: skip


_EVENT = Field("event", 5, "text", "event")
#: Files and their columns, in the order of ``pairing``'s numbers for them.
FILES: Mapping[str, tuple[Field, ...]] = {
    "events/exits": _of_event(
        Field("event", EXIT, "constant", EVENTS), Field("reason", 5, "text", "reason"),
        Field("reason_printed", 6, "text", "printed"), Field("error_code", 7),
    ),
    "events/entries": _of_event(Field("event", ENTRY, "constant", EVENTS)),
    "events/accesses": _of_event(
        _EVENT, Field("gpa", 6), Field("len", 7, "int32"), Field("rw", 8, "text", RW_NAMES),
    ),
    "events/others": _of_event(
        _EVENT, Field("error_code", 6), Field("gen", 7), Field("valid", 8, "int8"), Field("level", 9, "int32"),
    ),
    "pairs": (
        Field("tid", p.P_THREAD, "int32", "tid"), Field("vcpu", p.P_VCPU, "int32"),
        Field("reason", p.P_REASON, "text", "reason"), Field("class", p.P_CLASS, "text", classes.CLASSES),
        Field("slow_case", p.P_CASE, "text", classes.SLOW_CASES), Field("served", p.P_SERVED, "text", classes.SERVED),
        Field("gpa", p.P_ADDRESS), Field("rw", p.P_RW, "text", RW_NAMES), Field("start", p.P_START),
        Field("duration", p.P_DURATION), Field("migrated", p.P_MIGRATED, "int8"),
        Field("line_exit", p.P_EXIT_LINE), Field("line_entry", p.P_ENTRY_LINE),
    ),
}  # fmt: skip
_VALUE = Field("value", 9, "uint64")
_STORED = {"text": "int32", "constant": "int32"}


class Store:
    """The files of one trace, and the numbers that are gathered for each before they are written.

    ``addresses`` (5,) and ``used`` (5,) are what ``pairing.pair`` writes through. With ``values`` the values read and
    written are kept too.
    """

    def __init__(self, folder: Path, names: Names, metadata: Callable[[], Mapping[str, str]], values: bool) -> None:
        self._names, self._metadata = names, metadata
        more = {"events/accesses": (_VALUE,)} if values else {}
        self._fields = [(*fields, *more.get(name, ())) for name, fields in FILES.items()]
        self._paths = [folder / f"{name}.parquet" for name in FILES]
        self._columns = [np.empty((width, p.CAPACITY), np.int64) for width in p.WIDTHS]
        # Columns as they are written, in memory that is used again: new memory costs more than what is put there.
        self._narrow = [[np.empty(p.CAPACITY, _STORED.get(f.kind, f.kind)) for f in fields] for fields in self._fields]
        self._writers: list[Any] = [None] * len(FILES)
        self.addresses = np.array([columns.ctypes.data for columns in self._columns], np.int64)
        self.used = np.zeros(len(FILES), np.int64)

    def make_room(self) -> None:
        """Write what is gathered where another block might not fit."""
        for number in np.flatnonzero(self.used > p.CAPACITY - ROOM):
            self._write(int(number))

    def close(self) -> None:
        """Write what is left and the files' ends, and give the memory back; a file without rows is not made."""
        for number in np.flatnonzero(self.used):
            self._write(int(number))
        for writer in filter(None, self._writers):
            writer.close()
        self._columns.clear()
        self._narrow.clear()

    def _write(self, number: int) -> None:
        import pyarrow as pa

        rows = self._columns[number][:, : self.used[number]]
        fields = self._fields[number]
        arrays = [_array(rows, *pair, self._names) for pair in zip(fields, self._narrow[number], strict=True)]
        table = pa.Table.from_arrays(arrays, [field.name for field in fields])
        if self._writers[number] is None:
            self._writers[number] = _writer(
                self._paths[number], table.schema.with_metadata(dict(self._metadata())), fields
            )
        self._writers[number].write_table(table, row_group_size=p.CAPACITY)
        self.used[number] = 0


def _writer(path: Path, schema: Any, fields: Sequence[Field]) -> Any:
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [field.name for field in fields if field.kind in ("text", "constant")]
    steady = {name: "DELTA_BINARY_PACKED" for name in ("line", "line_exit", "line_entry") if name in schema.names}
    return pq.ParquetWriter(
        path, schema, compression="none", use_dictionary=texts, write_statistics=False, column_encoding=steady
    )


def _array(rows: Any, field: Field, narrow: Any, names: Names) -> Any:
    """A column as an arrow array, its numbers in ``narrow``."""
    import pyarrow as pa

    texts = getattr(names, field.texts) if isinstance(field.texts, str) else field.texts
    data = narrow[: rows.shape[1]]
    if field.kind == "constant":
        data[:] = 0
        return pa.DictionaryArray.from_arrays(_numbers(data), pa.array([texts[field.column]], pa.string()))
    values = rows[field.column]
    if field.kind == "text" or not texts:
        np.copyto(data, values, casting="unsafe")
    else:
        np.take(np.array(texts, data.dtype), values, out=data, mode="clip")
    numbers = _numbers(data)
    return pa.DictionaryArray.from_arrays(numbers, pa.array(texts, pa.string())) if field.kind == "text" else numbers


def _numbers(data: Any) -> Any:
    """An arrow array over the same memory, with null for what is negative."""
    import pyarrow as pa

    kind = pa.from_numpy_dtype(data.dtype)
    bits = None
    if data.min(initial=0) < 0:
        if data.max() < 0:
            return pa.nulls(len(data), kind)
        bits = pa.py_buffer(np.packbits(data >= 0, bitorder="little"))
    return pa.Array.from_buffers(kind, len(data), [bits, pa.py_buffer(data)])
