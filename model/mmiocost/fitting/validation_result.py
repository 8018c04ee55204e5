"""The kept result of the long checks of the fit: what it holds, how it is read, whether it is current."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..cache import files_hash
from . import kept_file
from .bootstrap import CrossCheck
from .calibration import Coverage
from .left_out import Prediction, Scheme
from .simulation import Variant

FORMAT = 2
COMMAND = "make validate"
#: The modules that the numbers come from; what shows, keeps or scores a fit is not among them.
CODE = (
    "batch", "bootstrap", "calibration", "design", "fit", "intervals", "left_out", "mixture", "parameters",
    "prediction", "rows", "sampling", "simulation", "solve", "weights",
)  # fmt: skip


@dataclass(frozen=True)
class Simulated:
    """One cost asked of every simulated fit: where its truths lay among the draws, in the order of the seeds."""

    cost: str
    coverage: tuple[Coverage, ...]
    mean_rank: float
    ranks: tuple[float, ...]


@dataclass(frozen=True)
class Study:
    """Coverage by simulation in one variant of the truth."""

    variant: Variant
    costs: tuple[Simulated, ...]


@dataclass(frozen=True)
class Group:
    """The left-out rows of one source, which share their error; ``inside`` counts those in the 95 % interval."""

    source: str
    rows: int
    inside: int
    mean_z: float


@dataclass(frozen=True)
class HeldOut:
    """Rows predicted by fits that have not seen them; rows of one source are not independent.

    ``coverage`` counts rows. ``by_source`` gives every source the same weight, and its error is that of so many
    independent truths as there are sources.
    """

    scheme: Scheme
    folds: tuple[str, ...]
    coverage: tuple[Coverage, ...]
    by_source: tuple[Coverage, ...]
    median_relative_error: float
    groups: tuple[Group, ...]
    predictions: tuple[Prediction, ...]


@dataclass(frozen=True)
class Validation:
    """A result of the long checks, and what it holds for. ``made`` is a date and time in UTC."""

    made: str
    version: str
    evidence: str
    code: str
    seeds: dict[str, int]
    draws: dict[str, int]
    truth: dict[str, float]
    studies: tuple[Study, ...]
    held_out: tuple[HeldOut, ...]
    bootstrap: tuple[CrossCheck, ...]
    notes: tuple[str, ...]

    @property
    def why_not_current(self) -> str:
        """What has changed since the result was made, with the command that makes it anew; else empty."""
        return kept_file.why_not_current(self.evidence, self.code, code_hash(), COMMAND)

    @property
    def is_current(self) -> bool:
        """Whether the packaged evidence and the code of the fit are those that the result was made with."""
        return not self.why_not_current

    def document(self) -> dict[str, Any]:
        """The result for a reader's JSON, without the single ranks and predictions."""
        studies = [
            {**asdict(study.variant), "costs": [_without(asdict(item), "ranks") for item in study.costs]}
            for study in self.studies
        ]
        held_out = [
            {**asdict(item.scheme), **_without(asdict(item), "scheme", "predictions")} for item in self.held_out
        ]
        own = _without(asdict(self), "studies", "held_out", "bootstrap")
        checks = [{**_without(asdict(item), "first"), "width_ratio": item.width_ratio} for item in self.bootstrap]
        return {
            **own, "current": self.is_current, "simulation": studies, "held_out": held_out, "bootstrap": checks,
        }  # fmt: skip


def _without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


def result_file() -> Path:
    """Where the kept result is."""
    return kept_file.kept_file("result")


def code_hash() -> str:
    """Names the content of the modules that the numbers come from."""
    return files_hash(Path(__file__).parent / f"{name}.py" for name in CODE)[:16]


def read_validation(path: Path | None = None) -> Validation:
    """The kept result, of the package unless a path is given.

    Raises InvalidInput, with the command that makes it anew, where it is missing, damaged or of another format.
    """
    return kept_file.read_kept(path or result_file(), FORMAT, _validation, COMMAND)


def written(result: Validation) -> str:
    """The result as the text of its file; ``read_validation`` gives it back."""
    return kept_file.written(result, FORMAT)


def _validation(document: dict[str, Any]) -> Validation:
    plain = _without(document, "studies", "held_out", "bootstrap", "notes")
    return Validation(
        **plain,
        studies=tuple(_study(item) for item in document["studies"]),
        held_out=tuple(_held_out(item) for item in document["held_out"]),
        bootstrap=tuple(CrossCheck(**{**item, "first": tuple(item["first"])}) for item in document["bootstrap"]),
        notes=tuple(document["notes"]),
    )


def _study(document: dict[str, Any]) -> Study:
    costs = (
        Simulated(**{**item, "coverage": _coverages(item["coverage"]), "ranks": tuple(item["ranks"])})
        for item in document["costs"]
    )
    return Study(Variant(**document["variant"]), tuple(costs))


def _held_out(document: dict[str, Any]) -> HeldOut:
    return HeldOut(
        Scheme(**document["scheme"]),
        tuple(document["folds"]),
        _coverages(document["coverage"]),
        _coverages(document["by_source"]),
        document["median_relative_error"],
        tuple(Group(**item) for item in document["groups"]),
        tuple(Prediction(**item) for item in document["predictions"]),
    )


def _coverages(items: list[dict[str, Any]]) -> tuple[Coverage, ...]:
    return tuple(Coverage(**item) for item in items)
