"""What a map of 300 × 300 points with a thousand draws a point costs, and whether it grows with the points.

Wall-clock and processor time of the same process; the table is printed and nothing here fails by time.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from mmiocost.fitting.fit import DRAWS
from mmiocost.whatif.maps import Axis, axis, winning_map
from mmiocost.whatif.scenario import Scenario

SIDE = 300
ROUNDS = 3
BOUND_S = 2.0  # wanted for the largest map on two cores
QUESTIONS = {
    "slots × generation_rate": (
        axis("slots", (1, 512), SIDE), ("generation_rate", (1e-2, 1e5)), ("before", "after"), Scenario(after="v311"),
    ),
    "true_fault_fraction × fill_rate": (
        axis("true_fault_fraction", (0, 1), SIDE), ("fill_rate", (1.0, 1e5)), ("no-bypass", "bypass"), Scenario(),
    ),
    "three designs": (
        axis("slots", (1, 512), SIDE), ("unlink_rate", (1.0, 1e5)), ("before", "after", "unified"), Scenario(),
    ),
    "slots × ram_slot": (axis("slots", (1, 512), SIDE), ("ram_slot", (1, 512)), ("before", "after"), Scenario()),
}  # fmt: skip


def seconds(x: Axis, y: Axis, between: tuple[str, ...], scenario: Scenario) -> tuple[float, float]:
    """Smallest wall-clock and processor time of several runs."""
    taken = []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        winning_map(x, y, between, scenario)
        taken.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(taken)[0], min(cpu for _, cpu in taken)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_map_is_linear_in_its_points(name: str, benchmark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    x, (variable, over), between, scenario = QUESTIONS[name]
    sides = (SIDE // 4, SIDE // 2, SIDE)
    maps = [(x, axis(variable, over, side, log=variable != "ram_slot"), between, scenario) for side in sides]
    winning_map(*maps[0])

    found = benchmark.pedantic(lambda: [seconds(*question) for question in maps], rounds=1)
    points = [len(x.values) * len(y.values) for _, y, _, _ in maps]
    slope = np.polyfit(np.log(points), np.log([cpu for _, cpu in found]), 1)[0]
    benchmark.extra_info.update({"seconds": found[-1][0], "processor_seconds": found[-1][1], "exponent": slope})
    with capsys.disabled():
        print(f"\nmap of {name}, {DRAWS} draws a point; at most {BOUND_S:g} s is wanted for the last")
        for count, (wall, cpu) in zip(points, found, strict=True):
            print(f"  {count:7} points  {wall:6.3f} s  {cpu:6.3f} s of processor time")
        print(f"  processor time grows as points to the power {slope:.2f}")
