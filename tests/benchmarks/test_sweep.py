"""Sweeps against C and against sympy.lambdify, from the same SymPy objects.

Processor time, variants in turn in the same run. The C is what SymPy's C printer makes of the counts, with the costs
multiplied in and everything hoisted out of the loops in which it does not vary, as the sweep does it. The tables are
printed; nothing here fails by time, but by a wrong value.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmiocost.equations import payoff
from mmiocost.equations.linear_form import linear_form
from mmiocost.equations.symbols import symbol
from mmiocost.whatif.axes import Span
from mmiocost.whatif.scenario import Scenario
from mmiocost.whatif.sweep import Sample, Sweep, sweep

QUANTITY, AFTER, MODE = "saving:fast_mmio", "v311", "ept"
SLOTS, RATES, LEVELS = 250, 10_000, (0, 2, 3, 4)
PAIRS = 7
WANTED = 0.95


def swept(**options: Any) -> Sweep:
    """Ten million points."""
    over = {
        "slots": Span(8, 7 + SLOTS, SLOTS), "generation_rate": Span(1e-3, 1e3, RATES, log=True),
        "guest_levels": LEVELS,
    }  # fmt: skip
    return sweep(QUANTITY, over, Scenario(after=AFTER), **options)


def processor_time(run: Callable[[], Any]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def table(capsys: pytest.CaptureFixture[str], title: str, rows: dict[str, str]) -> None:
    with capsys.disabled():
        print(f"\n{title}")
        for name, text in rows.items():
            print(f"  {name:40} {text}")


# --- C -----------------------------------------------------------------------------------------------------------


def cost_expression(found: Sweep) -> tuple[Any, dict[str, float]]:
    """The saving in cycles in the swept symbols and the hit fraction: costs and all other symbols are numbers."""
    import sympy as sp

    _, full = found.cases[0].full({})
    varying = {"slots", "guest_levels", "hit_fraction"}
    fixed = {symbol(name): value for name, value in full.items() if name not in varying and np.ndim(value) == 0}
    costs = {name: found.surface.median(name) for name in payoff.saving(MODE, AFTER)}
    total = sp.Add(*(sp.sympify(count).subs(fixed) * costs[name] for name, count in payoff.saving(MODE, AFTER).items()))
    return total, full


def c_source(found: Sweep) -> str:
    """Three loops: the hit fraction along its axis, the coefficients per level and number of slots, the product."""
    import sympy as sp
    from sympy.printing.c import C99CodePrinter

    class Printer(C99CodePrinter):  # type: ignore[misc]
        def _print_Equal(self, expr: Any) -> str:  # noqa: N802
            return f"({self._print(expr.args[0])} == {self._print(expr.args[1])})"

        def _print_Positive(self, expr: Any) -> str:  # noqa: N802
            return f"({self._print(expr.args[0])} > 0)"

    printer = Printer()
    total, full = cost_expression(found)
    share = symbol("hit_fraction")
    polynomial = sp.Poly(sp.expand(total), share)
    assert polynomial.degree() == 1
    slope, constant = (printer.doprint(sp.simplify(item)) for item in polynomial.all_coeffs())
    given = {symbol(name): full[name] for name in ("mmio_rate", "mmio_pages")}
    hit = printer.doprint(payoff.hit_fraction(AFTER).subs(given))
    return f"""
#include <math.h>
void fill(const double *restrict levels, const double *restrict all_slots, const double *restrict rates,
          double *restrict hit_fractions, double *restrict out)
{{
    for (long j = 0; j < {RATES}; j++) {{ const double generation_rate = rates[j]; hit_fractions[j] = {hit}; }}
    for (long l = 0; l < {len(LEVELS)}; l++) for (long i = 0; i < {SLOTS}; i++) {{
        const double guest_levels = levels[l], slots = all_slots[i];
        const double constant = {constant}, slope = {slope};
        double *restrict row = out + (l * {SLOTS} + i) * {RATES};
        for (long j = 0; j < {RATES}; j++) row[j] = constant + slope * hit_fractions[j];
    }}
}}
"""


def c_program(found: Sweep, folder: Path, out: Any) -> Callable[[], Any]:
    """The compiled C, writing into ``out``."""
    (folder / "sweep.c").write_text(c_source(found))
    flags = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]
    subprocess.run(["gcc", *flags, "-o", folder / "sweep.so", folder / "sweep.c", "-lm"], check=True)
    fill = ctypes.CDLL(str(folder / "sweep.so")).fill
    axes = {axis.name: axis.values.astype(float) for axis in found.axes}
    arrays = [axes["guest_levels"], axes["slots"], axes["generation_rate"], np.empty(RATES), out]
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
    return lambda: (fill(*pointers), arrays)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is missing; install it with: sudo apt-get install gcc")
def test_ten_million_points_against_c(benchmark: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = swept(with_interval=False)
    ours, theirs = np.zeros(found.rows), np.zeros(found.rows)
    program = c_program(found, tmp_path, theirs)
    found.values(ours)
    program()
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-6)

    def measured() -> list[tuple[float, float]]:
        return [(processor_time(lambda: found.values(ours)), processor_time(program)) for _ in range(PAIRS)]

    pairs = benchmark.pedantic(measured, rounds=1)
    ratio = statistics.median(c / own for own, c in pairs)
    benchmark.extra_info["ratio"] = ratio
    rates = [found.rows / statistics.median(column) / 1e6 for column in zip(*pairs, strict=True)]
    table(capsys, f"{QUANTITY} at 10^7 points into an array, one thread; a ratio of {WANTED} or more is wanted", {
        "sweep": f"{rates[0]:8.0f} M points per CPU s",
        "gcc -O3 -march=native -ffast-math": f"{rates[1]:8.0f} M points per CPU s",
        "ratio, median of seven pairs": f"{ratio:8.2f}",
    })  # fmt: skip


# --- lambdify, whole processes -----------------------------------------------------------------------------------

OURS = """
from mmiocost.whatif.axes import Span
from mmiocost.whatif.scenario import Scenario
from mmiocost.whatif.sweep import sweep
over = {"slots": Span(8, 57, 50), "generation_rate": Span(1e-3, 1e3, 5000, log=True), "guest_levels": (0, 2, 3, 4)}
print(sweep("saving:fast_mmio", over, Scenario(after="v311"), with_interval=False).values().sum())
"""
LAMBDIFY = """
import numpy as np
import sympy as sp
from mmiocost.equations import payoff
from mmiocost.equations.symbols import Equal, Positive, symbol
from mmiocost.whatif.axes import Span
from mmiocost.whatif.scenario import Scenario
from mmiocost.whatif.sweep import sweep
found = sweep("saving:fast_mmio", {"slots": (8,)}, Scenario(after="v311"))
name, full = found.cases[0].full({})
terms = payoff.saving("ept", "v311")
hit = payoff.hit_fraction("v311")
total = sp.Add(*(count * found.surface.median(name) for name, count in terms.items())).subs(symbol("hit_fraction"), hit)
varying = [symbol(name) for name in ("slots", "generation_rate", "guest_levels")]
total = total.subs({symbol(name): value for name, value in full.items() if symbol(name) not in varying})
named = {"Equal": lambda x, y: x == y, "Positive": lambda x: x > 0}
function = sp.lambdify(varying, total, [named, "numpy"], cse=True)
slots, rates, levels = np.arange(8.0, 58), np.geomspace(1e-3, 1e3, 5000), np.array([0.0, 2, 3, 4])
out = np.empty(10**6)
for start in range(0, 10**6, 8192):
    level, slot, rate = np.unravel_index(np.arange(start, min(start + 8192, 10**6)), (4, 50, 5000))
    out[start : start + 8192] = function(slots[slot], rates[rate], levels[level])
