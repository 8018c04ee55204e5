"""A quantity over a grid or a sample of scenarios, each point as :func:`~.predict.predict` has it.

A quantity is linear in the costs, and its counts are linear in a few features of what varies
(``equations.linear_form``): the draws at a point are features @ (coefficients @ draws of the costs), of which all but
the features is worked out once a case and once an outer point. Memory stays bounded however many points there are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInput
from ..fitting.design import Array
from ..fitting.fit import SEED, Fit
from ..fitting.store import current_fit
from .axes import Axis, Over, checked_axes
from .cases import Case, cases
from .extents import ranges
from .points import TILE, Points, inner_axis, tiles_of_grid, tiles_of_sample
from .reach import extrapolates
from .sampling import KINDS
from .scenario import Scenario
from .surface import Surface
from .sweep_file import Written, write
from .terms import OVERHEAD, REGRESSION, SPEEDUP, remarks

if TYPE_CHECKING:
    import pandas

MOST_POINTS = 10**10
COMPILED = 10**7  # points from which on numba, its import and build counted, is quicker than NumPy in blocks
_ALL = 2**30  # values alone need no columns beside them, so that a tile may be large
VALUE_ALONE = "value_at_median_costs"


@dataclass(frozen=True)
class Sample:
    """A random sample instead of a grid: ``kind`` is ``lhs`` or ``sobol``; the seed is fixed."""

    kind: str
    points: int


@dataclass(frozen=True)
class Sweep:
    """A sweep that is set up and checked; nothing is computed before it is asked for.

    The columns of its points are the axes in the order given, then value, low, high and extrapolates; without an
    interval, ``value_at_median_costs`` and extrapolates.
    """

    quantity: str
    axes: tuple[Axis, ...]
    scenario: Scenario
    sample: Sample | None
    with_interval: bool
    cases: tuple[Case, ...]
    fit: Fit
    folders: tuple[Path, ...]

    @property
    def rows(self) -> int:
        """Number of points."""
        if self.sample:
            return self.sample.points
        return int(np.prod([len(axis.values) for axis in self.axes], dtype=object))

    @property
    def unit(self) -> str:
        """Unit of the quantity."""
        return {SPEEDUP: "1", REGRESSION: "cycle/s", OVERHEAD: "cycle/s"}.get(self.quantity, "cycle")

    @property
    def interval(self) -> str:
        """Kind of the intervals: known_machine or new_machine."""
        return "known_machine" if self.fit.locate(self.scenario.machine)[0] else "new_machine"

    @property
    def shown(self) -> tuple[str, ...]:
        """Columns that hold the quantity."""
        return ("value", "low", "high") if self.with_interval else (VALUE_ALONE,)

    @property
    def notes(self) -> tuple[str, ...]:
        """How the scenario was read, and what may not mean what it seems to."""
        found = [*self.scenario.notes, *(note for case in self.cases for note in remarks(case.scenario))]
        return tuple(dict.fromkeys(found))

    @property
    def seed(self) -> int | None:
        """Seed of the sample."""
        return SEED if self.sample else None

    @cached_property
    def surface(self) -> Surface:
        """What evaluates the quantity at points."""
        return Surface(self.quantity, self.scenario.machine, self.fit, compiled=self.rows >= COMPILED)

    def _tiles(self, rows: int) -> Iterator[tuple[Case, Points]]:
        """The points in parts of one case each, of a grid in parts of about so many points."""
        if self.sample:
            return tiles_of_sample(self.axes, self.cases, self.sample.kind, self.sample.points)
        return tiles_of_grid([axis for axis in self.axes if not axis.is_short], self._plan, rows)

    @cached_property
    def _plan(self) -> list[tuple[Case, Axis | None, dict[str, Any]]]:
        axes = [axis for axis in self.axes if not axis.is_short]
        return [(case, inner_axis(axes, case), {}) for case in self.cases]

    def blocks(self) -> Iterator[dict[str, Array]]:
        """Columns of successive parts of the points."""
        known = ranges(self.fit, self.folders)
        for case, points in self._tiles(TILE):
            varied = points.columns()
            axes = {
                axis.name: varied[axis.name] if axis.name in varied else np.full(points.rows, case.chosen[axis.name])
                for axis in self.axes
            }
            yield {**axes, **self._shown(case, points), "extrapolates": extrapolates(case, points, known)}

    def _shown(self, case: Case, points: Points) -> dict[str, Array]:
        if not self.with_interval:
            found = np.empty(points.rows)
            self.surface.fill(case, points, found)
            return dict(zip(self.shown, (found,), strict=True))
        low, value, high = self.surface.intervals(case, points).T
        return dict(zip(self.shown, (value, low, high), strict=True))

    def write(self, file: os.PathLike[str], progress: bool = False) -> Written:
        """Stream all points into a Parquet file; see :func:`~.sweep_file.write`."""
        return write(self, Path(file), progress)

    def frame(self) -> pandas.DataFrame:
        """All points as a table."""
        import pandas as pd

        return pd.concat([pd.DataFrame(block) for block in self.blocks()], ignore_index=True)

    def values(self, out: Array | None = None) -> Array:
        """The quantity at the median costs, (rows,), in the order of :meth:`blocks`; into ``out`` if it is given.

        The quickest way to many points, which must fit into memory.
        """
        found = np.empty(self.rows) if out is None else out
        start = 0
        for case, points in self._tiles(_ALL):
            self.surface.fill(case, points, found[start : start + points.rows])
            start += points.rows
        return found


def sweep(
    quantity: str,
    over: Over,
    scenario: Scenario | None = None,
    *,
    sample: Sample | None = None,
    with_interval: bool = True,
    evidence: Sequence[os.PathLike[str]] = (),
) -> Sweep:
    """Set up a sweep of what :func:`~.predict.predict` answers over a grid (the product of the axes) or a sample.

    ``over`` maps symbols to values or to a :class:`~.axes.Span`, ``mode`` and ``after`` to names. Raises InvalidInput
    with all that is wrong before anything is computed.
    """
    scenario = scenario or Scenario()
    folders = tuple(Path(folder) for folder in evidence)
    fit = current_fit(folders)
    if sample and (sample.kind not in KINDS or sample.points < 1):
        allowed = f"must be one of {', '.join(KINDS)} with 1 point or more"
        raise InvalidInput.one("--sample", "", f"{sample.kind}, {sample.points}", allowed)
    axes = checked_axes(over, scenario, sample is not None)
    fit.locate(scenario.machine)
    found = Sweep(
        quantity, axes, scenario, sample, with_interval, tuple(cases(quantity, scenario, axes, fit)), fit, folders
    )
    if found.rows > MOST_POINTS:
        raise InvalidInput.one("--over", "", "", f"makes {found.rows} points; at most {MOST_POINTS} are swept at once")
    _check_transaction(quantity, axes, scenario)
    return found


def _check_transaction(quantity: str, axes: Sequence[Axis], scenario: Scenario) -> None:
    name = "cycles_per_transaction"
    if quantity == SPEEDUP and name not in scenario.mix and all(axis.name != name for axis in axes):
        raise InvalidInput.one(
            "--set", name, "", "must be set or varied: the cycles of one transaction before the change"
        )
