"""The seven cells of the recorded probe come out of its single timings as the run's own summary has them."""

from __future__ import annotations

import pytest

from mmiocost import evidence
from mmiocost.units import cycles_to_ns

TSC_HZ = 2_596_120_000.0


@pytest.mark.parametrize(
    ("cell", "state", "ns", "low", "high"),
    [
        # Value and 95 % bootstrap interval of the run's summary; two of them are stated without an interval.
        ("probe2026-001", "cpl3", 2477, 2457, 2490),
        ("probe2026-002", "cpl3", 2716, 2710, 2723),
        ("probe2026-003", "cpl3", 24945, 24908, 24964),
        ("probe2026-004", "cpl3", 32.9, 32.0, 33.4),
        ("probe2026-005", "emulated", 450, 449, 451),
        ("probe2026-006", "emulated", 32.5, 31.8, 33.0),
        ("probe2026-007", "emulated", 6770, 6763, 6788),
    ],
)
def test_cells_are_the_figures_of_the_runs_summary(cell: str, state: str, ns: float, low: float, high: float) -> None:
    (row,) = [row for row in evidence.load().observations if row.id == cell]
    assert row.clock_hz == TSC_HZ
    value = cycles_to_ns(row.value, TSC_HZ)
    assert low <= value <= high
    assert value == pytest.approx(ns, rel=1.6e-3)  # the summary's last printed digit
    assert (row.machine, row.state, row.unit, row.use) == ("zen5-pvm", state, "cycle", "fit")


def test_spreads_are_standard_errors_well_inside_the_runs_intervals() -> None:
    cells = [row for row in evidence.load().observations if row.source_id == "probe2026"]
    assert len(cells) == 7
    for row in cells:
        assert row.spread is not None
        assert row.spread_kind == "sem"
        assert row.n_runs == 20
        assert 0 < row.spread < 0.02 * row.value


def test_one_level_read_is_85_tsc_cycles() -> None:
    """The run's summary states 85 TSC cycles a level for both privileges together."""
    (row,) = [row for row in evidence.load().observations if row.id == "probe2026-004"]
    assert round(row.value) == 85
