"""Counts of a million scenarios in closed form, in units of one call an access.

Processor time, all in this process. The table is printed; nothing here fails by time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from timing import best_time

from mmiocost.equations.lowering import kernel
from mmiocost.vocabulary import resolve

ROUNDS = 5
SAMPLE = 499  # every so many scenarios are counted one by one; it divides no axis of the grid, so that all are met
SECONDS = 1.0  # wanted for a million
PATHS = ("v30.ept.mmio", "v31.ept.mmio_hit", "v414.ept.mmio_hit", "v517.ept.mmio_first")
LEVELS = np.array([0, 2, 3, 4])


def grid(path: str) -> dict[str, Any]:
    """A million admissible scenarios: 500 numbers of slots, 4 guest levels, 500 places of RAM and of the gap.

    Searches are cold where the path has a slot cache, the dearest case to compute; the rest is default.
    """
    slots, levels, place = (axis.ravel() for axis in np.meshgrid(np.arange(2, 502), np.arange(4), np.arange(500)))
    cold = {"slot_cache_warm": 0} if "slot_cache_warm" in kernel(path).arguments else {}
    varied = {
        "slots": slots, "guest_levels": LEVELS[levels], "ram_slot": 1 + place * slots // 500,
        "mmio_gap": place * (slots + 1) // 500,
    }  # fmt: skip
    return {**resolve(path, {"slots": 501, **cold}), "cold_search_fraction": 0, **varied}


def one_by_one(scenarios: dict[str, Any]) -> list[dict[str, int]]:
    """Every so many of the scenarios, as plain numbers."""
    columns = {
        name: value[::SAMPLE].tolist() if isinstance(value, np.ndarray) else None for name, value in scenarios.items()
    }
    length = len(columns["slots"] or ())
    return [
        {name: scenarios[name] if column is None else column[place] for name, column in columns.items()}
        for place in range(length)
    ]


@pytest.mark.parametrize("path", PATHS)
def test_a_million_scenarios_against_one_call_an_access(
    path: str, benchmark: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    counts, scenarios = kernel(path), grid(path)
    single = one_by_one(scenarios)

    def calls() -> list[dict[str, int]]:
        return [counts(scenario) for scenario in single]

    together = counts.blocks(scenarios)
    for name in counts.parameters:
        sampled = np.broadcast_to(together[name], 10**6)[::SAMPLE]
        assert sampled.tolist() == [found[name] for found in calls()]

    def measured() -> dict[str, float]:
        return {
            "one call an access": best_time(calls, ROUNDS) * 10**6 / len(single),
            "one array": best_time(lambda: counts(scenarios), ROUNDS),
            "blocks": best_time(lambda: counts.blocks(scenarios), ROUNDS),
        }

    seconds = benchmark.pedantic(measured, rounds=1)
    base = seconds["one call an access"]
    benchmark.extra_info.update({name: base / value for name, value in seconds.items()})
    with capsys.disabled():
        print(f"\n{path}: counts of a million scenarios; {SECONDS:g} s in blocks is wanted")
        for name, value in seconds.items():
            print(f"  {name:20} {value:7.3f} s  {base / value:6.1f} times as fast")
