"""Model selection: densities and forms against independent computations, verdicts, and the kept scores."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from mmiocost.errors import InvalidInput
from mmiocost.evidence import Evidence
from mmiocost.fitting.rows import fit_rows
from mmiocost.fitting.selection import forms, growth, joint, kept, ladders, lookups, scores
from mmiocost.fitting.selection.held_out import Fitted, fit, leave_out
from mmiocost.fitting.selection.scores import Fold, Scheme, Score, compare
from mmiocost.fitting.solve import Problem
from mmiocost.resources import data_dir

JACOBIAN = np.array([[1.0, 0.0], [1.0, 0.5], [1.0, 1.0], [1.0, 2.0]])
TARGET = np.array([0.3, 0.1, -0.4, 0.9])
SD = np.array([0.2, 0.3, 0.2, 0.5])
PRIOR = np.array([4.0, 1.0])
SCALES = (0.5, 1.0, 2.0)


def straight(scale: float = 1.0, degrees: float = math.inf) -> Problem:
    """A straight line through four rows."""
    return Problem(lambda unknowns: (JACOBIAN @ unknowns, JACOBIAN), TARGET, SD * scale, PRIOR, degrees)


def marginal(rows: list[int], scale: float) -> float:
    """Log density of rows of the straight line, by the normal distribution that it is."""
    covariance = (JACOBIAN * PRIOR) @ JACOBIAN.T + np.diag((SD * scale) ** 2)
    found = stats.multivariate_normal(np.zeros(len(rows)), covariance[np.ix_(rows, rows)]).logpdf(TARGET[rows])
    return float(found)


def summed(rows: list[int]) -> float:
    return float(np.logaddexp.reduce([marginal(rows, scale) for scale in SCALES]) - math.log(len(SCALES)))


def test_the_density_of_left_out_rows_is_that_of_the_normal_distribution() -> None:
    """Rows 1 and 3 together, given the others, the scale weighed by the others: closed form beside it."""
    whole = fit([straight(scale) for scale in SCALES])
    assert whole.log_evidence == pytest.approx(summed([0, 1, 2, 3]), abs=1e-6)
    found = leave_out(whole, "some", [1, 3])
    assert found.log_density == pytest.approx(summed([0, 1, 2, 3]) - summed([0, 2]), abs=1e-6)


def test_a_left_out_row_is_predicted_by_the_others() -> None:
    """Least squares of the others with the prior rows, by the normal equations."""
    seen = [0, 1, 3]
    scaled = JACOBIAN[seen] / SD[seen][:, None]
    line = np.linalg.solve(scaled.T @ scaled + np.diag(1 / PRIOR), scaled.T @ (TARGET[seen] / SD[seen]))
    found = leave_out(fit([straight()]), "one", [2])
    assert found.errors == {2: pytest.approx(TARGET[2] - JACOBIAN[2] @ line, abs=1e-6)}


def test_without_any_row_the_priors_alone_predict() -> None:
    found = leave_out(fit([straight()]), "all", [0, 1, 2, 3])
    assert found.log_density == pytest.approx(marginal([0, 1, 2, 3], 1.0), abs=1e-6)
    assert list(found.errors.values()) == pytest.approx(TARGET, abs=1e-6)


@pytest.mark.parametrize("degrees", [4.0, math.inf])
def test_one_row_met_exactly_has_the_density_of_its_prior(degrees: float) -> None:
    """A cost known to a factor and measured to a percent: the shape of the row's error must not matter."""
    point = Problem(lambda unknowns: (unknowns, np.eye(1)), np.array([0.4]), np.array([0.01]), np.array([1.0]), degrees)
    error = stats.t(degrees, scale=0.01) if math.isfinite(degrees) else stats.norm(scale=0.01)
    exact = quad(lambda cost: stats.norm.pdf(cost) * error.pdf(0.4 - cost), -1, 2, points=[0.35, 0.4, 0.45], limit=200)[
        0
    ]
    assert fit([point]).log_evidence == pytest.approx(math.log(exact), abs=0.002)


def scored(name: str, *densities: float) -> Score:
    folds = tuple(Fold(str(number), (0.1,), density) for number, density in enumerate(densities))
    return Score(name, 1, 0.1, (Scheme("source", folds),))


