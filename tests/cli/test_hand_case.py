"""A cost that a reader can add up by hand: counts of one port write, costs that `fit` gives for one machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

MACHINE = "unnamed-2012/3.7"
PATH = "v36.any.pio_write"
# By hand: the OUT exits once and is dispatched once; the sorted bus of four ports is bisected for the one with the
# lowest address (third, second, first: 3 compares), and the write tests the entry itself (1).
COUNTS = {"vm_exit_instruction": 1, "io_bus_compare": 4, "pio_dispatch": 1}
COSTS = {"vm_exit_instruction": 3898.5, "io_bus_compare": 13.9, "pio_dispatch": 493.5}
SUM = 4447.6  # 3898.5 + 4 * 13.9 + 493.5


def test_the_counts_are_those_by_hand(cli_here: Callable[..., Any]) -> None:
    assert cli_here("count", PATH, "--json").json()["events"] == COUNTS


def test_the_costs_are_those_of_the_fit(cli_here: Callable[..., Any]) -> None:
    rows = cli_here("fit", "--json").json()["parameters"]
    fitted = {row["name"]: row["value"] for row in rows if row["machine"] == MACHINE}
    assert {name: round(fitted[name], 1) for name in COSTS} == COSTS


def test_the_sum_is_what_predict_shows_to_its_last_digit(cli_here: Callable[..., Any]) -> None:
    """Shown to tens, as wide as its interval is: a sum of central values is no central value of the sum, but near."""
    assert sum(COUNTS[name] * cost for name, cost in COSTS.items()) == pytest.approx(SUM)
    ran = cli_here("predict", f"cost:{PATH}", "--machine", MACHINE)
    assert f"cost:{PATH}: {round(SUM, -1):.0f} [" in ran.out
