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
    """A column of a file, made from a column of gathered numbers; -1 is null, which a ``required`` one never holds.

    ``kind`` is a NumPy type for a number, "text" for names (empty where there is none), "constant" for one name.
    ``texts`` are the names by number, or the list of Names that has them; numbers may be looked up there as well.
    """

    name: str
    column: int
    kind: str = "int64"
    texts: str | Sequence[str] = ()
    required: bool = False


def _always(name: str, column: int, kind: str = "int64", texts: str | Sequence[str] = ()) -> Field:
    return Field(name, column, kind, texts, required=True)


def _of_event(event: Field, *more: Field) -> tuple[Field, ...]:
    return (
        _always("time", 0), _always("line", 1), Field("cpu", 2, "int32"), _always("tid", 3, "int32", "tid"),
        Field("tgid", 3, "int32", "tgid"), Field("vcpu", 4, "int32"), _always("comm", 3, "text", "comm"), event, *more,
    )  # fmt: skip


_EVENT = _always("event", 5, "text", "event")
#: Files and their columns, in the order of ``pairing``'s numbers for them.
FILES: Mapping[str, tuple[Field, ...]] = {
    "events/exits": _of_event(
        _always("event", EXIT, "constant", EVENTS), _always("reason", 5, "text", "reason"),
        _always("reason_printed", 6, "text", "printed"), Field("error_code", 7),
    ),
    "events/entries": _of_event(_always("event", ENTRY, "constant", EVENTS)),
    "events/accesses": _of_event(
        _EVENT, Field("gpa", 6), Field("len", 7, "int32"), Field("rw", 8, "text", RW_NAMES),
    ),
    "events/others": _of_event(
        _EVENT, Field("error_code", 6), Field("gen", 7), Field("valid", 8, "int8"), Field("level", 9, "int32"),
    ),
    "pairs": (
        _always("tid", p.P_THREAD, "int32", "tid"), Field("vcpu", p.P_VCPU, "int32"),
        _always("reason", p.P_REASON, "text", "reason"), _always("class", p.P_CLASS, "text", classes.CLASSES),
        _always("slow_case", p.P_CASE, "text", classes.SLOW_CASES),
        _always("served", p.P_SERVED, "text", classes.SERVED),
        Field("gpa", p.P_ADDRESS), _always("rw", p.P_RW, "text", RW_NAMES), _always("start", p.P_START),
        _always("duration", p.P_DURATION), _always("migrated", p.P_MIGRATED, "int8"),
        _always("line_exit", p.P_EXIT_LINE), _always("line_entry", p.P_ENTRY_LINE),
    ),
}  # fmt: skip
_VALUE = Field("value", 9, "uint64")


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

    def _write(self, number: int) -> None:
        import pyarrow as pa

        columns, used, fields = self._columns[number], self.used[number], self._fields[number]
        arrays = [_array(columns, used, field, self._names) for field in fields]
        kept = zip(fields, arrays, strict=True)
        schema = pa.schema([pa.field(field.name, array.type, nullable=not field.required) for field, array in kept])
        table = pa.Table.from_arrays(arrays, schema=schema)
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


def _array(columns: Any, used: int, field: Field, names: Names) -> Any:
    """A column as an arrow array, over the gathered numbers themselves where nothing is looked up."""
    import pyarrow as pa

    texts = getattr(names, field.texts) if isinstance(field.texts, str) else field.texts
    if field.kind == "constant":
        return _named(pa.array(np.zeros(used, np.int32)), [texts[field.column]])
    wide = field.kind in ("int64", "uint64")
    data = columns[field.column].view("int64" if wide else "int32")[:used]
    if field.kind == "text":
        return _named(_numbers(data, field.required), texts)
    if texts:
        found = np.array(texts, field.kind)
        if found.max() < 0:
            return pa.nulls(int(used), pa.from_numpy_dtype(found.dtype))
        data = np.take(found, data, mode="clip")  # every number has a text: clipping only spares the check
    return _numbers(data.astype(field.kind, copy=False), field.required)


def _named(numbers: Any, texts: Sequence[str]) -> Any:
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(numbers, pa.array(texts, pa.string()), safe=False)  # Naming gave the numbers


def _numbers(data: Any, required: bool) -> Any:
    """An arrow array over the same memory, with null for what is negative where that may be."""
    import pyarrow as pa

    if required or data.min(initial=0) >= 0:
        return pa.array(data)
    if data.max() < 0:
        return pa.nulls(len(data), pa.from_numpy_dtype(data.dtype))
    bits = pa.py_buffer(np.packbits(data >= 0, bitorder="little"))
    return pa.Array.from_buffers(pa.from_numpy_dtype(data.dtype), len(data), [bits, pa.py_buffer(data)])
