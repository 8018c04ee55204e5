"""What a run of a notebook leaves: plain, frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Status = Literal["executed", "unchanged", "failed"]


@dataclass(frozen=True)
class CellError:
    """Where a notebook stopped. ``number`` counts code cells from 1, as ``In [number]`` of the executed notebook.

    ``number`` is 0 and ``source`` empty where no cell is to blame, for example a kernel that did not start.
    ``traceback`` is plain text without terminal colours.
    """

    number: int
    source: str
    ename: str
    evalue: str
    traceback: str


@dataclass(frozen=True)
class Recorded:
    """A named value that a notebook recorded, with its interval (an open side is None) and its unit."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    unit: str


@dataclass(frozen=True)
class NotebookRun:
    """One notebook of a report or batch: ``path`` is the executed notebook, kept as far as it came when it failed.

    ``name`` is made of ASCII letters, digits, dot, dash and underscore only, and is unique within a run.
    ``seconds`` is the wall time of the execution, the earlier one where the notebook is unchanged. ``reason`` says
    why it was executed (``new``, ``parameters changed``, ...) and is empty where it was not. ``content`` is a hash
    of sources and outputs without their times: equal for equal results. ``values`` are those that it recorded.
    """

    name: str
    status: Status
    seconds: float
    path: Path | str
    error: CellError | None = None
    reason: str = ""
    content: str = ""
    values: tuple[Recorded, ...] = ()
