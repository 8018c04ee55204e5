"""A batch of notebooks against papermill in a loop, in the same environment and the same run; a thousand scenarios.

Each way is a process of its own that executes so many copies of one notebook: a notebook after the first is what two
runs of different length differ by; CPU is processor time with all children. papermill is also run without
``rfc3987_syntax``, which jupyterlab brings in and mmiocost never loads. More peers, one notebook after another, are in
``test_kernels``. The tables are printed; nothing fails by time.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from samples import code, prose, write_notebook

from mmiocost.reporting.batch import batch

COUNTS = (1, 3)  # notebooks of the two runs of a peer
OF_THE_QUICK = (2, 14)  # of a batch: more, since one notebook is less than what varies between two runs
SCENARIOS = (100, 1000)

CELLS = [
    code("slots = 32\nseed = 0\nrate = 1.5", parameters=True),
    code("import altair as alt, numpy as np, pandas as pd, scipy.optimize, sympy as sp"),
    code(
        "n, t, b, m = sp.symbols('n t b m', positive=True)\n"
        "cost = n*t + sp.Max(0, b - m*n) + sp.Piecewise((m*t, n > 4), (t/n, True))\ncost"
    ),
    code("f = sp.lambdify((n, t, b, m), cost, 'numpy')\nrng = np.random.default_rng(seed)"),
    code("x = np.arange(1, 201.0)\ndf = pd.DataFrame({'n': x, 'cost': f(x, rate, 100.0, 0.5)})\ndf.head()"),
    code("print('mean', df.cost.mean())\ndf.describe()"),
    code("alt.Chart(df).mark_line().encode(x='n', y='cost').properties(title='cost')"),
    code(
        "from IPython.display import display, Markdown\n"
        "display(Markdown(f'**total** {df.cost.sum():.3f} for {slots} slots'))\nassert df.cost.sum() > 0"
    ),
]

_OURS = """
import sys
from pathlib import Path
from mmiocost.execution import Task, run_tasks
path, out, n, jobs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), {jobs}
runs = run_tasks([Task(str(i), path, {{"seed": i}}) for i in range(n)], out, inputs={{}}, jobs=jobs)
assert all(run.status == "executed" for run in runs), runs
"""
_PAPERMILL = """
import sys, papermill
for i in range(int(sys.argv[3])):
    papermill.execute_notebook(sys.argv[1], f"{sys.argv[2]}/{i}.ipynb", {"seed": i}, "nbclient", progress_bar=False)
"""
_COMMAND = """
import subprocess, sys
for i in range(int(sys.argv[3])):
    words = [sys.executable, "-m", "papermill", sys.argv[1], f"{sys.argv[2]}/{i}.ipynb", "-p", "seed", str(i)]
    subprocess.run([*words, "--no-progress-bar"], check=True, stderr=subprocess.DEVNULL)
"""
PROGRAMS = {
    "papermill command, loop": _COMMAND,
    "papermill.execute_notebook": _PAPERMILL,
    "mmiocost, one job": _OURS.format(jobs=1),
    "mmiocost, two jobs": _OURS.format(jobs=2),
}


class Cost(NamedTuple):
    """Seconds on the clock and of processor time."""

    wall: float
    cpu: float


def cost(program: str, notebook: Path, out: Path, count: int, blocked: Path | None) -> Cost:
    """What a process with all its children takes."""
    out.mkdir(parents=True)
    env = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    if blocked is not None:
        env["PYTHONPATH"] = os.pathsep.join([str(blocked), env.get("PYTHONPATH", "")])
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    words = [sys.executable, "-c", program, str(notebook), str(out), str(count)]
    subprocess.run(words, check=True, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def counts(name: str) -> tuple[int, int]:
    """Notebooks of the shorter and of the longer run."""
    return OF_THE_QUICK if name.startswith("mmiocost") else COUNTS


@pytest.mark.parametrize("spared", [False, True], ids=["as installed", "without rfc3987_syntax"])
def test_notebooks_against_the_peers(
    benchmark: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path, spared: bool
) -> None:
    notebook = write_notebook(tmp_path / "a.ipynb", prose("# Benchmark"), *CELLS)
    document = json.loads(notebook.read_text())
    document["metadata"]["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.write_text(json.dumps(document))
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "rfc3987_syntax.py").write_text("raise ImportError\n")

    def measured() -> dict[str, tuple[Cost, Cost]]:
        return {
            name: tuple(  # type: ignore[misc]
                cost(program, notebook, tmp_path / f"{name}-{count}", count, blocked if spared else None)
                for count in counts(name)
            )
            for name, program in PROGRAMS.items()
        }

    found = benchmark.pedantic(measured, rounds=1)
    later = {
        name: Cost(*((b - a) / (counts(name)[1] - counts(name)[0]) for a, b in zip(*pair, strict=True)))
        for name, pair in found.items()
    }
    base = later["papermill command, loop"]
    with capsys.disabled():
        print(
            f"\nA notebook after the first, {'without' if spared else 'with'} rfc3987_syntax; ratios to the first line"
        )
        for name, (wall, cpu) in later.items():
            ratios = f"{base.wall / wall:6.1f} x wall {base.cpu / cpu:6.1f} x CPU"
            print(f"  {name:28} {wall:6.3f} s wall {cpu:6.3f} s CPU {ratios}")


def test_a_thousand_scenarios(benchmark: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The notebook of one scenario, pages, table and index included."""

    def seconds(count: int) -> float:
        grid = tmp_path / f"{count}.yaml"
        over = {"slots": list(range(8, 8 + count // 4)), "mode": ["ept", "shadow"], "zapping_rate": ["0/s", "50/s"]}
        grid.write_text(json.dumps({"notebooks": ["what-if-scenario"], "over": over}))
        begin = time.perf_counter()
        found = batch(grid, tmp_path / str(count))
        assert not found.failed
        return time.perf_counter() - begin

    taken = benchmark.pedantic(lambda: {count: seconds(count) for count in SCENARIOS}, rounds=1)
    begin = time.perf_counter()
    batch(tmp_path / f"{SCENARIOS[-1]}.yaml", tmp_path / str(SCENARIOS[-1]))
    again = time.perf_counter() - begin
    with capsys.disabled():
        print("\nThe what-if notebook of one scenario, all processors")
        for count, wall in taken.items():
            print(f"  {count:5} scenarios {wall:7.1f} s, {wall / count:.3f} s each")
        print(f"  the last once more, nothing to do: {again:.1f} s")
