"""A question decided: the record written into its folder."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import __version__
from ..errors import InvalidInput
from ..evidence import load
from ..whatif.next_measurement import plan
from ..whatif.options import Outcome, weigh
from ..whatif.scenario import Scenario
from .record import STATUSES, front_matter, head_of
from .record_check import source_digests
from .record_folder import default_folder, next_number, superseded, write_folder
from .record_text import body


@dataclass(frozen=True)
class Decided:
    """A record that was written: its file and what it says."""

    file: Path
    outcome: Outcome


def decide(
    question: str,
    scenario: Scenario | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    status: str = "proposed",
    supersedes: int | None = None,
    evidence: Sequence[os.PathLike[str]] = (),
) -> Decided:
    """Decide ``fast-mmio``, ``bypass-guest-pf`` or ``unified-loop`` and keep it as the next record of a folder.

    The record is Markdown in the form of MADR with a page beside it; the folder, ``reports/decisions`` unless
    given, has an index. ``supersedes`` is the number of a record there whose status is changed. Raises InvalidInput.
    """
    if status not in STATUSES:
        raise InvalidInput.one("--status", "", status, f"must be one of {', '.join(STATUSES)}")
    folder, folders = Path(out) if out is not None else default_folder(), [Path(item) for item in evidence]
    number = next_number(folder)
    old = superseded(folder, supersedes, number) if supersedes is not None else None
    replaces = old[0].name if old else ""
    found = weigh(question, scenario, evidence=folders)
    following = plan(question, scenario, evidence=folders)
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    head = head_of(found, status, date, __version__, source_digests(folders))
    text = front_matter(head) + "\n" + body(found, following, load(folders).sources, replaces, number)
    place = folder / f"{number:04d}-{found.question}.md"
    write_folder(folder, {place: text, **({old[0]: old[1]} if old else {})})
    return Decided(place, found)
