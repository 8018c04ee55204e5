"""Rival forms of the joint fit: what is counted, and how the rows err.

Each variant changes the rows, the priors or the error of a row; all else is the joint fit as the package makes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...evidence import Evidence, Prior
from ..batch import Batch, Compact, solve_all
from ..design import build
from ..mixture import GRID
from ..rows import Row, fit_rows
from ..solve import DEGREES, Maximum, Problem
from .held_out import Fitted, fit
from .scores import Score, score

if TYPE_CHECKING:
    from ..design import Array

COMPLETION = "mmio_completion"
MMIO_ROUND_TRIP = "userspace_exit_mmio"


@dataclass(frozen=True)
class Variant:
    """A rival joint fit: ``change`` rewrites a row, ``priors`` are of its own parameters, ``degrees`` of row errors."""

    name: str
    says: str
    change: Callable[[Row], Row]
    priors: Mapping[str, Prior]
    degrees: float = DEGREES


def contains_mmio_round_trip(row: Row) -> bool:
    """Whether a row, or the whole that it is a share of, holds an emulated MMIO access that user space serves.

    Both stores of the difference ``userspace.minus_eventfd`` are MMIO (probe/cells.csv); shares are of an MMIO store.
    """
    if row.quantity == "userspace.minus_eventfd" or row.per.get("userspace_exit"):
        return True
    return row.quantity.startswith("mmio.") and bool(row.counts.get("userspace_exit"))


def _same(row: Row) -> Row:
    return row


def _with_completion(row: Row) -> Row:
    return _both(row, lambda counts: {**counts, COMPLETION: counts["userspace_exit"]})


def _own_round_trip(row: Row) -> Row:
    return _both(
        row, lambda counts: {MMIO_ROUND_TRIP if name == "userspace_exit" else name: n for name, n in counts.items()}
    )


def _both(row: Row, change: Callable[[Mapping[str, float]], Mapping[str, float]]) -> Row:
    if not contains_mmio_round_trip(row):
        return row
    counts, per = (change(found) if found.get("userspace_exit") else found for found in (row.counts, row.per))
    return replace(row, counts=counts, per=per)


def _prior(event: str, median: float, log_sd: float, reason: str) -> Mapping[str, Prior]:
    return {event: Prior(event, median, log_sd, "cycle", "machine", reason, "")}


_EVENT = _prior(COMPLETION, 300.0, 1.5, "bookkeeping of the fragments after user space; wide, as other measured events")
_TRIP = _prior(MMIO_ROUND_TRIP, 5000.0, 1.5, "as userspace_exit")

# fmt: off
#: The first is what the package fits.
VARIANTS = (
    Variant("as used", "one round trip to user space, no mmio_completion, Student-t errors of rows", _same, {}),
    Variant("mmio_completion", "MMIO served in user space costs one more event", _with_completion, _EVENT),
    Variant("separate round trips", "to user space MMIO costs something else than ports", _own_round_trip, _TRIP),
    Variant("Gaussian rows", "no row is further off than a normal error allows", _same, {}, math.inf),
    Variant("mmio_completion, Gaussian rows", "both", _with_completion, _EVENT, math.inf),
    Variant("separate round trips, Gaussian rows", "both", _own_round_trip, _TRIP, math.inf),
)
# fmt: on

Say = Callable[[str], None]


def fitted(variant: Variant, rows: Sequence[Row], priors: Mapping[str, Prior]) -> Fitted:
    """The variant fitted on every point of the package's grid of scatters, all points at once."""
    design = build([variant.change(row) for row in rows], {**priors, **variant.priors})
    points = [
        Problem(design.model, design.target, design.sd, design.prior_variance(hyper), variant.degrees) for hyper in GRID
    ]
    return fit(points, solver=partial(_together, Compact(design)))


def _together(rows: Compact, points: Sequence[Problem], starts: Sequence[Array]) -> tuple[Maximum, ...]:
    """Maxima of points that share the rows of a design."""
    deviation = np.sqrt(np.array([point.prior_variance for point in points]))
    sd = np.array([point.sd for point in points])
    target = np.broadcast_to(points[0].target, sd.shape)
    batch = Batch(rows, deviation, np.zeros(deviation.shape), target, sd, np.ones(sd.shape), points[0].degrees)
    whitened, objective = solve_all(batch, np.array(starts) / deviation)
    value, shares = batch.shares(whitened)
    jacobian = batch.jacobian(shares) / deviation[:, None]
    found = zip(whitened * deviation, value, jacobian, objective + np.log(sd).sum(axis=1), strict=True)
    return tuple(Maximum(*item[:3], float(item[3]), True, 0) for item in found)


def labels(rows: Sequence[Row]) -> Mapping[str, list[str]]:
    """What is left out together. Every source measured one machine, so that machines are the same folds."""
    return {"row": [row.id for row in rows], "source": [row.source for row in rows]}


def scored_variants(evidence: Evidence, say: Say = lambda line: None) -> Iterator[Score]:
    """Every variant with rows and sources left out, weights of the grid made anew in each fold: minutes."""
    rows = fit_rows(evidence)
    for variant in VARIANTS:
        whole = fitted(variant, rows, evidence.priors)
        found = score(variant.name, len(whole.maxima[0].unknowns), whole, labels(rows))
        say(f"{variant.name}: log density of left-out sources {found.scheme('source').log_density:.2f}")
        yield found