@pytest.mark.parametrize(
    ("rival", "verdict"),
    [
        ((0.0, 0.0, 0.0), scores.SAME),
        ((-1.0, -1.1, -1.2), scores.CANNOT_TELL),  # -3.3, however sure
        ((-3.0, -3.5, -4.0), scores.REJECTED),  # -10.5 +- 0.9
        ((3.0, 3.5, 4.0), scores.BETTER),
        ((9.0, 0.0, -1.5), scores.CANNOT_TELL),  # 7.5 +- 9.8, one fold for it and one against
        ((-480.0, 0.2, 0.1), scores.REJECTED),  # one fold refutes, none speaks for it
        ((-4.5, 0.1, 0.1), scores.CANNOT_TELL),  # -4.3 +- 4.6
    ],
)
def test_a_verdict_needs_size_and_agreement(rival: tuple[float, ...], verdict: str) -> None:
    found = compare(scored("used", 0.0, 0.0, 0.0), scored("rival", *rival), "source")
    assert found.verdict == verdict
    assert found.difference == pytest.approx(sum(rival))
    assert found.error == pytest.approx(np.std(rival, ddof=1) * math.sqrt(3))


@pytest.fixture(scope="module")
def means(evidence: Evidence) -> tuple[lookups.Lookup, ...]:
    return lookups.lookups(evidence)


@pytest.fixture(scope="module")
def found(means: tuple[lookups.Lookup, ...]) -> dict[str, lookups.ScoredForm]:
    return {item.form.name: item for item in lookups.scored_forms(means)}


def test_the_lowered_derivative_of_every_form_is_its_derivative(means: tuple[lookups.Lookup, ...]) -> None:
    rng = np.random.default_rng(1)
    for form in forms.lookup_forms():
        model = lookups.points(form, means)[0].model
        unknowns = 0.3 * rng.standard_normal(len(form.parameters))
        for place in range(len(unknowns)):
            step = np.eye(len(unknowns))[place] * 1e-6
            difference = (model(unknowns + step)[0] - model(unknowns - step)[0]) / 2e-6
            assert model(unknowns)[1][:, place] == pytest.approx(difference, abs=1e-6), (form.name, place)


def test_the_uniform_scan_costs_what_its_parameters_say(means: tuple[lookups.Lookup, ...]) -> None:
    """By hand: 30 + 4*(117 + 1)/2 linear, 30 + 20*log2(13) binary, 30 for the last-used slot, of the mail's first boot
    30 + 4*((2.5 + 1)/2 - 1), since no cached slot is tested there."""
    form = forms.lookup_forms()[0]
    unknowns = np.log([30 / 25, 4 / 5, 20 / 15])
    cycles = dict(
        zip((row.place for row in means), np.exp(lookups.points(form, means)[0].model(unknowns)[0]), strict=True)
    )
    assert cycles["linear, 117 slots, any slot"] == pytest.approx(266)
    assert cycles["binary, 13 slots, any slot"] == pytest.approx(30 + 20 * math.log2(13))
    assert cycles["binary, 117 slots, same slot"] == pytest.approx(30)
    assert cycles["linear, 2 to 3 slots, any slot"] == pytest.approx(33)


def test_the_scan_with_uniform_hits_is_rejected(found: dict[str, lookups.ScoredForm]) -> None:
    """Rms 0.41 against 0.08 to 0.11 of the forms with one factor for few slots, as a prototype found."""
    used = found[lookups.USED].score
    for name in ("uniform hits, warm", "whole scan, warm"):
        assert found[name].score.rms == pytest.approx(0.41, abs=0.02)
        assert compare(used, found[name].score, "row").verdict == scores.REJECTED
    assert used.rms < 0.11
    assert found["first slots free"].score.rms < 0.11


def test_a_cache_regime_and_a_hit_share_are_one_model_on_these_rows(found: dict[str, lookups.ScoredForm]) -> None:
    used, other = found[lookups.USED].score, found["last-used slot, share at few slots"].score
    assert compare(used, other, "row").verdict == compare(used, other, "slot count").verdict == scores.SAME
    assert compare(used, found["first slots free"].score, "row").verdict == scores.CANNOT_TELL


def test_schemes_leave_out_what_they_say(found: dict[str, lookups.ScoredForm]) -> None:
    """Eight means of one table by row and by its two slot counts; ten of two mails by source."""
    schemes = {item.left_out: item.folds for item in found[lookups.USED].score.schemes}
    assert [len(fold.errors) for fold in schemes["row"]] == [1] * 8
    assert {fold.name: len(fold.errors) for fold in schemes["slot count"]} == {"13 slots": 4, "117 slots": 4}
    assert sorted(len(fold.errors) for fold in schemes["source"]) == [2, 8]


@pytest.fixture(scope="module")
def climbed(evidence: Evidence) -> tuple[growth.Ladder, ...]:
    return ladders.ladders(evidence)


def fitted(ladder: growth.Ladder, name: str) -> tuple[growth.GrowthForm, Fitted]:
    form = next(item for item in growth.growth_forms() if item.name == name)
    return form, fit(growth.points(ladder, form))


