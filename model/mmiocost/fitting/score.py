"""A fit held against observations: every row predicted as a new measurement, or listed with the reason why not.

Rows that differ in value and spread only are one question to the fit, asked once; the rest is arrays, so that a file
may have many rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from ..errors import nearest_name
from ..evidence import Evidence, Observation, same_dimension
from .design import Array
from .fit import LEVEL, Fit
from .prediction import weighted_costs, with_row_error
from .rows import NotScored, Row, row_of
from .weights import row_sd

_ANY_VALUE = 1e9  # a question is asked with a value that is positive whatever the harness takes off
_WIDEST = 10.0  # log: a row this uncertain lies inside every interval
_BLOCK = 256  # rows whose draws are held at once
_QUESTION = attrgetter(
    "quantity", "unit", "machine", "state", "generation", "ept", "mmio_shortcut", "slots", "guest_levels",
    "comparison", "clock_hz",
)  # fmt: skip


@dataclass(frozen=True)
class Scored:
    """One observation predicted: an interval for a new measurement, in the unit in which it was published.

    ``kind`` is that of the quantity (cost, share, workload); ``seen``: the row went into the fit itself;
    ``assumed`` says which values had to be assumed for the prediction, else empty.
    """

    id: str
    quantity: str
    kind: str
    source: str
    machine: str
    measured: float
    predicted: float
    low: float
    high: float
    unit: str
    inside: bool
    interval: str
    seen: bool = False
    assumed: str = ""


@dataclass(frozen=True)
class Kind:
    """The rows of one kind of quantity; ``seen`` of them went into the fit itself."""

    kind: str
    scored: int
    seen: int
    coverage: float
    median_relative_error: float


@dataclass(frozen=True)
class Score:
    """All rows of a file: those scored, those not with the reason, coverage and median relative error.

    Coverage and error are None when no row could be scored.
    """

    observations: tuple[Scored, ...]
    not_scored: tuple[tuple[str, str], ...]
    coverage: float | None
    median_relative_error: float | None

    def kinds(self) -> tuple[Kind, ...]:
        """The same by kind of quantity: a workload result rests on assumptions that a cost does not need."""
        by_kind: dict[str, list[Scored]] = {}
        for item in self.observations:
            by_kind.setdefault(item.kind, []).append(item)
        return tuple(
            Kind(kind, len(items), sum(item.seen for item in items), _coverage(items), _median_error(items))
            for kind, items in by_kind.items()
        )


def score(observations: Iterable[Observation], evidence: Evidence, fit: Fit) -> Score:
    """Predict every observation of a cost or share and compare; the rest is listed with the reason.

    Workload results are among the rest: :func:`mmiocost.whatif.scoring.score` predicts them too.
    """
    return summed_up(verdicts(observations, evidence, fit))


def summed_up(found: Iterable[Scored | tuple[str, str]]) -> Score:
    """Verdicts in their order as a score."""
    scored, not_scored = [], []
    for item in found:
        if isinstance(item, Scored):
            scored.append(item)
        else:
            not_scored.append(item)
    if not scored:
        return Score((), tuple(not_scored), None, None)
    return Score(tuple(scored), tuple(not_scored), _coverage(scored), _median_error(scored))


def _coverage(scored: Sequence[Scored]) -> float:
    return sum(item.inside for item in scored) / len(scored)


def _median_error(scored: Sequence[Scored]) -> float:
    """Median of |predicted / measured - 1|; of a change in percent that of what it changes."""
    return float(np.median([abs(_size(item, item.predicted) / _size(item, item.measured) - 1) for item in scored]))


def _size(item: Scored, value: float) -> float:
    return 1 + value / 100 if (item.kind, item.unit) == ("workload", "percent") else value


def verdicts(observations: Iterable[Observation], evidence: Evidence, fit: Fit) -> list[Scored | tuple[str, str]]:
    """For each observation in turn its prediction, or its id with the reason why there is none."""
    rows = tuple(observations)
    found: dict[int, Scored | tuple[str, str]] = {}
    questions: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        reason = why_not(row, evidence)
        if reason:
            found[number] = (row.id, reason)
        else:
            questions[_QUESTION(row)].append(number)
    for numbers in questions.values():
        asked = [rows[number] for number in numbers]
        found.update(zip(numbers, _answers(asked, evidence, fit), strict=True))
    fitted = {row.id: row for row in evidence.observations if row.use == "fit"}
    return [_marked(found[number], row, fitted) for number, row in enumerate(rows)]


def _marked(
    verdict: Scored | tuple[str, str], row: Observation, fitted: Mapping[str, Observation]
) -> Scored | tuple[str, str]:
    known = fitted.get(row.id)
    seen = known is not None and (known.quantity, known.value, known.unit) == (row.quantity, row.value, row.unit)
    return replace(verdict, seen=True) if seen and isinstance(verdict, Scored) else verdict


def why_not(row: Observation, evidence: Evidence) -> str:
    """What keeps a row from meaning anything, whatever the model covers; empty where nothing does."""
    quantity = evidence.quantities.get(row.quantity)
    if quantity is None:
        nearest = _nearest(row.quantity, tuple(evidence.quantities))
        return "unknown quantity" + (f"; did you mean '{nearest}'?" if nearest else "")
    if not same_dimension(row.unit, quantity.unit):
        return f"its unit is {row.unit}, but {quantity.quantity} needs the dimension of {quantity.unit}"
    if (row.spread is None) != (row.spread_kind == ""):
        return "spread and spread_kind come together, and one of them is missing"
    return ""


@lru_cache
def _nearest(name: str, known: tuple[str, ...]) -> str | None:
    return nearest_name(name, known)


class _Question(NamedTuple):
    """What rows of one question share: draws of the mean, the harness and ``factor``, both in the fit's unit."""

    draws: Array
    harness: float
    factor: float
    place: str


