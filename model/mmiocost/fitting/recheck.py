"""A sample of the long checks made again: whether a kept result is still what this code finds.

Seeds are fixed, and sums hardly depend on the processor: with other vector units no rank differed in six decimals.
A last digit that tips one draw over its neighbour moves a rank by 1/80 and must not count as a difference.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..evidence import Evidence
from . import left_out, simulation
from .bootstrap import first_refits
from .design import Array
from .left_out import SCHEMES
from .rows import Row, fit_rows
from .validation_result import HeldOut, Study, Validation

TOLERANCE = 0.0126  # of a rank
SAME_COST = 1e-3  # relative
SAMPLE = 2  # simulations of each variant, the first ones
FOLDS = ((SCHEMES[0], "bonzini2012_vmexit_pio"), (SCHEMES[1], "tsirkin2013_pcitestdev"))


def differences(kept: Validation, evidence: Evidence) -> tuple[str, ...]:
    """Where a sample of simulations and folds, made again, is not as it was kept; empty where all of it is."""
    rows = fit_rows(evidence)
    here = simulation.world(rows, evidence.priors)
    return (
        *(line for item in kept.studies for line in _simulations(item, here)),
        *(line for item in kept.held_out for line in _folds(item, rows, evidence)),
        *_refits(kept, rows, evidence),
    )


def _simulations(kept: Study, here: simulation.World) -> Iterator[str]:
    if tuple(item.cost for item in kept.costs) != here.labels:
        yield f"{kept.variant.name}: other costs are asked"
        return
    for number in range(min(SAMPLE, len(kept.costs[0].ranks))):
        then = np.array([item.ranks[number] for item in kept.costs])
        if _far(then, simulation.ranks(here, kept.variant, number)):
            yield f"{kept.variant.name}: simulation {number} has other ranks"


def _folds(kept: HeldOut, rows: tuple[Row, ...], evidence: Evidence) -> Iterator[str]:
    for fold in (fold for scheme, fold in FOLDS if scheme == kept.scheme):
        now = left_out.predictions(rows, evidence.priors, kept.scheme, fold)
        then = tuple(item for item in kept.predictions if item.fold == fold)
        same_rows = [item.row for item in now] == [item.row for item in then]
        if not same_rows or _far(np.array([item.rank for item in then]), np.array([item.rank for item in now])):
            yield f"{kept.scheme.left_out} {fold} left out, {kept.scheme.known} known: other ranks"


def _refits(kept: Validation, rows: tuple[Row, ...], evidence: Evidence) -> Iterator[str]:
    now = first_refits(rows, evidence.priors)
    if [item.cost for item in kept.bootstrap] != list(now):
        yield "bootstrap by source: other costs are asked"
        return
    for item in kept.bootstrap:
        if np.abs(np.array(item.first) / now[item.cost] - 1).max() > SAME_COST:
            yield f"bootstrap by source: {item.cost}: other refits"


def _far(then: Array, now: Array) -> bool:
    return bool(np.max(np.abs(then - now)) > TOLERANCE)
