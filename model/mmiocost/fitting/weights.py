"""How much a row weighs: the standard deviation of its logarithm (model/statistics.md)."""

from __future__ import annotations

import math

from ..evidence import Observation

FLOOR = 0.003  # no published row is trusted beyond 0.3 %
TABLE = 0.005  # a single figure of a table, or a median of many samples
MEDIAN_SAMPLES = 1e4
SHARE = 0.15  # an inclusive share of a profile
CLASSES = 0.15  # one parameter for several classes of emulated instructions
NO_CLOCK = 0.3  # a time whose clock is not stated

_PER_SPREAD = {
    "sem": 1.0,
    "ci95_half": 1 / 1.96,
    "interval_half": 1 / 1.96,
    "rounding_half": 1 / math.sqrt(3),
}


def row_sd(row: Observation, converted_without_clock: bool) -> float:
    """Standard deviation of log value: spread as published, printed resolution, and the kind of row."""
    parts = [_published(row), _rounding(row.value)]
    if row.unit == "percent":
        parts.append(SHARE)
    if row.quantity == "emul.instruction" and row.spread is None:
        parts.append(CLASSES)
    if converted_without_clock:
        parts.append(NO_CLOCK)
    return max(FLOOR, math.sqrt(sum(part * part for part in parts)))


def _published(row: Observation) -> float:
    if row.spread is None or (row.spread_kind == "p90_minus_min" and (row.n_runs or 0) >= MEDIAN_SAMPLES):
        return TABLE
    if row.spread_kind == "rel_sem_percent":
        return row.spread / 100
    runs = math.sqrt(row.n_runs or 1)
    scale = {"sd": 1 / runs, "range": 1 / (2 * 1.96 * runs), "p90_minus_min": 1 / (1.28 * 2 * runs)}
    return row.spread * {**_PER_SPREAD, **scale}.get(row.spread_kind, 1.0) / abs(row.value)


def _rounding(value: float) -> float:
    """Half a step of the last digit of the shortest text of the value, as a standard deviation."""
    text = repr(value).removesuffix(".0")
    decimals = len(text.partition(".")[2])
    return 0.5 * 10.0**-decimals / math.sqrt(3) / abs(value)