def test_growth_that_was_put_in_is_found(climbed: tuple[growth.Ladder, ...]) -> None:
    """MMIO stores of the probe made dearer by 3 ns for each doubling of the slots."""
    probe = climbed[0]
    rows = tuple(row._replace(value=row.value + 3 * math.log2(row.slots)) if row.grows else row for row in probe.rows)
    dearer = replace(probe, rows=rows)
    form, whole = fitted(dearer, "log2 of the slots")
    ((value, low, high),) = growth.coefficients(dearer, growth.ScoredGrowth(form, whole, scored("", 0.0)))
    assert low < 3 < high
    assert value == pytest.approx(3, abs=0.6)
    assert whole.log_evidence > fitted(dearer, "nothing grows")[1].log_evidence + scores.LARGE


def test_the_probe_refutes_a_warm_compare_for_each_level(climbed: tuple[growth.Ladder, ...]) -> None:
    """Its slope per doubling lies between -2.0 and +2.1 ns by its own report; 5.8 cycles at 2.596 GHz are 2.2 ns."""
    probe = climbed[0]
    assert probe.level is not None
    assert probe.level[0] == pytest.approx(5.83 / 2.59612, rel=1e-3)
    nothing, counted = (fitted(probe, name)[1] for name in ("nothing grows", "depth, at the cost of a compare"))
    assert nothing.log_evidence > counted.log_evidence + scores.LARGE


def test_the_selftest_grows_with_every_slot(climbed: tuple[growth.Ladder, ...]) -> None:
    tree = next(item for item in climbed if item.name == "selftest, map RAM, tree")
    assert sorted(row.slots for row in tree.rows) == [10, 30, 50, 100, 509, 8194]
    by_name = {item.form.name: item.score for item in growth.scored_growth(tree)}
    assert compare(by_name["depth"], by_name["every slot"], "slot count").verdict == scores.BETTER


def test_only_mmio_served_in_user_space_is_changed_by_a_variant(evidence: Evidence) -> None:
    """The event or the round trip enters exactly where MMIO goes to user space, shares of such an access included."""
    rows = fit_rows(evidence)
    changed = {row.id for row in rows if joint.contains_mmio_round_trip(row)}
    expected = {
        row.id for row in rows if row.quantity in ("mmio.write_userspace", "userspace.minus_eventfd") or row.per
    }
    assert changed == expected
    for variant in joint.VARIANTS:
        for row in rows:
            after = variant.change(row)
            same = variant.change.__name__ == "_same" or row.id not in changed
            assert (after == row) == same
            whole = after.per if row.per else after.counts
            assert same or any(name in whole for name in variant.priors)


@pytest.fixture(scope="module")
def selection() -> kept.Selection:
    return kept.read_selection()


def test_the_kept_scores_are_of_this_fit_and_this_evidence(selection: kept.Selection, evidence: Evidence) -> None:
    assert selection.why_not_current == ""
    rows = fit_rows(evidence)
    assert [item.form for item in selection.scores] == [item.name for item in joint.VARIANTS]
    for item in selection.scores:
        assert [fold.name for fold in item.scheme("row").folds] == [row.id for row in rows]
        assert {fold.name for fold in item.scheme("source").folds} == {row.source for row in rows}


def test_a_sample_made_again_gives_the_kept_scores_and_no_others(selection: kept.Selection, evidence: Evidence) -> None:
    made = kept.sample(evidence)
    assert kept.differences(selection, made) == ()
    other = {
        key: replace(fold, log_density=fold.log_density - 0.1 * max(1.0, abs(fold.log_density)))
        for key, fold in made.items()
    }
    assert len(kept.differences(selection, other)) == len(kept.SAMPLE)


def test_the_student_t_is_kept_because_gaussian_errors_are_refuted(selection: kept.Selection) -> None:
    used = selection.of("as used")
    assert compare(used, selection.of("Gaussian rows"), "source").verdict == scores.REJECTED
    assert compare(used, selection.of("mmio_completion"), "source").verdict == scores.CANNOT_TELL
    assert compare(used, selection.of("separate round trips"), "source").verdict == scores.CANNOT_TELL


def test_written_scores_are_read_back(selection: kept.Selection, tmp_path: Path) -> None:
    place = tmp_path / "selection.json"
    place.write_text(kept.written(selection))
    assert kept.read_selection(place) == selection


@pytest.mark.parametrize("text", ["", "{}", '{"format": 1}', '{"format": 99}'])
def test_a_file_without_scores_names_the_command(text: str, tmp_path: Path) -> None:
    place = tmp_path / "selection.json"
    place.write_text(text)
    with pytest.raises(InvalidInput, match=kept.COMMAND):
        kept.read_selection(place)


def test_the_kept_file_is_beside_the_evidence() -> None:
    assert kept.selection_file().parent == data_dir() / "validation"
