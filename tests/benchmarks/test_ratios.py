"""What an answer costs in units of what can't be saved: NumPy's import, and SciPy's solver on the same rows.

Processor time of whole processes, children included, taken in turn in the same run, so that a busy machine slows
both sides. The tables are printed; nothing here fails by time.
"""

from __future__ import annotations

import math
import os
import resource
import statistics
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from timing import best_time

from mmiocost.evidence import load
from mmiocost.fitting.design import Hyper, build
from mmiocost.fitting.rows import fit_rows
from mmiocost.fitting.solve import solve

ROUNDS = 9
BOUND = 2.5  # processor time of a warm answer over that of NumPy's import
START = "from mmiocost.cli import run; run()"
ANSWERS = {
    "predict": ("predict", "saving:fast_mmio", "--set", "slots=32", "--json"),
    "count": ("count", "v31.ept.mmio_hit", "--json"),
    "breakeven": ("breakeven", "slots", "--between", "before", "after", "--json"),
}


def processor_time(*arguments: str) -> float:
    """Seconds of processor time of one Python process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    env = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *arguments], check=True, env=env, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def table(capsys: pytest.CaptureFixture[str], title: str, rows: dict[str, str]) -> None:
    with capsys.disabled():
        print(f"\n{title}")
        for name, text in rows.items():
            print(f"  {name:24} {text}")


def test_warm_answers_against_the_import_of_numpy(benchmark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    commands = {
        "import numpy": ("-c", "import numpy"),
        **{name: ("-c", START, *words) for name, words in ANSWERS.items()},
    }
    for words in commands.values():
        processor_time(*words)  # the first run makes what the others find

    def measured() -> dict[str, float]:
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, words in commands.items():
                seconds[name].append(processor_time(*words))
        return {name: statistics.median(values) for name, values in seconds.items()}

    found = benchmark.pedantic(measured, rounds=1)
    base = found["import numpy"]
    benchmark.extra_info.update({name: value / base for name, value in found.items()})
    rows = {name: f"{1000 * value:7.1f} ms  {value / base:5.2f} times" for name, value in found.items()}
    table(capsys, f"processor time of a process, warm; at most {BOUND} times is wanted", rows)


def test_one_fit_against_scipy(benchmark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The same rows, Gaussian errors and prior, analytic Jacobian on both sides, both from the prior medians."""
    from scipy.optimize import least_squares

    evidence = load()
    design, hyper = build(fit_rows(evidence), evidence.priors), Hyper(0.35, 0.35, 0.2)
    prior = np.sqrt(design.prior_variance(hyper))

    def residuals(unit: np.ndarray) -> np.ndarray:
        return np.concatenate([(design.model(unit * prior)[0] - design.target) / design.sd, unit])

    def jacobian(unit: np.ndarray) -> np.ndarray:
        return np.vstack([design.model(unit * prior)[1] * prior / design.sd[:, None], np.eye(len(prior))])

    def by_scipy() -> Any:
        return least_squares(residuals, np.zeros(len(prior)), jacobian, method="trf", ftol=1e-9, xtol=1e-9, gtol=1e-9)

    def by_us() -> Any:
        return solve(design, hyper, degrees=math.inf)

    ours, theirs = residuals(by_us().effects / prior), by_scipy()
    assert 0.5 * float(ours @ ours) <= theirs.cost * (1 + 1e-4)
    seconds = benchmark.pedantic(lambda: (best_time(by_us, ROUNDS), best_time(by_scipy, ROUNDS)), rounds=1)
    benchmark.extra_info["ratio"] = seconds[0] / seconds[1]
    rows = {"solve": f"{1000 * seconds[0]:7.1f} ms", "least_squares, trf": f"{1000 * seconds[1]:7.1f} ms",
            "ratio": f"{seconds[0] / seconds[1]:7.3f}",
            "half of the squares": f"{0.5 * float(ours @ ours):.6g} and {theirs.cost:.6g}"}  # fmt: skip
    table(capsys, f"one fit of {len(design.target)} rows, {len(prior)} unknowns", rows)
