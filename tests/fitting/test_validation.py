"""The long checks: the kept result is that of this code, and coverage catches intervals that are too narrow."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from house import imported, package_sources

from mmiocost.errors import InvalidInput
from mmiocost.evidence import Evidence, evidence_hash
from mmiocost.evidence.digest import read_descriptor
from mmiocost.fitting import validation
from mmiocost.fitting.bootstrap import FIRST
from mmiocost.fitting.calibration import LEVELS, coverages, coverages_by_group, inside, rank
from mmiocost.fitting.design import Hyper
from mmiocost.fitting.fit import MEDIAN_MACHINE
from mmiocost.fitting.left_out import SCHEMES, Prediction, folds, predictions
from mmiocost.fitting.recheck import differences
from mmiocost.fitting.rows import Row, fit_rows
from mmiocost.fitting.simulation import NEW_MEASUREMENT, TRUTH, VARIANTS, World, ranks, world
from mmiocost.fitting.validation_result import CODE, Validation, code_hash, read_validation, result_file, written
from mmiocost.resources import data_dir

KNOWN = VARIANTS[2]
NO_MACHINES = Hyper(0.01, 0.01, TRUTH.state_event)
FEW, DRAWS = 10, 40  # of simulations, and of draws in each, where every truth is far off


@pytest.fixture(scope="module")
def rows(evidence: Evidence) -> tuple[Row, ...]:
    return fit_rows(evidence)


@pytest.fixture(scope="module")
def here(rows: tuple[Row, ...], evidence: Evidence) -> World:
    return world(rows, evidence.priors)


@pytest.fixture(scope="module")
def kept() -> Validation:
    return read_validation()


def test_the_kept_result_is_of_this_fit_and_this_evidence(kept: Validation) -> None:
    assert kept.why_not_current == ""


def test_the_kept_result_has_the_size_that_is_claimed(kept: Validation) -> None:
    assert [study.variant for study in kept.studies] == list(VARIANTS)
    assert all(len(cost.ranks) >= 1000 for study in kept.studies for cost in study.costs)
    assert [item.scheme for item in kept.held_out] == list(SCHEMES)


def test_parameters_means_and_new_measurements_are_asked_of_known_and_new_machines(kept: Validation) -> None:
    for study in kept.studies:
        costs = [item.cost for item in study.costs]
        assert sum(MEDIAN_MACHINE in cost for cost in costs) == 4
        for machine in ("new machine", "skylake-8160"):
            assert sum(machine in cost and NEW_MEASUREMENT in cost for cost in costs) == 1
            assert sum(machine in cost and NEW_MEASUREMENT not in cost for cost in costs) == 1


def test_refits_of_drawn_sources_stand_beside_the_fit(kept: Validation) -> None:
    """Both hold the fit's value; with so few sources nothing finer is asked of them."""
    assert kept.draws["bootstrap"] == 1000
    for item in kept.bootstrap:
        assert item.low < item.fit_value < item.high and item.fit_low < item.value < item.fit_high
        assert 0 <= item.lost < 1
    assert any("bootstrap" in note for note in kept.notes) == any(item.width_ratio > 1.5 for item in kept.bootstrap)


def test_a_sample_made_again_gives_what_was_kept(kept: Validation, evidence: Evidence) -> None:
    assert differences(kept, evidence) == ()


def test_a_kept_result_of_other_numbers_is_found(kept: Validation, evidence: Evidence) -> None:
    """Two simulations of one variant with other ranks, a fold with ranks moved by two hundredths, other refits."""
    moved = [replace(item, rank=item.rank + 0.02) for item in kept.held_out[0].predictions]
    costs = (replace(kept.studies[2].costs[0], ranks=(0.5, 0.5)), *kept.studies[2].costs[1:])
    other = replace(
        kept,
        studies=(replace(kept.studies[2], costs=costs),),
        held_out=(replace(kept.held_out[0], predictions=tuple(moved)),),
        bootstrap=(replace(kept.bootstrap[0], first=(1.0,) * FIRST), *kept.bootstrap[1:]),
    )
    found = differences(other, evidence)
    assert len(found) == 4
    assert all("scatter known: simulation" in line for line in found[:2])
    assert "bonzini2012_vmexit_pio" in found[2]
    assert "bootstrap by source" in found[3]


