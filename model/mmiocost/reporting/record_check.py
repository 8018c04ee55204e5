"""A decision record derived again from what is known today: it still holds, an interval moved, or it is turned over."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import __version__
from ..cache import content_hash
from ..errors import printable
from ..evidence import load
from ..whatif.options import Outcome, weigh
from ..whatif.scenario import scenario_of
from .record import Head, head_of, read_head, read_text

_MOVED = 0.05  # of an interval's width: less than a reader would act on, more than other libraries make a fit differ
_PROBABILITY_MOVED = 0.01
_NAME = 60  # letters of a source's name that are shown: it may come from a stranger

HOLDS, MOVED, TURNED = "still holds", "interval moved", "turned over"


@dataclass(frozen=True)
class Checked:
    """What became of a record.

    ``verdict`` is "still holds", "interval moved" or "turned over"; ``by`` names what turned it over: sources whose
    rows came, went or changed, or what else did. ``moved`` are the numbers that did, as texts.
    """

    file: Path
    verdict: str
    by: tuple[str, ...]
    moved: tuple[str, ...]
    recorded: Head
    now: Outcome

    @property
    def text(self) -> str:
        """The verdict as one line."""
        return f"{self.verdict} by {', '.join(self.by)}" if self.verdict == TURNED else self.verdict


def check(file: str | os.PathLike[str], *, evidence: Sequence[os.PathLike[str]] = ()) -> Checked:
    """Derive a record again, with the user's evidence folders too. Raises InvalidInput for a file that is none."""
    place, folders = Path(file), [Path(folder) for folder in evidence]
    old = read_head(read_text(place), str(place))
    found = weigh(old.question, scenario_of(old.scenario, str(place)), evidence=folders, turns=False)
    new = head_of(found, old.status, old.date, __version__, source_digests(folders))
    if new.decision != old.decision:
        return Checked(place, TURNED, _turned_by(old, new, found), _moved(old, new), old, found)
    moved = _moved(old, new)
    return Checked(place, MOVED if moved else HOLDS, (), moved, old, found)


def source_digests(folders: Sequence[Path]) -> dict[str, str]:
    """A digest of the fitted rows of each source, 16 hexadecimal digits, whatever their order."""
    rows: dict[str, list[str]] = {}
    for row in load(folders).observations:
        if row.use == "fit":
            rows.setdefault(row.source_id, []).append(json.dumps(asdict(row)))
    return {name: content_hash(*sorted(texts))[:16] for name, texts in sorted(rows.items())}


def _turned_by(old: Head, new: Head, found: Outcome) -> tuple[str, ...]:
    """Sources whose rows differ, those first that the question's costs rest on; without any, what else differs."""
    names = dict.fromkeys([*new.sources, *old.sources])
    changed = [name for name in names if old.sources.get(name) != new.sources.get(name)]
    close = [name for name in changed if name in found.sources or name not in new.sources]
    if changed:
        return tuple(printable(name)[:_NAME] for name in close or changed)
    if old.evidence != new.evidence:
        return (f"priors or assumptions, evidence {old.evidence} now {new.evidence}",)
    return (f"the model, mmiocost {old.version} now {new.version}",)


def _moved(old: Head, new: Head) -> tuple[str, ...]:
    found = []
    for name, numbers in new.options.items():
        before = old.options[name]
        for bounds in (("cost", "low", "high"), ("against", "against_low", "against_high")):
            width = abs((before[bounds[2]] or 0) - (before[bounds[1]] or 0))
            if any(abs((numbers[key] or 0) - (before[key] or 0)) > _MOVED * width for key in bounds):
                found.append(f"{'cost' if bounds[0] == 'cost' else 'difference'} of '{name}'")
    if abs(new.probability - old.probability) > _PROBABILITY_MOVED:
        found.append("probability")
    if abs(new.regret[0] - old.regret[0]) > max(_MOVED * abs(old.regret[0]), old.regret[2] - old.regret[1]):
        found.append("expected regret")
    return tuple(found)
