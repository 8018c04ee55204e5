"""A notebook to be executed, and what came of it: plain data that cross process borders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mmiocost.execution.results import CellError, Recorded


@dataclass(frozen=True)
class Task:
    """A notebook with its parameters. ``name`` is that of its files, unique within a run (see ``names``)."""

    name: str
    notebook: Path
    parameters: Mapping[str, object]


@dataclass(frozen=True)
class Job:
    """What a worker is told: the notebook's bytes, its parameters, seconds that a cell and all of it may take.

    The bytes and not the file, so that an edit meanwhile cannot change what was hashed.
    """

    content: bytes
    parameters: Mapping[str, object]
    cell_timeout: float
    timeout: float


@dataclass(frozen=True)
class Done:
    """What a worker answers: the executed notebook as bytes, empty if there is none, and what is known of it."""

    notebook: bytes
    seconds: float
    content: str
    values: tuple[Recorded, ...]
    error: CellError | None


DEAD_WORKER = Done(
    b"", 0.0, "", (), CellError(0, "", "WorkerDied", "the process that ran the notebook ended unexpectedly", "")
)
