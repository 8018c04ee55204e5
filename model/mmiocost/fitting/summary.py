"""What a fit found, for a reader: every parameter with its interval, every row measured against fitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .fit import IDENTIFIED, MEDIAN_MACHINE, NOT_INFORMED, Fit
from .intervals import interval
from .mixture import Mixture
from .prediction import sources_of, weighted_costs
from .rows import Row


@dataclass(frozen=True)
class Estimate:
    """A cost parameter in cycles: a confidence interval of its value on one machine.

    ``identified``: the rows narrow its log to less than half of the prior's width. A parameter that rows
    contain without identifying it has no lower bound (None): they only bound it above. ``prior_bounded``: no
    row informs it, and the interval is the prior's.
    """

    name: str
    machine: str
    value: float
    low: float | None
    high: float | None
    unit: str
    identified: bool
    prior_bounded: bool
    sources: tuple[str, ...]


@dataclass(frozen=True)
class RowFit:
    """One row of the evidence against the fit; ``residual`` is log(fitted/measured).

    ``measured`` and ``fitted`` are in ``unit`` (cycles after the harness is taken off, or a share of 1); the
    interval is that of the mean on this machine. ``weight`` is what robust fitting left of the row's weight.
    """

    id: str
    quantity: str
    path: str
    machine: str
    state: str
    source: str
    published: float
    published_unit: str
    harness: float
    measured: float
    fitted: float
    low: float | None
    high: float | None
    unit: str
    residual: float
    sd: float
    weight: float


def estimates(fit: Fit, rows: Sequence[Row]) -> tuple[Estimate, ...]:
    """All parameters of the median machine, then those that occur in rows of each machine's state."""
    found = [_estimate(fit, name, MEDIAN_MACHINE, "") for name in fit.priors]
    for machine, state in fit.states:
        found += [_estimate(fit, name, machine, state) for name in _occurring(rows, machine, state)]
    return tuple(found)


def _occurring(rows: Sequence[Row], machine: str, state: str) -> Iterator[str]:
    names = {name for row in rows if (row.machine, row.state) == (machine, state) for name in (*row.counts, *row.per)}
    return (name for name in sorted(names))


def _estimate(fit: Fit, name: str, machine: str, state: str) -> Estimate:
    found = interval(np.exp(fit.log_costs([name], machine, state)[:, 0]))
    left = fit.width_left(name, machine, state)
    bounded_above = IDENTIFIED <= left <= NOT_INFORMED
    label = machine if not state else f"{machine}/{state}"
    low = None if bounded_above else found.low
    return Estimate(
        name, label, found.value, low, found.high, "cycle", left < IDENTIFIED, left > NOT_INFORMED,
        sources_of(fit, [name]),
    )  # fmt: skip


def row_fits(fit: Fit, mixture: Mixture, rows: Sequence[Row]) -> tuple[RowFit, ...]:
    """Every row of the fit, in the order of the evidence."""
    kept = mixture.design.sd**2 / mixture.best().row_variance
    return tuple(_row_fit(fit, row, min(1.0, float(weight))) for row, weight in zip(rows, kept, strict=True))


def _row_fit(fit: Fit, row: Row, weight: float) -> RowFit:
    draws = weighted_costs(fit, row.counts, row.machine, row.state)
    if row.per:
        draws = draws / weighted_costs(fit, row.per, row.machine, row.state)
    found = interval(draws)
    return RowFit(
        row.id, row.quantity, row.path, row.machine, row.state, row.source, row.published, row.unit, row.harness,
        float(np.exp(row.log_value)), found.value, found.low, found.high, "1" if row.per else "cycle",
        float(np.log(found.value) - row.log_value), row.sd, weight,
    )  # fmt: skip


def validation(rows: Sequence[RowFit]) -> dict[str, float | int]:
    """How well the fit reproduces its own rows: count, root mean square and largest log residual, outliers."""
    residuals = np.array([row.residual for row in rows])
    return {
        "rows": len(rows),
        "machines": len({row.machine for row in rows}),
        "states": len({(row.machine, row.state) for row in rows}),
        "sources": len({row.source for row in rows}),
        "rms_log_residual": float(np.sqrt(np.mean(residuals**2))),
        "median_abs_log_residual": float(np.median(np.abs(residuals))),
        "largest_abs_log_residual": float(np.max(np.abs(residuals))),
        "outliers": sum(abs(row.residual) > 4 * row.sd for row in rows),
    }
