"""Accesses that the reference machine executes in a second, against one call of the closed form an access.

Processor time, all in this process. The table is printed; nothing here fails by time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from mmiocost.mechanism import Access, build, run, simulate
from mmiocost.vocabulary import PATHS
from mmiocost.whatif.counting import count

WANTED = 2e5  # simulated accesses a second, states recurring
CALLS = 20000
DISTINCT = 2000


def rate(call: Callable[[int], object], calls: int) -> float:
    """Calls a second of processor time."""
    start = time.process_time()
    for number in range(calls):
        call(number)
    return calls / (time.process_time() - start)


def recurring(number: int) -> object:
    """One of the paths with its default scenario."""
    return simulate(PATHS[number % len(PATHS)].name, {})


def new_state(number: int) -> object:
    """A scenario that was not asked for before."""
    return simulate("v31.ept.mmio_hit", {"slots": 1000 + number})


def rates() -> dict[str, float]:
    """Accesses a second: states that recur, a sequence on one world, states that are all new; and the closed form."""
    world, action = build("v311.ept.mmio_hit", {})
    assert isinstance(action, Access)
    for path in PATHS:
        simulate(path.name, {})
        count(path.name)
    return {
        "simulate, states recur": rate(recurring, CALLS),
        "run, one access after the other": rate(lambda number: run(world, action), CALLS),
        "simulate, every state new": rate(new_state, DISTINCT),
        "closed form, one call an access": rate(lambda number: count(PATHS[number % len(PATHS)].name), DISTINCT),
    }


def test_accesses_a_second(benchmark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The machine's speed beside that of the closed form, called once an access."""
    found = benchmark.pedantic(rates, rounds=1)
    closed = found["closed form, one call an access"]
    with capsys.disabled():
        print(f"\nreference machine, accesses per CPU second; {WANTED:,.0f} where states recur are wanted")
        for label, accesses in found.items():
            print(f"  {label:34} {accesses:12,.0f}   {accesses / closed:7.1f} times the closed form")
