"""The kept scores of the joint fit's rivals: what the file holds, how it is made, read and checked again.

The scores take minutes, so they travel with the evidence in ``data/validation/selection.json``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ... import __version__
from ...cache import files_hash
from ...errors import InvalidInput, Problem
from ...evidence import Evidence, load
from .. import kept_file
from ..rows import fit_rows
from .joint import VARIANTS, Say, fitted, labels, scored_variants
from .scores import Fold, Scheme, Score, fold

FORMAT = 1
COMMAND = "python -m mmiocost.fitting.selection"
#: The modules that the numbers come from.
FIT = ("batch", "design", "mixture", "parameters", "rows", "solve", "weights")
OWN = ("held_out", "joint", "scores")
#: Made again to see whether a kept result is of this code: variant, scheme, what is left out.
SAMPLE = (
    ("mmio_completion", "source", "tsirkin2013_pcitestdev"),
    ("Gaussian rows", "row", "tsirkin2013_pcitestdev-001"),
)
TOLERANCE = 0.01  # of a log density or an error, relative to its size above 1


@dataclass(frozen=True)
class Selection:
    """Scores of every variant and what they hold for. ``made`` is a date and time in UTC."""

    made: str
    version: str
    evidence: str
    code: str
    scores: tuple[Score, ...]

    @property
    def why_not_current(self) -> str:
        """What has changed since the scores were made, with the command that makes them anew; else empty."""
        return kept_file.why_not_current(self.evidence, self.code, code_hash(), COMMAND)

    def of(self, variant: str) -> Score:
        """The score of a variant."""
        return next(item for item in self.scores if item.form == variant)


def select(say: Say = lambda line: None) -> Selection:
    """All variants scored on the packaged evidence. Raises InvalidInput where the evidence is damaged."""
    code, evidence = code_hash(), load()
    scores = tuple(scored_variants(evidence, say))
    return Selection(datetime.now(UTC).isoformat(timespec="seconds"), __version__, evidence.hash, code, scores)


def renewed() -> Selection:
    """The kept scores with the present hashes, once a sample of them made again agrees.

    Raises InvalidInput with what does not agree, or where there are no kept scores.
    """
    kept, code, evidence = read_selection(), code_hash(), load()
    found = differences(kept, sample(evidence))
    if found:
        raise InvalidInput(Problem("", line, "", f"the kept scores are out of date; run `{COMMAND}`") for line in found)
    return replace(kept, evidence=evidence.hash, code=code)


Sample = Mapping[tuple[str, str], Fold]


def sample(evidence: Evidence) -> Sample:
    """A few folds made again, by variant and scheme."""
    return dict(_made_again(evidence))


def _made_again(evidence: Evidence) -> Iterator[tuple[tuple[str, str], Fold]]:
    rows = fit_rows(evidence)
    for name, left_out, out in SAMPLE:
        variant = next(item for item in VARIANTS if item.name == name)
        yield (name, left_out), fold(fitted(variant, rows, evidence.priors), labels(rows)[left_out], out)


def differences(kept: Selection, made: Sample) -> tuple[str, ...]:
    """Where kept scores are not those of ``made``; empty where all agree."""
    found = []
    for (variant, left_out), now in made.items():
        then = [item for item in kept.of(variant).scheme(left_out).folds if item.name == now.name]
        if not then or _far(then[0], now):
            found.append(f"{variant}, {left_out} {now.name} left out")
    return tuple(found)


def _far(then: Fold, now: Fold) -> bool:
    if len(then.errors) != len(now.errors):
        return True
    pairs = zip((then.log_density, *then.errors), (now.log_density, *now.errors), strict=True)
    return any(abs(one - other) > TOLERANCE * max(1.0, abs(one)) for one, other in pairs)


def selection_file() -> Path:
    """Where the kept scores are."""
    return kept_file.kept_file("selection")


def code_hash() -> str:
    """Names the content of the modules that the numbers come from."""
    here = Path(__file__).parent
    return files_hash([*(here / f"{name}.py" for name in OWN), *(here.parent / f"{name}.py" for name in FIT)])[:16]


def read_selection(path: Path | None = None) -> Selection:
    """The kept scores, of the package unless a path is given.

    Raises InvalidInput, with the command that makes them anew, where they are missing, damaged or of another format.
    """
    return kept_file.read_kept(path or selection_file(), FORMAT, _selection, COMMAND)


def written(found: Selection) -> str:
    """The scores as the text of their file; ``read_selection`` gives them back."""
    return kept_file.written(found, FORMAT)


def _selection(document: Mapping[str, Any]) -> Selection:
    plain = {name: document[name] for name in ("made", "version", "evidence", "code")}
    return Selection(**plain, scores=tuple(_score(item) for item in document["scores"]))


def _score(document: Mapping[str, Any]) -> Score:
    schemes = tuple(Scheme(item["left_out"], _folds(item["folds"])) for item in document["schemes"])
    return Score(document["form"], document["parameters"], document["rms"], schemes)


def _folds(documents: Sequence[Mapping[str, Any]]) -> tuple[Fold, ...]:
    return tuple(Fold(item["name"], tuple(item["errors"]), item["log_density"]) for item in documents)
