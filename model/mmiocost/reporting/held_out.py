"""Rows of the packaged evidence with the predictions of fits that have not seen their source.

The kept result of the long checks holds ranks, distances and relative errors; together with the rows they give back
the predicted value and its interval of 68 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..evidence import load
from ..fitting.calibration import inside
from ..fitting.left_out import SCHEMES, Prediction
from ..fitting.rows import Row, fit_rows
from ..fitting.validation_result import HeldOut, Validation

_NO_DISTANCE = 1e-3  # of z: below it the two roundings of the kept result leave no width


@dataclass(frozen=True)
class LeftOutRow:
    """One row predicted without its source. ``predicted`` is in cycles (shares: of 1); ``half`` is half the log
    width of the interval of 68 %, None where the prediction is too close to tell; ``rank`` that among the draws."""

    row: Row
    predicted: float
    half: float | None
    z: float
    rank: float

    @property
    def measured(self) -> float:
        """The measured value in the unit of the prediction."""
        return math.exp(self.row.log_value)

    @property
    def inside(self) -> bool:
        """Whether the measured value lies in the interval of 95 %."""
        return inside(self.rank, 0.95)

    @property
    def factor(self) -> float:
        """Predicted over measured."""
        return self.predicted / self.measured


def by_source(result: Validation) -> HeldOut | None:
    """The checks that leave out a source and know nothing of its machine; None where none are kept."""
    return next((item for item in result.held_out if item.scheme == SCHEMES[0]), None)


def left_out_rows(result: Validation) -> tuple[LeftOutRow, ...]:
    """Every kept prediction whose row the evidence still has, in the order of the sources."""
    held = by_source(result)
    rows = {row.id: row for row in fit_rows(load())}
    kept: Sequence[Prediction] = held.predictions if held else ()
    return tuple(_left_out(rows[item.row], item) for item in kept if item.row in rows)


def _left_out(row: Row, item: Prediction) -> LeftOutRow:
    # A positive z is a measured value above the predicted one.
    ratio = 1 - item.relative_error if item.z > 0 else 1 + item.relative_error
    half = abs(math.log(ratio) / item.z) if abs(item.z) > _NO_DISTANCE and ratio > 0 else None
    return LeftOutRow(row, math.exp(row.log_value) * ratio, half, item.z, item.rank)
