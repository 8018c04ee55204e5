"""The fit held against rows that it has not seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from mmiocost.evidence import Evidence, Observation, read_measurements
from mmiocost.evidence.records import unstated
from mmiocost.fitting.fit import Fit
from mmiocost.fitting.score import Score, score


@pytest.fixture
def held(write_rows: Callable[..., Path], evidence: Evidence, fit: Fit) -> Callable[..., Score]:
    def against(*rows: dict[str, object]) -> Score:
        return score(read_measurements(write_rows(*rows) / "observations.csv")[0], evidence, fit)

    return against


KNOWN = {"machine": "unnamed-2012", "state": "3.7", "generation": "v36", "quantity": "exit.hypercall"}


def test_a_row_as_the_fit_expects_it_is_inside_and_one_far_off_is_not(held: Callable[..., Score]) -> None:
    found = held({**KNOWN, "value": 3898}, {**KNOWN, "value": 2 * 3898}, {**KNOWN, "value": 0.5 * 3898})
    assert [item.inside for item in found.observations] == [True, False, False]
    assert found.coverage == pytest.approx(1 / 3)
    assert {item.machine for item in found.observations} == {"unnamed-2012/3.7"}
    for item in found.observations:
        assert item.inside == (item.low <= item.measured <= item.high)
        assert item.predicted == pytest.approx(3898, rel=0.01)
    assert found.median_relative_error == pytest.approx(0.5, rel=0.05)  # errors 0, 1/2 and 1


def test_the_interval_is_that_of_a_new_measurement_by_its_own_spread(held: Callable[..., Score]) -> None:
    spread = {"spread": 400, "spread_kind": "sem"}
    narrow, wide = held({**KNOWN, "value": 3898}, {**KNOWN, "value": 3898, **spread}).observations
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)
    assert narrow.interval == "new_measurement"


def test_a_machine_not_in_the_evidence_is_a_new_one_and_an_unknown_state_a_new_state(
    held: Callable[..., Score],
) -> None:
    found = held(
        {**KNOWN, "value": 3898},
        {**KNOWN, "state": "4.0", "value": 3898},
        {**KNOWN, "machine": "mine", "value": 3898},
        {**KNOWN, "machine": "", "state": "", "value": 3898},
    ).observations
    assert [item.machine for item in found] == ["unnamed-2012/3.7", "unnamed-2012", "new machine", "new machine"]
    widths = [item.high / item.low for item in found]
    assert widths[0] < widths[1] < widths[2] and widths[2] > 4


def test_values_are_compared_in_the_unit_in_which_they_were_published(held: Callable[..., Score]) -> None:
    cycles, time = held({**KNOWN, "value": 3898}, {**KNOWN, "value": 1.949, "unit": "us", "clock_hz": 2e9}).observations
    assert (cycles.unit, time.unit) == ("cycle", "us")
    assert time.predicted == pytest.approx(cycles.predicted / 2000, rel=1e-3)


def test_rows_that_the_model_does_not_cover_are_listed_with_the_reason(
    held: Callable[..., Score], evidence: Evidence
) -> None:
    found = held(
        {"quantity": "msr.write_ibpb", "value": 900},
        {"quantity": "mmio.write_userspace", "value": 9000, "generation": "v40", "ept": 0, "mmio_shortcut": "spte"},
        {"quantity": "exit.cpuid", "value": 1000},
        {**KNOWN, "value": 3898},
    )
    reasons = dict(found.not_scored)
    assert reasons["mine-1"] == evidence.quantities["msr.write_ibpb"].why_not
    assert "no path v40.shadow.mmio_hit" in reasons["mine-2"]
    assert "generation is not known" in reasons["mine-3"]
    assert [item.id for item in found.observations] == ["mine-4"]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"quantity": "exit.hypercal", "value": 1}, "unknown quantity; did you mean 'exit.hypercall'?"),
        ({"unit": "percent", "value": 1}, "its unit is percent, but exit.hypercall needs the dimension of cycle"),
        (
            {"quantity": "profile.share_guest_walk", "unit": "1", "value": 0.03},
            "its unit is 1, but profile.share_guest_walk needs the dimension of percent",
        ),
        ({"value": 0}, "must be above 0"),
        ({"value": -3}, "must be above 0"),
        ({"value": "1e300", "unit": "s"}, "too large for a number of cycles"),
        ({"value": 9, "spread": 1}, "spread and spread_kind come together, and one of them is missing"),
        ({"value": 9, "spread": "1e9", "spread_kind": "sem"}, "its spread is so wide that every prediction holds"),
    ],
)
def test_a_row_that_means_nothing_is_listed_beside_those_that_do(
    held: Callable[..., Score], row: dict[str, object], why: str
) -> None:
    found = held({**KNOWN, "value": 3898}, {**KNOWN, **row}, {**KNOWN, "value": 3900})
    assert found.not_scored == (("mine-2", why),)
    assert [item.id for item in found.observations] == ["mine-1", "mine-3"]


def test_many_rows_of_one_question_are_predicted_as_each_alone(
    held: Callable[..., Score], evidence: Evidence, fit: Fit
) -> None:
    """Values and spreads differ, the question does not; the order of the file is kept."""
    rows: list[dict[str, object]] = [
        {**KNOWN, "value": 3000 + 7 * n, "spread": 1 + n % 50, "spread_kind": "sem", "machine": ("", "mine")[n % 2]}
        for n in range(600)
    ]
    found = held(*rows).observations
    assert [item.id for item in found] == [f"mine-{n}" for n in range(1, 601)]
    for n in (0, 1, 299, 599):
        one = Observation(**{**unstated(), **rows[n], "id": "alone", "unit": "cycle", "source_id": "mine"})
        (alone,) = score([one], evidence, fit).observations
        assert (found[n].low, found[n].predicted, found[n].high) == pytest.approx(
            (alone.low, alone.predicted, alone.high)
        )


def test_a_row_of_the_fit_itself_is_marked_as_seen(evidence: Evidence, fit: Fit) -> None:
    row = next(row for row in evidence.observations if row.use == "fit")
    other = dataclasses.replace(row, value=row.value * 1.01)
    assert [score([item], evidence, fit).observations[0].seen for item in (row, other)] == [True, False]


def test_without_a_row_to_score_there_is_no_coverage(held: Callable[..., Score]) -> None:
    found = held({"quantity": "msr.write_ibpb", "value": 900})
    assert (found.observations, found.coverage, found.median_relative_error) == ((), None, None)


def test_the_fits_own_rows_are_covered(evidence: Evidence, fit: Fit) -> None:
    """In sample, so nearly all: only the row that contradicts its table lies outside."""
    fitted_rows = [row for row in evidence.observations if row.use == "fit"]
    found = score(fitted_rows, evidence, fit)
    assert found.not_scored == () and len(found.observations) == 64
    assert [item.id for item in found.observations if not item.inside] == ["tsirkin2013_pcitestdev-004"]
    assert found.median_relative_error < 0.01