def _answers(rows: Sequence[Observation], evidence: Evidence, fit: Fit) -> Iterator[Scored | tuple[str, str]]:
    """Verdicts of rows that ask the same."""
    first = rows[0]
    try:
        asked = _asked(row_of(replace(first, value=_ANY_VALUE, spread=None, spread_kind=""), evidence), fit)
    except NotScored as reason:
        yield from ((row.id, str(reason)) for row in rows)
        return
    no_clock = first.unit not in ("cycle", "percent") and first.clock_hz is None
    problems = [_no_log(row, asked) for row in rows]
    sd = np.array([0.0 if problem else row_sd(row, no_clock) for row, problem in zip(rows, problems, strict=True)])
    kind = evidence.quantities[first.quantity].kind
    edges = (_edges(asked.draws, np.minimum(sd, _WIDEST)) + asked.harness) / asked.factor
    for row, problem, uncertainty, (low, middle, high) in zip(rows, problems, sd.tolist(), edges.tolist(), strict=True):
        if problem or uncertainty > _WIDEST:
            yield row.id, problem or "its spread is so wide that every prediction holds"
        else:
            yield Scored(
                row.id, row.quantity, kind, row.source_id, asked.place, row.value, middle, low, high, row.unit,
                low <= row.value <= high, "new_measurement",
            )  # fmt: skip


def _asked(row: Row, fit: Fit) -> _Question:
    machine, state = _known(row, fit)
    draws = weighted_costs(fit, row.counts, machine, state)
    if row.per:
        draws = draws / weighted_costs(fit, row.per, machine, state)
    place = "/".join(part for part in (machine, state) if part) or "new machine"
    return _Question(draws, row.harness, (float(np.exp(row.log_value)) + row.harness) / _ANY_VALUE, place)


def _no_log(row: Observation, asked: _Question) -> str:
    """Why a value has no logarithm to be compared; empty where it has one."""
    value = row.value * asked.factor
    if row.value <= 0:
        return "must be above 0"
    if value <= asked.harness:
        return "not positive once the overhead of the harness is taken off"
    return "" if np.isfinite(value) else "too large for a number of cycles"


def _edges(draws: Array, sd: Array) -> Array:
    """Low, median and high of new measurements with errors ``sd`` (rows,): (rows, 3)."""
    tail = 50 * (1 - LEVEL)
    different, place = np.unique(sd, return_inverse=True)
    blocks = np.array_split(different, -(-len(different) // _BLOCK))
    found = [np.percentile(_with_errors(draws, block), (tail, 50, 100 - tail), axis=1).T for block in blocks]
    return np.asarray(np.concatenate(found)[place])


def _with_errors(draws: Array, sd: Array) -> Array:
    return with_row_error(draws, sd[:, None])  # type: ignore[arg-type]  # one error for each row of the block


def _known(row: Row, fit: Fit) -> tuple[str, str]:
    """The machine and state of the evidence that a row belongs to, as far as they are known."""
    if (row.machine, row.state) in fit.states:
        return row.machine, row.state
    return (row.machine, "") if row.machine in fit.machines() else ("", "")
