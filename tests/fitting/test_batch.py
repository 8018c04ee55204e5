"""Many fits at once: each is the fit that it would be alone, and a source drawn twice counts as two machines."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from mmiocost.evidence import Evidence
from mmiocost.fitting.batch import Batch, Compact, solve_all
from mmiocost.fitting.bootstrap import SEED, multiplicities, refits, resampled
from mmiocost.fitting.design import Design, Hyper, build
from mmiocost.fitting.rows import Row, fit_rows
from mmiocost.fitting.solve import DEGREES, solve

HYPERS = (Hyper(0.35, 0.6, 0.2), Hyper(0.2, 1.0, 0.45))
SAME = 1e-6


@pytest.fixture(scope="module")
def rows(evidence: Evidence) -> tuple[Row, ...]:
    return fit_rows(evidence)


@pytest.fixture(scope="module")
def design(rows: tuple[Row, ...], evidence: Evidence) -> Design:
    return build(rows, evidence.priors)


def plain(design: Design, degrees: float, hypers: tuple[Hyper, ...] = HYPERS) -> Batch:
    """The fits of a design at several scatters."""
    deviation = np.sqrt([design.prior_variance(hyper) for hyper in hypers])
    target, sd = (np.tile(item, (len(hypers), 1)) for item in (design.target, design.sd))
    return Batch(Compact(design), deviation, np.zeros(deviation.shape), target, sd, np.ones(target.shape), degrees)


@pytest.mark.parametrize("degrees", [math.inf, DEGREES])
def test_fits_at_once_are_the_fits_one_by_one(design: Design, degrees: float) -> None:
    batch = plain(design, degrees)
    whitened, _ = solve_all(batch, np.zeros(batch.centre.shape))
    for found, deviation, hyper in zip(whitened, batch.deviation, HYPERS, strict=True):
        alone = solve(design, hyper, degrees=degrees)
        assert design.model(found * deviation)[0] == pytest.approx(design.model(alone.effects)[0], abs=1e-4)
        both = np.array([found, alone.effects / deviation])
        first, second = one_twice(batch, deviation).objective(both)
        assert first == pytest.approx(second, rel=SAME)


def one_twice(batch: Batch, deviation: np.ndarray) -> Batch:
    return replace(batch, deviation=np.tile(deviation, (2, 1)))


def test_the_model_and_its_derivatives_are_those_of_the_design(design: Design) -> None:
    """Also where trial effects make a difference of costs negative."""
    batch = plain(design, math.inf)
    for size in (0.1, 3.0):
        whitened = np.random.default_rng(1).normal(0, size, batch.centre.shape)
        value, shares = batch.shares(whitened)
        jacobian = batch.jacobian(shares)
        assert batch.values(batch.costs(whitened)) == pytest.approx(value)
        for line in range(len(batch)):
            expected = design.model(whitened[line] * batch.deviation[line])
            assert value[line] == pytest.approx(expected[0])
            assert jacobian[line] == pytest.approx(expected[1] * batch.deviation[line], abs=1e-12)


def test_refits_reach_the_optima_that_scipy_finds(rows: tuple[Row, ...], design: Design) -> None:
    from scipy.optimize import least_squares

    drawn, _ = multiplicities(rows, 3, np.random.default_rng(SEED))
    batch = resampled(rows, design, HYPERS[0], drawn, math.inf)
    start = solve(design, HYPERS[0], degrees=math.inf).effects / batch.deviation
    _, objective = solve_all(batch, start)
    for place, found in enumerate(objective):
        deviation, scale = batch.deviation[place], np.sqrt(batch.weight[place]) / design.sd

        def residuals(unit: np.ndarray, deviation: np.ndarray = deviation, scale: np.ndarray = scale) -> np.ndarray:
            return np.concatenate([(design.model(unit * deviation)[0] - design.target) * scale, unit])

        def jacobian(unit: np.ndarray, deviation: np.ndarray = deviation, scale: np.ndarray = scale) -> np.ndarray:
            return np.vstack([design.model(unit * deviation)[1] * deviation * scale[:, None], np.eye(len(unit))])

        theirs = least_squares(residuals, start[place], jacobian, ftol=1e-12, xtol=1e-12, gtol=1e-12)
        assert found == pytest.approx(theirs.cost, rel=SAME)


def test_a_source_drawn_twice_is_another_machine_with_the_same_rows(
    rows: tuple[Row, ...], design: Design, evidence: Evidence
) -> None:
    """Doubling its terms gives what a fit gives in which a copy of the machine stands beside it."""
    drawn, names = multiplicities(rows, 1, np.random.default_rng(SEED))
    drawn[:] = [1.0 + (name == "tsirkin2013_pcitestdev") for name in names]
    batch = resampled(rows, design, HYPERS[0], drawn)
    whitened, _ = solve_all(batch, np.zeros(batch.centre.shape))
    copies = [replace(row, machine="copy") for row in rows if row.source == "tsirkin2013_pcitestdev"]
    both = build([*rows, *copies], evidence.priors)
    beside = solve(both, HYPERS[0])
    medians = [place for place, key in enumerate(design.keys) if key[0] == "a"]
    expected = [beside.effects[both.keys.index(design.keys[place])] for place in medians]
    assert (whitened * batch.deviation)[0, medians] == pytest.approx(expected, abs=1e-3)


def test_as_many_sources_are_drawn_as_there_are(rows: tuple[Row, ...]) -> None:
    drawn, names = multiplicities(rows, 500, np.random.default_rng(SEED))
    assert set(names) == {row.source for row in rows}
    assert (drawn.sum(axis=1) == len(names)).all()
    assert drawn.mean(axis=0) == pytest.approx(np.ones(len(names)), abs=0.15)


def test_refits_are_repeated_by_their_seed(rows: tuple[Row, ...], evidence: Evidence) -> None:
    first, second = (refits(rows, evidence.priors, HYPERS[0], 5) for _ in range(2))
    assert np.array_equal(first.unknowns, second.unknowns)
