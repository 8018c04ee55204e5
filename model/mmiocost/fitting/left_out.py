"""Rows of the evidence predicted by fits that have not seen them.

Comes in: the rows. Goes out: for each left-out row its rank among the draws of a new measurement, how far off it
is, and by source in which direction. The weights of the grid are made anew in every fold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..evidence import Prior
from .calibration import DIGITS, inside, rank, refit
from .design import Array, build
from .fit import DRAWS, SEED, Fit
from .prediction import weighted_costs, with_row_error
from .rows import Row

TINY = 1e-9  # cycles: a predicted difference of costs may be negative, and its logarithm is then below any measured one
_SIGMA = (15.865525393145708, 84.13447460685429)  # percentiles of a normal at one standard deviation


@dataclass(frozen=True)
class Prediction:
    """A left-out row against the prediction of a new measurement.

    ``z``: measured less predicted log, in units of half the interval of 68 %; ``relative_error``: of the
    predicted median against the measured value.
    """

    row: str
    source: str
    fold: str
    rank: float
    z: float
    relative_error: float

    def covered(self, level: float) -> bool:
        """Whether the measured value is inside the central interval of a level."""
        return inside(self.rank, level)


@dataclass(frozen=True)
class Scheme:
    """What is left out together, and what a fit knows of the machine that it predicts.

    ``known``: "nothing"; "one row" of each state left out, its first one; or "other states" of the machine.
    """

    left_out: str
    known: str


SCHEMES = (
    Scheme("source", "nothing"),
    Scheme("source", "one row"),
    Scheme("machine", "nothing"),
    Scheme("state", "other states"),
)
_GROUP: Mapping[str, Callable[[Row], str]] = {
    "source": lambda row: row.source,
    "machine": lambda row: row.machine,
    "state": lambda row: f"{row.machine}/{row.state}",
}


def folds(rows: Sequence[Row], scheme: Scheme) -> tuple[str, ...]:
    """Names of what is left out in turn; a state only where its machine has others to be known by."""
    states = {(row.machine, row.state) for row in rows}
    several = {machine for machine, _ in states if sum(machine == other for other, _ in states) > 1}
    usable = (row for row in rows if scheme.known != "other states" or row.machine in several)
    return tuple(dict.fromkeys(_GROUP[scheme.left_out](row) for row in usable))


def predictions(
    rows: Sequence[Row], priors: Mapping[str, Prior], scheme: Scheme, fold: str, draws: int = DRAWS
) -> tuple[Prediction, ...]:
    """The rows of one fold, predicted by the others and by what the scheme makes known of theirs."""
    out = [row for row in rows if _GROUP[scheme.left_out](row) == fold]
    anchors = _first_of_each_state(out) if scheme.known == "one row" else []
    seen = [row for row in rows if row not in out or row in anchors]
    predicted = [row for row in out if row not in anchors]
    if not predicted:
        return ()
    fit = refit(build(seen, priors), draws, np.random.default_rng(SEED))
    return tuple(_prediction(fit, row, fold, scheme.known != "nothing") for row in predicted)


def _first_of_each_state(rows: Sequence[Row]) -> list[Row]:
    return list({(row.machine, row.state): row for row in reversed(rows)}.values())


def _prediction(fit: Fit, row: Row, fold: str, machine_known: bool) -> Prediction:
    mean = np.maximum(_mean(fit, row, machine_known), TINY)
    log_draws = np.log(with_row_error(mean, row.sd))
    low, middle, high = np.percentile(log_draws, (_SIGMA[0], 50, _SIGMA[1]))
    away = row.log_value - float(middle)
    found = (rank(log_draws, row.log_value), 2 * away / float(high - low), abs(float(np.expm1(-away))))
    return Prediction(row.id, row.source, fold, *(round(number, DIGITS) for number in found))


def _mean(fit: Fit, row: Row, machine_known: bool) -> Array:
    machine, state = (row.machine, row.state) if machine_known else ("", "")
    draws = weighted_costs(fit, row.counts, machine, state)
    return draws / weighted_costs(fit, row.per, machine, state) if row.per else draws