def test_the_kept_coverage_is_that_of_the_kept_ranks(kept: Validation) -> None:
    for study in kept.studies:
        assert all(cost.coverage == coverages(cost.ranks) for cost in study.costs)
    for held in kept.held_out:
        assert held.coverage == coverages([item.rank for item in held.predictions])
        sources = {
            item.source: [one.rank for one in held.predictions if one.source == item.source] for item in held.groups
        }
        assert held.by_source == coverages_by_group(sources)
        assert sum(group.inside for group in held.groups) == round(held.coverage[-1].covered * len(held.predictions))


def test_what_is_too_narrow_is_said_in_the_notes(kept: Validation) -> None:
    narrow = [cost.cost for study in kept.studies for cost in study.costs for item in cost.coverage if item.too_narrow]
    assert sum(note.startswith("simulation") for note in kept.notes) == len(narrow)
    assert all(any(cost in note for note in kept.notes) for cost in narrow)


def test_a_fit_without_machine_effects_is_caught(kept: Validation, here: World) -> None:
    """Told the truth's scatter, the fits of the same data pass; told that all machines are alike, they do not."""
    study = next(study for study in kept.studies if study.variant == KNOWN)
    proud = np.array([ranks(here, KNOWN, number, DRAWS, [NO_MACHINES]) for number in range(FEW)]).T
    for cost in ("vm_exit_instruction, median machine", "v517.ept.mmio_hit, new machine"):
        place = here.labels.index(cost)
        assert not not_covered(study.costs[place].ranks[:FEW])
        assert not_covered(proud[place])


def test_a_fit_that_trusts_its_rows_too_much_is_caught(kept: Validation, here: World) -> None:
    """Rows believed ten times better than they are make the cost that a row measures directly too narrow."""
    trusting = replace(here, fitted=replace(here.fitted, sd=here.fitted.sd / 10))
    study = next(study for study in kept.studies if study.variant == KNOWN)
    assert not not_covered(study.costs[-1].ranks[:FEW])
    assert not_covered([ranks(trusting, KNOWN, number, DRAWS)[-1] for number in range(FEW)])


def not_covered(found: Sequence[float] | np.ndarray) -> bool:
    """Whether a handful of truths speaks against the interval of 95 %."""
    return coverages(list(found))[-1].too_narrow


def test_evenly_spread_ranks_are_covered_as_often_as_the_level_says() -> None:
    even = [(k + 0.5) / 1000 for k in range(1000)]
    assert [item.covered for item in coverages(even)] == pytest.approx(LEVELS, abs=0.002)
    assert not any(item.too_narrow for item in coverages(even))
    assert coverages(even)[1].error == pytest.approx(math.sqrt(0.8 * 0.2 / 1000))


def test_ranks_at_the_ends_are_too_narrow_and_ranks_in_the_middle_are_not() -> None:
    assert all(item.too_narrow and item.covered == 0 for item in coverages([0.001, 0.999] * 20))
    assert not any(item.too_narrow for item in coverages([0.5] * 40))


def test_a_group_of_many_truths_counts_as_much_as_one_of_a_single_truth() -> None:
    """Ten covered rows of one source beside one row of another that no interval covers."""
    found = coverages_by_group({"many": [0.5] * 10, "one": [0.001]})
    assert [(item.covered, item.count) for item in found] == [(0.5, 2)] * 3
    assert found[-1].error == pytest.approx(math.sqrt(0.95 * 0.05 / 2))


def test_a_rank_counts_the_draws_below() -> None:
    draws = np.array([1.0, 2.0, 3.0, 4.0])
    assert [rank(draws, truth) for truth in (0.0, 2.5, 9.0)] == pytest.approx([0.1, 0.5, 0.9])
    assert inside(0.9, 0.8)
    assert not inside(0.91, 0.8)


def test_every_row_is_left_out_once_and_an_anchor_never(rows: tuple[Row, ...]) -> None:
    states = {(row.machine, row.state) for row in rows}
    assert set(folds(rows, SCHEMES[0])) == {row.source for row in rows}
    assert set(folds(rows, SCHEMES[2])) == {row.machine for row in rows}
    several = {machine for machine, _ in states if sum(machine == other for other, _ in states) > 1}
    assert set(folds(rows, SCHEMES[3])) == {f"{m}/{s}" for m, s in states if m in several}


