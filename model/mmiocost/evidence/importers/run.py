"""One file imported: read, summarised, and put into the folder whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from blake3 import blake3

from ... import __version__
from ...errors import InvalidInput, MmioCostError, Problem
from ..digest import USER_TABLE
from . import folder, recording, rows, summaries
from .detect import REPORTS, TRACES, detect, named
from .reading import Account, Options, Reading, lines
from .source import STANDARD_INPUT, Source, open_source

LOUD = 0.5  # share of skipped lines from which on a file is hardly what it was taken for


def import_file(path: str, to: Path, options: Options) -> dict[str, Any]:
    """Import one file into the folder ``to`` and give its object of the JSON of ``import``.

    Raises InvalidInput for a file that can't be read, is in no known format or holds nothing usable.
    """
    if (known := _known(path, to)) is not None:
        return _again(path, known)
    with _written(to), folder.staged(to) as staging, open_source(path) as source:
        form = named(options.format) if options.format else detect(source.head(), path)
        reading = _read(source, form, _with_facts(options, to), staging, path)
        if (known := folder.by_checksum(to, source.checksum)) is not None:
            return _again(path, known)
        _refuse_empty(path, reading, source)
        _write(reading, staging, source, options, to)
        entry = _entry(source, reading, options)
        folder.commit(staging, entry)
    shown = {name: value for name, value in entry.items() if name in _SHOWN or name in reading.totals}
    return {**shown, "file": path}


@contextmanager
def _written(to: Path) -> Iterator[None]:
    """Raises MmioCostError where the system does not let the folder be written, a full disk for example."""
    try:
        yield
    except OSError as error:
        raise MmioCostError(f"{to}: can't be written: {error.strerror or error}") from error


_SHOWN = ("format", "rows", "skipped", "skipped_lines", "warnings", "checksum", "id")


def order(paths: Sequence[str]) -> list[str]:
    """Files in the order in which they are best imported: what says of the host comes before what needs it."""
    return sorted(paths, key=lambda path: not _is_host(path))


def _is_host(path: str) -> bool:
    if path == STANDARD_INPUT or not Path(path).is_file():  # a pipe can be read once only
        return False
    try:
        with open_source(path) as source:
            return detect(source.head(), path) == "host"
    except InvalidInput:
        return False


def _known(path: str, to: Path) -> folder.Import | None:
    """The import of a regular file's content, found without reading it unless one of its size is there."""
    if path == STANDARD_INPUT or not Path(path).is_file():
        return None
    try:
        size = Path(path).stat().st_size
        if all(item.entry.get("size") != size for item in folder.imports(to)):
            return None
        return folder.by_checksum(to, f"blake3:{blake3().update_mmap(path).hexdigest()}")
    except OSError:
        return None


def _again(path: str, known: folder.Import) -> dict[str, Any]:
    text = f"has been imported before, as {known.entry['file']} ({known.id}): nothing was done"
    kept = {name: known.entry.get(name) for name in ("format", "rows", "skipped", "skipped_lines")}
    return {"file": path, **kept, "id": known.id, "checksum": known.entry["checksum"], "unchanged": True,
            "warnings": [{"line": None, "text": text}]}  # fmt: skip


def _with_facts(options: Options, to: Path) -> Options:
    """Options completed by what earlier imports of the folder say of the host."""
    known = folder.facts(to)
    return replace(
        options,
        kernel=options.kernel or known.get("release"),
        mmio_caching=known.get("mmio_caching") if options.mmio_caching is None else options.mmio_caching,
        isa=options.isa or known.get("isa"),
        clock_hz=options.clock_hz,
    )


def _read(source: Source, form: str, options: Options, staging: Path, path: str) -> Reading:
    if form in TRACES:
        from .trace.reader import read_trace

        return read_trace(source, form, options, staging)
    account = Account()
    try:
        return REPORTS[form][1](lines(source.chunks(), account), account, options)
    except InvalidInput as error:
        raise InvalidInput(Problem(f"{path}{item.where}", item.field, item.got, item.allowed, item.nearest)
                           for item in error.problems) from None  # fmt: skip


def _refuse_empty(path: str, reading: Reading, source: Source) -> None:
    account = reading.account
    if source.damage:
        account.warn(source.damage)
    if account.rows == 0 and (account.skipped or source.damage):
        first = f", the first in line {account.skipped_lines[0]['line']}" if account.skipped_lines else ""
        why = f"; {source.damage}" if source.damage else ""
        allowed = (
            f"holds nothing usable as {reading.format}: {account.skipped} lines skipped{first}{why}\n{recording.ALL}"
        )
        raise InvalidInput.one(path, "", "", allowed)
    if account.skipped > LOUD * (account.skipped + account.rows):
        account.warn(f"more than half of the lines were skipped: is this really {reading.format}?")


def _write(reading: Reading, staging: Path, source: Source, options: Options, to: Path) -> None:
    observed = list(reading.observations)
    if reading.format in TRACES:
        found = summaries.summarise(staging / "pairs.parquet")
        reading.tables.update(found)
        cached = options.mmio_caching is not None or "mark_mmio_spte" in reading.totals["event_counts"]
        if not cached and (question := summaries.searched(found["pages"])):
            reading.account.warn(question)
        resolution = int(reading.facts.get("time_resolution", 1))
        observed += summaries.observations(found["classes"], reading.totals["time_unit"], resolution)
    for name, table in reading.tables.items():
        if table:
            _parquet(staging / f"{name}.parquet", table, source, reading)
    said = {"release": options.kernel, "clock_hz": options.clock_hz, "mmio_caching": options.mmio_caching}
    reading.facts.update({name: value for name, value in said.items() if value is not None})
    facts = {**folder.facts(to), **reading.facts}
    completed = rows.complete(
        [row for row in observed if row.get("quantity") and row.get("value")], facts, options.machine,
        f"import-{folder.import_id(source.checksum)[:8]}",
    )  # fmt: skip
    if completed:
        (staging / USER_TABLE).write_text(rows.written(completed), encoding="utf-8")


def _parquet(path: Path, table: Sequence[Mapping[str, Any]], source: Source, reading: Reading) -> None:
    import pyarrow.parquet as pq

    about = {"file": source.name, "checksum": source.checksum, "format": reading.format,
             "facts": json.dumps(reading.facts)}  # fmt: skip
    pq.write_table(arrow_table(table).replace_schema_metadata(about), path, compression="zstd")


def arrow_table(table: Sequence[Mapping[str, Any]]) -> Any:
    """Rows as a pyarrow Table with the columns of all of them, null where a row has none."""
    import pyarrow as pa

    names = list(dict.fromkeys(name for row in table for name in row))
    return pa.Table.from_pylist([{name: row.get(name) for name in names} for row in table])


def _entry(source: Source, reading: Reading, options: Options) -> dict[str, Any]:
    said = {name: value for name, value in asdict(options).items() if value is not None and name != "format"}
    return {
        "id": folder.import_id(source.checksum), "file": source.name, "checksum": source.checksum,
        "size": source.size, "format": reading.format,
        "imported": datetime.now(UTC).isoformat(timespec="milliseconds"), "importer": __version__, "options": said,
        "facts": reading.facts, **asdict(reading.account), **reading.totals,
    }  # fmt: skip
