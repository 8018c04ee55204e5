"""The solver of the joint fit, without priors, against the certified answers of NIST (``pytest -s`` shows the table).

From both starts of all 27 data sets it must give 6 digits of every value and 4 of every standard deviation.
"""

from __future__ import annotations

import nist
import numpy as np
import pytest

from mmiocost.fitting.solve import Maximum, Problem, maximise

TOLERANCE = 1e-16
STEPS = 20_000
VALUE_DIGITS, SD_DIGITS = 6, 4
STARTS = [(name, number) for name in nist.FORMULAS for number in (1, 2)]
_ROUNDING = "its residuals are some 200 roundings of a double: no more digits of an sd are there"
# Starts from which the digits are not reached, and why. A start that begins to pass fails the test.
MISSED = {("Lanczos1", 1): _ROUNDING, ("Lanczos1", 2): _ROUNDING}


def digits(found: np.ndarray, certified: np.ndarray) -> float:
    """Digits that agree in the worst of several numbers; 11 are certified."""
    with np.errstate(divide="ignore"):
        return float(min(11.0, np.min(-np.log10(np.abs(found - certified) / np.abs(certified)))))


def standard_deviations(found: Maximum, target: np.ndarray) -> np.ndarray:
    """sqrt of the diagonal of s²(JᵀJ)⁻¹, (unknowns,), with columns scaled to one before the decomposition.

    Residuals count with one rounding of their row more than they have, so that no digit is right by luck.
    """
    rows, unknowns = found.jacobian.shape
    length = np.linalg.norm(found.jacobian, axis=0)
    _, triangle = np.linalg.qr(found.jacobian / length)
    residual = np.abs(target - found.value) + np.spacing(np.abs(target))
    variance = np.sum(residual**2) / (rows - unknowns)
    return np.asarray(np.sqrt(variance) * np.linalg.norm(np.linalg.inv(triangle), axis=1) / length)


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, int], tuple[Maximum, float, float]]:
    """For each start the maximum and the digits of values and standard deviations, printed as a table."""
    answers = {}
    for name, number in STARTS:
        problem = nist.regression(name)
        fit = maximise(Problem(problem.model, problem.target), problem.starts[number - 1], TOLERANCE, STEPS)
        sd = standard_deviations(fit, problem.target)
        answers[name, number] = fit, digits(fit.unknowns, problem.value), digits(sd, problem.sd)
    print(f"\n{'set':<10}{'start':>6}{'steps':>7}{'value digits':>14}{'sd digits':>11}")
    for (name, number), (fit, value, sd_digits) in answers.items():
        reason = MISSED.get((name, number), "")
        print(f"{name:<10}{number:>6}{fit.steps:>7}{value:>14.1f}{sd_digits:>11.1f}  {reason}".rstrip())
    return answers


@pytest.mark.parametrize(("name", "number"), STARTS)
def test_the_certified_digits_are_reached(
    name: str, number: int, found: dict[tuple[str, int], tuple[Maximum, float, float]]
) -> None:
    """6 of values and 4 of standard deviations, or else the start is listed with the reason."""
    fit, value, sd = found[name, number]
    assert fit.converged
    passed = value >= VALUE_DIGITS and sd >= SD_DIGITS
    assert passed != ((name, number) in MISSED), f"{value:.1f} digits of values, {sd:.1f} of standard deviations"


def test_starts_that_miss_a_digit_of_a_standard_deviation_have_all_values(
    found: dict[tuple[str, int], tuple[Maximum, float, float]],
) -> None:
    """Lanczos1 was made without errors: rounding spoils only the residual that standard deviations rest on."""
    for start in MISSED:
        _, value, sd = found[start]
        assert value >= 10
        assert sd >= 2


@pytest.mark.parametrize("name", nist.FORMULAS)
def test_formula_and_data_give_the_certified_residual(name: str) -> None:
    """What is compared with is what NIST published: sum of squares and residual sd at the certified values."""
    if name == "Lanczos1":
        pytest.skip("11 certified digits of the values leave residuals far above the certified ones")
    problem = nist.regression(name)
    value, _ = problem.model(problem.value)
    squares = float(np.sum((problem.target - value) ** 2))
    assert squares == pytest.approx(problem.residual_squares, rel=1e-9)
    left = len(problem.target) - len(problem.value)
    assert np.sqrt(squares / left) == pytest.approx(problem.residual_sd, rel=1e-9)


@pytest.mark.parametrize("name", nist.FORMULAS)
def test_jacobians_are_the_derivatives_of_the_formulas(name: str) -> None:
    """Against central differences at the certified values."""
    problem = nist.regression(name)
    _, jacobian = problem.model(problem.value)
    for column, size in enumerate(np.abs(problem.value)):
        step = np.zeros(len(problem.value))
        step[column] = 1e-6 * size
        difference = (problem.model(problem.value + step)[0] - problem.model(problem.value - step)[0]) / (2e-6 * size)
        scale = np.abs(jacobian[:, column]).max()
        assert difference == pytest.approx(jacobian[:, column], abs=1e-4 * scale)


def test_too_few_steps_are_said() -> None:
    problem = nist.regression("MGH10")
    assert not maximise(Problem(problem.model, problem.target), problem.starts[0], steps=50).converged


def test_a_model_that_has_no_value_beyond_a_place_is_fitted_up_to_it() -> None:
    """Where a step leaves the domain it is shortened: log(b·x) for b > 0 only, from far off."""
    x = np.linspace(1, 2, 10)

    def model(unknowns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log(unknowns[0] * x), np.full((10, 1), 1 / unknowns[0])

    fit = maximise(Problem(model, np.log(3 * x) + 0.01 * np.cos(20 * x)), np.array([500.0]))
    assert fit.converged
    assert fit.unknowns[0] == pytest.approx(3 * np.exp(0.01 * np.cos(20 * x).mean()), rel=1e-6)


def test_rows_that_the_model_meets_exactly_have_their_maximum() -> None:
    """A straight line through points on it: no error is left, and that is an end too."""
    x = np.linspace(0, 1, 5)
    lines = np.stack([np.ones(5), x], axis=1)
    fit = maximise(Problem(lambda unknowns: (lines @ unknowns, lines), 2 + 3 * x), np.zeros(2))
    assert fit.converged
    assert fit.unknowns == pytest.approx([2, 3], rel=1e-9)
