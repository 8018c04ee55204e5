"""A thousand bootstrap refits of the joint fit: stacked matrices against lmfit, one refit after the other.

The same resampled rows, the same scatter, the same start; lmfit is timed on a few refits and scaled, once as it is
commonly used, with numerical derivatives, and once with the analytic Jacobian that it is not asked to find. The
table is printed; it is the optima that must agree.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mmiocost.evidence import load
from mmiocost.fitting.batch import Batch, solve_all
from mmiocost.fitting.bootstrap import REFITS, SEED, multiplicities, resampled
from mmiocost.fitting.design import Hyper, build
from mmiocost.fitting.rows import fit_rows
from mmiocost.fitting.solve import DEGREES, solve

HYPER = Hyper(0.35, 0.6, 0.2)
LOOPED = 5  # refits that lmfit makes
SAME = 1e-6  # relative, of the objective


@pytest.mark.parametrize("degrees", [math.inf, DEGREES], ids=["normal rows", "t rows"])
def test_a_thousand_refits_against_an_lmfit_loop(
    benchmark: Any, capsys: pytest.CaptureFixture[str], degrees: float
) -> None:
    evidence = load()
    rows = fit_rows(evidence)
    design = build(rows, evidence.priors)
    drawn, _ = multiplicities(rows, REFITS, np.random.default_rng(SEED))
    batch = resampled(rows, design, HYPER, drawn, degrees)
    start = solve(design, HYPER, degrees=degrees).effects / batch.deviation

    def measured() -> tuple[float, np.ndarray]:
        return timed(lambda: solve_all(batch, start)[1])

    ours, objective = benchmark.pedantic(measured, rounds=1)
    lines = [f"{'batched':32} {ours:8.2f} s"]
    best = np.full(LOOPED, np.inf)
    for name, analytic in (("lmfit, numerical derivatives", False), ("lmfit, analytic Jacobian", True)):
        taken, found = timed(lambda analytic=analytic: by_lmfit(batch.only(slice(LOOPED)), start, analytic))
        theirs = taken * REFITS / LOOPED
        best = np.minimum(best, found)
        benchmark.extra_info[name] = theirs / ours
        lines.append(f"{name:32} {theirs:8.2f} s  {theirs / ours:6.0f} times  objective {text(found, objective)}")
    with capsys.disabled():
        print(f"\n{REFITS} refits, {'normal' if math.isinf(degrees) else 't'} rows, processor time; 50 times is wanted")
        print("\n".join(f"  {line}" for line in lines))
    assert np.abs(objective[:LOOPED] / best - 1).max() < SAME


def text(theirs: np.ndarray, ours: np.ndarray) -> str:
    return f"{(theirs / ours[:LOOPED] - 1).max():+.1e} at most above ours"


def timed(run: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    start = time.process_time()
    found = run()
    return time.process_time() - start, found


def by_lmfit(batch: Batch, start: np.ndarray, analytic: bool) -> np.ndarray:
    """Objectives at lmfit's optima: its residuals are those of one refit, and the whitened unknowns as prior rows."""
    import lmfit

    def numbers(parameters: Any) -> np.ndarray:
        return np.fromiter(parameters.valuesdict().values(), float)

    found = []
    for place in range(len(batch)):
        one = batch.only(slice(place, place + 1))
        parameters = lmfit.Parameters()
        for number, value in enumerate(start[place]):
            parameters.add(f"u{number}", value=value)
        more = {"Dfun": lambda now, one=one: derivatives(one, numbers(now))} if analytic else {}
        result = lmfit.minimize(lambda now, one=one: residuals(one, numbers(now)), parameters, "leastsq", **more)
        found.append(0.5 * result.chisqr)
    return np.array(found)


def residuals(one: Batch, whitened: np.ndarray) -> np.ndarray:
    design = one.rows.design
    costs = np.exp(design.offset + design.effects @ (whitened * one.deviation[0]))
    per = design.per @ costs
    value = np.log(np.maximum(design.counts @ costs, 1e-300)) - np.log(np.where(per > 0, per, 1.0))
    score = (value - one.target[0]) / one.sd[0]
    return np.concatenate([np.sqrt(one.weight[0]) * rooted(score, one.degrees)[0], whitened])


def derivatives(one: Batch, whitened: np.ndarray) -> np.ndarray:
    value, jacobian = one.rows.design.model(whitened * one.deviation[0])
    slope = rooted((value - one.target[0]) / one.sd[0], one.degrees)[1]
    scale = np.sqrt(one.weight[0]) * slope / one.sd[0]
    return np.vstack([jacobian * one.deviation[0] * scale[:, None], np.eye(len(whitened))])


def rooted(score: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """A residual whose half square is the misfit of a row, and its derivative by the scaled residual."""
    if math.isinf(degrees):
        return score, np.ones_like(score)
    size = np.sqrt((degrees + 1) * np.log1p(score**2 / degrees))
    small = np.abs(score) < 1e-6
    slope = (degrees + 1) * np.abs(score) / (degrees + score**2) / np.where(small, 1.0, size)
    return np.sign(score) * size, np.where(small, np.sqrt((degrees + 1) / degrees), slope)
