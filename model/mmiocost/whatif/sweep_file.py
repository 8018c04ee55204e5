"""A sweep streamed into a Parquet file: complete, or after Ctrl-C what was done; never a file that can't be read.

The file is written beside its place and renamed. Its metadata, under the key ``mmiocost``, say what was swept, with
which evidence and seed, and whether it is complete.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import InvalidInput, MmioCostError
from ..fitting.fit import LEVEL

if TYPE_CHECKING:
    from .sweep import Sweep

KEY = b"mmiocost"
_GROUP = 2**18  # rows of a row group


@dataclass(frozen=True)
class Written:
    """What was written: ``complete`` is False after Ctrl-C."""

    rows: int
    file: str
    complete: bool


def write(found: Sweep, file: Path, progress: bool = False) -> Written:
    """Stream a sweep into a file; ``progress`` shows a bar on standard error if that is a terminal.

    Raises InvalidInput for a file that exists and holds no sweep, MmioCostError where it can't be written.
    """
    check_target(file)
    try:
        with _beside(file) as place, _stopping() as stopped:
            rows = _stream(found, place, stopped, progress)
        return Written(rows, str(file), not stopped)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error).splitlines()[0]
        raise MmioCostError(f"{file}: can't be written: {reason}") from error


def check_target(file: Path) -> None:
    """Refuse to replace what is no sweep. Raises InvalidInput."""
    if file.exists() and about(file) is None:
        raise InvalidInput.one("--out", "", file, "exists and is no sweep: choose another name, or remove it")


def about(file: Path) -> dict[str, Any] | None:
    """What the metadata of a sweep's file say of it; None for a file that is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        kept = pq.read_metadata(file).metadata if file.is_file() else None
    except (pa.ArrowException, OSError):
        kept = None
    return json.loads(kept[KEY]) if kept and KEY in kept else None


@contextlib.contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """A temporary file that takes the place of ``file`` unless something is raised."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    os.close(handle)
    place = Path(name)
    try:
        yield place
        place.chmod(0o644)
        place.replace(file)
    except BaseException:
        place.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _stopping() -> Iterator[list[int]]:
    """A list that the first Ctrl-C makes non-empty; a second one interrupts as usual."""
    stopped: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN or threading.current_thread() is not threading.main_thread():
        yield stopped
        return

    def note(number: int, frame: Any) -> None:
        stopped.append(number)
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


def _stream(found: Sweep, place: Path, stopped: list[int], progress: bool) -> int:
    """Write blocks until all are there or Ctrl-C came; the footer is written in both cases."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from tqdm import tqdm

    schema = _schema(found)
    axes = [axis.name for axis in found.axes]
    rows, waiting = 0, list[Any]()
    bar = tqdm(total=found.rows, unit="point", unit_scale=True, disable=None if progress else True)
    with pq.ParquetWriter(place, schema, compression="zstd", use_dictionary=axes) as writer, bar:
        for block in found.blocks():
            columns = [pa.array(block[name], schema.field(name).type, from_pandas=True) for name in schema.names]
            waiting.append(pa.record_batch(columns, schema=schema))
            rows += waiting[-1].num_rows
            bar.update(waiting[-1].num_rows)
            if sum(batch.num_rows for batch in waiting) >= _GROUP or stopped:
                writer.write_table(pa.Table.from_batches(waiting, schema))
                waiting.clear()
            if stopped:
                break
        writer.write_table(pa.Table.from_batches(waiting, schema))
        complete = rows == found.rows
        stopped[:] = [] if complete else stopped
        writer.add_key_value_metadata({KEY: json.dumps({**_about(found), "complete": complete}).encode()})
    return rows


def _schema(found: Sweep) -> Any:
    import pyarrow as pa

    kinds = {True: pa.int32(), False: pa.float64()}
    fields = [pa.field(axis.name, pa.string() if axis.is_choice else kinds[axis.is_whole]) for axis in found.axes]
    fields += [pa.field(name, pa.float64()) for name in found.shown]
    return pa.schema([*fields, pa.field("extrapolates", pa.bool_())])


def _about(found: Sweep) -> dict[str, Any]:
    return {
        "version": __version__, "evidence": found.fit.evidence, "quantity": found.quantity, "unit": found.unit,
        "interval": found.interval if found.with_interval else None, "level": LEVEL if found.with_interval else None,
        "sample": asdict(found.sample) if found.sample else None, "seed": found.seed, "points": found.rows,
        "scenario": asdict(found.scenario), "notes": found.notes,
    }  # fmt: skip
