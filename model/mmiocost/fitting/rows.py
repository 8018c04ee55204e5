"""From an observation to a row of the fit: which costs it adds up, in which state of which machine.

``data/quantities.csv`` says what a quantity observes; the row says the generation, the paging mode and what it
knows of the scenario. A row that the model can't predict is refused with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..equations.lowering import kernel
from ..errors import InvalidInput
from ..evidence import Evidence, Observation, Quantity
from ..units import to_cycles
from ..vocabulary import path_named, resolve
from .parameters import INDICATORS, parameter_counts
from .weights import row_sd

HARNESS = "harness.timer_overhead"
_SAME_IN_ALL = "v517"  # stands for the generation where the counts are the same in every one


class NotScored(Exception):
    """Why the model can't predict an observation."""


@dataclass(frozen=True)
class Row:
    """One equation of the fit: log(Σ counts·θ) - log(Σ per·θ) is ``log_value`` up to an error of ``sd``.

    ``counts`` and ``per`` are by cost parameter, ``per`` empty but for shares. ``log_value`` is in cycles, for
    shares of 1. ``harness`` are the cycles that were subtracted from the published figure.
    """

    id: str
    machine: str
    state: str
    source: str
    quantity: str
    path: str
    counts: Mapping[str, float]
    per: Mapping[str, float]
    log_value: float
    sd: float
    harness: float
    scenario: Mapping[str, int]
    published: float
    unit: str


def row_of(row: Observation, evidence: Evidence) -> Row:
    """The equation of one observation. Raises NotScored with the reason where the model has none."""
    quantity = _quantity(row, evidence)
    settings = _settings(row, evidence)
    counts, path, scenario = _counts(row, quantity, settings)
    per = _counts_of_share(row, quantity, evidence, settings) if quantity.share_of else {}
    value, harness, no_clock = _value(row, evidence)
    sd = row_sd(row, no_clock)
    return Row(
        row.id, row.machine, row.state, row.source_id, row.quantity, path, counts, per,
        math.log(value), sd, harness, scenario, row.value, row.unit,
    )  # fmt: skip


def _quantity(row: Observation, evidence: Evidence) -> Quantity:
    quantity = evidence.quantities[row.quantity]
    if not quantity.scored:
        raise NotScored(quantity.why_not)
    if quantity.kind == "count":
        raise NotScored("a count, not a cost: compare it with `mmiocost count`")
    return quantity


def _settings(row: Observation, evidence: Evidence) -> Mapping[str, int]:
    known = evidence.states.get((row.machine, row.state))
    return known.settings if known else {}


def _counts(
    row: Observation, quantity: Quantity, settings: Mapping[str, int]
) -> tuple[dict[str, float], str, dict[str, int]]:
    terms: dict[str, float] = {}
    path, scenario = "", {}
    if quantity.path:
        path = path_of(row, quantity.path)
        scenario = _scenario(row, quantity)
        terms = _terms(path, scenario, row.id)
    for event, count in quantity.extra_events.items():
        terms[event] = terms.get(event, 0) + count
    return parameter_counts(terms, settings), path, scenario


def _counts_of_share(
    row: Observation, quantity: Quantity, evidence: Evidence, settings: Mapping[str, int]
) -> dict[str, float]:
    whole = evidence.quantities["mmio.write_userspace"]
    terms = _terms(path_of(row, quantity.share_of), _scenario(row, whole), row.id)
    for event, count in whole.extra_events.items():
        terms[event] = terms.get(event, 0) + count
    return parameter_counts(terms, settings)


def path_of(row: Observation, pattern: str) -> str:
    """The path that GEN and MODE of a quantity stand for in this row. Raises NotScored if there is none."""
    gen = row.generation or (_SAME_IN_ALL if pattern == "GEN.any.hypercall" else "")
    if not gen:
        raise NotScored("its kernel generation is not known")
    mode = "shadow" if row.ept == 0 else "ept"
    if pattern.endswith("mmio_hit") and row.mmio_shortcut == "none":
        pattern = "GEN.MODE.mmio_uncached" if gen == "v517" else "v30.MODE.mmio"
    elif pattern.endswith("mmio_hit") and row.mmio_shortcut == "fast bus":
        pattern = "GEN.ept.fast_mmio"
    name = pattern.replace("GEN", gen).replace("MODE", mode)
    try:
        return path_named(name).name
    except InvalidInput as error:
        raise NotScored(f"no path {name}: the equations do not cover it") from error


def _scenario(row: Observation, quantity: Quantity) -> dict[str, int]:
    own = {"slots": row.slots, "guest_levels": row.guest_levels}
    return {**quantity.scenario, **{name: value for name, value in own.items() if value is not None}}


def _terms(path: str, scenario: Mapping[str, int], where: str) -> dict[str, float]:
    """Occurrences of each event with all indicators of the host's state on; the state's settings follow."""
    try:
        full = resolve(path, {**scenario, **dict.fromkeys(INDICATORS, 1)}, where)
    except InvalidInput as error:
        raise NotScored(str(error)) from error
    return dict(kernel(path)({**full, "cold_search_fraction": 0}))


def _value(row: Observation, evidence: Evidence) -> tuple[float, float, bool]:
    """Value in cycles (shares: of 1), harness overhead subtracted, and whether a clock had to be assumed."""
    if row.unit == "percent":
        return row.value / 100, 0.0, False
    assumed = row.unit != "cycle" and row.clock_hz is None
    clock = evidence.assumptions["clock_not_stated"].value if assumed else row.clock_hz
    value = row.value if row.unit == "cycle" else to_cycles(row.value, row.unit, clock or 0.0)
    harness = _harness(row, evidence)
    if value - harness <= 0:
        raise NotScored("not positive once the overhead of the harness is taken off")
    return value - harness, harness, assumed


def _harness(row: Observation, evidence: Evidence) -> float:
    same = (
        other.value
        for other in evidence.observations
        if other.quantity == HARNESS and other.comparison == row.comparison and other.unit == row.unit
    )
    return next(same, 0.0) if row.comparison else 0.0


def fit_rows(evidence: Evidence) -> tuple[Row, ...]:
    """The rows of the joint fit: every observation whose ``use`` is fit and that the model can predict."""
    rows = []
    for observation in evidence.observations:
        if observation.use == "fit":
            try:
                rows.append(row_of(observation, evidence))
            except NotScored:
                continue
    return tuple(rows)