def test_a_row_is_kept_out_of_the_fit_that_predicts_it(evidence: Evidence, rows: tuple[Row, ...]) -> None:
    """A left-out row that is moved away by a factor moves the error and not the prediction."""
    scheme, fold = SCHEMES[0], "pvm2023_secondary"
    moved = [replace(row, log_value=row.log_value + 1) if row.source == fold else row for row in rows]
    first, second = (predictions(those, evidence.priors, scheme, fold, DRAWS)[0] for those in (rows, moved))
    assert first.z != second.z
    assert predicted(first, 0.0) == pytest.approx(predicted(second, 1.0), rel=1e-4)


def predicted(item: Prediction, moved: float) -> float:
    """Predicted over the unmoved measured value; the prediction is below it where z is positive."""
    return (1 - math.copysign(item.relative_error, item.z)) * math.exp(moved)


def test_the_hash_covers_every_module_that_the_numbers_come_from() -> None:
    """All of the room that the checks import, directly or not."""
    assert set(reached("simulation", "left_out", "bootstrap")) <= set(CODE)


def reached(*names: str) -> Iterator[str]:
    sources, room = package_sources(), "mmiocost.fitting."
    found = [*names]
    for name in found:
        for _, target in imported(room + name, sources[room + name]):
            short = target.removeprefix(room)
            if target.startswith(room) and short not in found:
                found.append(short)
    return iter(found)


def test_a_result_is_read_as_it_was_written(kept: Validation, tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    file.write_text(written(kept))
    assert read_validation(file) == kept


def test_another_code_or_evidence_is_said_with_the_command(kept: Validation) -> None:
    assert replace(kept, code="0").why_not_current == "made with another fit: run `make validate`"
    assert replace(kept, code="0", evidence="0").why_not_current.startswith(
        "made with another evidence and another fit"
    )
    assert not replace(kept, evidence="0").is_current


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 0}', '{"format": 2}', '{"format": 2, "studies": 3}'])
def test_a_damaged_result_is_refused_with_the_command(text: str, tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    file.write_text(text)
    with pytest.raises(InvalidInput, match="make validate"):
        read_validation(file)
    with pytest.raises(InvalidInput, match="make validate"):
        read_validation(tmp_path / "missing.json")


def test_the_document_is_short_and_says_whether_it_is_current(kept: Validation) -> None:
    document = json.loads(json.dumps(kept.document()))
    assert document["current"] is kept.is_current
    assert document["simulation"][0]["name"] == "as fitted"
    assert "ranks" not in document["simulation"][0]["costs"][0]
    assert "predictions" not in document["held_out"][0]


def test_the_command_keeps_what_it_found(
    kept: Validation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(validation, "validate", lambda simulations, say: asked.append(simulations) or kept)
    file = tmp_path / "new" / "result.json"
    assert validation.main(["--simulations", "7", "--out", str(file)]) == 0
    assert asked == [7]
    assert read_validation(file) == kept
    assert "v517.ept.mmio_hit, new machine" in capsys.readouterr().out


def test_a_result_that_still_holds_gets_the_present_hashes(
    kept: Validation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And one that does not is left as it is, with what differs and the command."""
    old, file = replace(kept, code="0", evidence="0"), tmp_path / "result.json"
    monkeypatch.setattr(validation, "read_validation", lambda: old)
    monkeypatch.setattr(validation, "differences", lambda *_: ("as fitted: simulation 0 has other ranks",))
    assert validation.main(["--renew", "--out", str(file)]) == 2
    assert (
        "simulation 0 has other ranks: the kept result is out of date; run `make validate`" in capsys.readouterr().err
    )
    assert not file.exists()
    monkeypatch.setattr(validation, "differences", lambda *_: ())
    assert validation.main(["--renew", "--out", str(file)]) == 0
    assert read_validation(file) == replace(kept, code=code_hash(), evidence=evidence_hash())


def test_a_place_that_cannot_be_written_is_refused_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(validation, "validate", lambda *_: pytest.fail("ran"))
    assert validation.main(["--out", str(tmp_path)]) == 2
    assert "--out" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5"])
def test_a_number_of_simulations_that_is_none_is_refused(number: str) -> None:
    with pytest.raises(SystemExit) as left:
        validation.main([f"--simulations={number}"])
    assert left.value.code == 2


def test_the_result_is_no_part_of_the_hashed_evidence() -> None:
    """Else the result would change the hash that it names."""
    _, descriptor = read_descriptor()
    paths = [resource["path"] for resource in descriptor["resources"]]
    assert str(result_file().relative_to(data_dir())) not in paths
