"""Whether a user's own evidence contradicts the packaged fit: each of their rows against its prediction by that fit.

A row is predicted as one new measurement, of a machine not yet measured unless the evidence has that machine. One row
in twenty lies outside by chance, and rows of one machine share its error: a few outside are no proof, all are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..evidence import Folders, load
from .score import Scored, score
from .store import current_fit


@dataclass(frozen=True)
class Conflict:
    """The rows of one machine and state of the user's that the packaged fit predicts, and those outside."""

    host: str
    rows: tuple[Scored, ...]

    @property
    def outside(self) -> tuple[Scored, ...]:
        """Rows outside the 95 % interval, the farthest first."""
        found = (row for row in self.rows if not row.inside)
        return tuple(sorted(found, key=lambda row: -max(row.measured / row.high, row.low / row.measured)))


def conflicts(extra: Sequence[Path]) -> tuple[Conflict, ...]:
    """For each host in the user's folders its fitted rows held against the packaged fit; empty without folders.

    ``extra`` is a sequence as of :class:`mmiocost.evidence.Folders`. Raises InvalidInput for damaged evidence.
    """
    folders = Folders.of(extra)
    if not folders.paths:
        return ()
    known = load(folders.paths)
    rows = [row for row in known.own if row.use == "fit"]
    found = {item.id: item for item in score(rows, known, current_fit()).observations}
    hosts = dict.fromkeys((row.machine, row.state) for row in rows if row.id in found)
    return tuple(
        Conflict(
            f"{machine}/{state}",
            tuple(found[row.id] for row in rows if (row.machine, row.state, row.id in found) == (machine, state, True)),
        )
        for machine, state in hosts
    )