print(out.sum())
"""


def whole_process(code: str) -> tuple[float, float]:
    """Processor time of a fresh process, and the number that it prints."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    env = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    out = subprocess.run([sys.executable, "-c", code], check=True, env=env, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, float(out)


def forget_forms() -> None:
    """Remove the linear forms that are kept, so that the next process prints and compiles its own."""
    from mmiocost.cache import cache_dir

    for kept in cache_dir().glob("form-*.bin"):
        kept.unlink()


def test_a_million_points_against_lambdify(benchmark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert whole_process(OURS)[1] == pytest.approx(whole_process(LAMBDIFY)[1], rel=1e-9)

    def cold() -> float:
        forget_forms()
        return whole_process(OURS)[0]

    def measured() -> dict[str, float]:
        variants = {
            "sweep": lambda: whole_process(OURS)[0],
            "sweep, its form not yet in the cache": cold,
            "sympy.lambdify in blocks": lambda: whole_process(LAMBDIFY)[0],
        }
        seconds: dict[str, list[float]] = {name: [] for name in variants}
        for _ in range(3):
            for name, run in variants.items():
                seconds[name].append(run())
        return {name: statistics.median(values) for name, values in seconds.items()}

    found = benchmark.pedantic(measured, rounds=1)
    base = found["sympy.lambdify in blocks"]
    benchmark.extra_info.update({name: base / value for name, value in found.items()})
    rows = {name: f"{value:7.2f} CPU s  {base / value:5.2f} times as fast" for name, value in found.items()}
    table(capsys, "10^6 points in a fresh process, compilation counted; not slower than lambdify is wanted", rows)


# --- Rates with intervals ----------------------------------------------------------------------------------------


def test_points_with_intervals(benchmark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Long axes, short ones and a sample, all with the thousand draws of the fit behind each point."""
    long = {"slots": (8, 32, 117), "generation_rate": Span(1e-3, 1e3, 100_000, log=True)}
    short = {"slots": Span(8, 507, 100), "generation_rate": Span(1e-3, 1e3, 300, log=True)}
    spans = {"slots": Span(8, 507), "generation_rate": Span(1e-3, 1e3, log=True)}
    asked = {
        "axes of 3 x 100 000": sweep(QUANTITY, long, Scenario(after=AFTER)),
        "axes of 100 x 300": sweep(QUANTITY, short, Scenario(after=AFTER)),
        "Sobol sample of 16 384": sweep(QUANTITY, spans, Scenario(after=AFTER), sample=Sample("sobol", 2**14)),
    }

    for warm in asked.values():
        next(iter(warm.blocks()))  # loads what the others find

    def measured() -> dict[str, float]:
        return {
            name: found.rows / processor_time(lambda found=found: [None for _ in found.blocks()])
            for name, found in asked.items()
        }

    found = benchmark.pedantic(measured, rounds=1)
    benchmark.extra_info.update(found)
    rows = {name: f"{rate / 1e6:8.2f} M points per CPU s" for name, rate in found.items()}
    table(capsys, "points with median, 95 % interval and flag, 1 000 draws each", rows)


def test_the_form_is_what_the_benchmark_says() -> None:
    """One feature varies along the rates, so that the C above hoists what the sweep hoists."""
    assert linear_form(f"saving:{MODE}:{AFTER}", ("hit_fraction",)).length == 2
