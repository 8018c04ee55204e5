"""The kept check of ``plan``: what it holds, how it is read, whether it is current."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..cache import content_hash, files_hash
from ..fitting import kept_file, validation_result
from ..fitting.design import Array

FORMAT = 1
COMMAND = "python -m mmiocost.whatif.plan_validation"
#: The modules of this room that the numbers come from, beside those of the fit.
CODE = ("decision", "domains", "inputs", "next_measurement", "plan_check", "readings", "rules", "terms")

Regrets = tuple[float, ...]


@dataclass(frozen=True)
class Mean:
    """A mean over replicates with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class PlanStudy:
    """One decision: what ranked first and last, and the regret of every replicate now and after each.

    ``expected_now`` and ``expected_narrowing`` are what the plan said beforehand.
    """

    question: str
    scenario: dict[str, Any]
    unit: str
    best: str
    last: str
    expected_now: float
    expected_narrowing: float
    now: Regrets
    after_best: Regrets
    after_random: Regrets
    after_last: Regrets

    @property
    def regrets(self) -> tuple[Regrets, Regrets, Regrets, Regrets]:
        """The four columns of regrets."""
        return self.now, self.after_best, self.after_random, self.after_last

    def fall(self, other: Regrets) -> Mean:
        """How much more the regret fell after the best measurement than after ``other``: paired differences."""
        return mean_of(np.array(other) - np.array(self.after_best))


def mean_of(values: Array | Regrets) -> Mean:
    """Mean of values (replicates,) with the normal interval that their number leaves."""
    mean, half = float(np.mean(values)), 1.96 * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Mean(mean, mean - half, mean + half)


@dataclass(frozen=True)
class Checked:
    """A result of the check and what it holds for. ``made`` is a date and time in UTC."""

    made: str
    version: str
    evidence: str
    code: str
    seed: int
    draws: int
    studies: tuple[PlanStudy, ...]

    @property
    def why_not_current(self) -> str:
        """What has changed since the result was made, with the command that makes it anew; else empty."""
        return kept_file.why_not_current(self.evidence, self.code, code_hash(), COMMAND)


def result_file() -> Path:
    """Where the kept result is."""
    return kept_file.kept_file("plan")


def code_hash() -> str:
    """Names the content of the modules that the numbers come from."""
    own = files_hash(Path(__file__).parent / f"{name}.py" for name in CODE)
    return content_hash(own, validation_result.code_hash())[:16]


def read_checked(path: Path | None = None) -> Checked:
    """The kept result, of the package unless a path is given.

    Raises InvalidInput, with the command that makes it anew, where it is missing, damaged or of another format.
    """
    return kept_file.read_kept(path or result_file(), FORMAT, _checked, COMMAND)


def _checked(document: dict[str, Any]) -> Checked:
    return Checked(**{**document, "studies": tuple(_study(item) for item in document["studies"])})


def _study(document: dict[str, Any]) -> PlanStudy:
    cells: dict[str, Any] = {name: tuple(cell) if isinstance(cell, list) else cell for name, cell in document.items()}
    return PlanStudy(**cells)


def written(result: Checked) -> str:
    """The result as the text of its file; ``read_checked`` gives it back."""
    return kept_file.written(result, FORMAT)
