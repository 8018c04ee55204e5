"""Both searches on machines drawn at random, against plain recursion over all schedules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmiocost.mechanism.hazards import recount
from mmiocost.mechanism.hazards.machine import DONE, Machine, Step, Thread, Values
from mmiocost.mechanism.hazards.search import search

NAMES = ("a", "b", "c")


def step(target: str, source: str, plus: int, waits: bool, jump: int | None) -> Step:
    """``target`` becomes ``source`` + ``plus`` modulo 3; jumps back to an earlier step if ``target`` is then 0."""

    def does(v: Values) -> int | None:
        v[target] = (v[source] + plus) % 3
        return jump if v[target] == 0 else None

    return Step(f"{target} = {source} + {plus}", does, (lambda v: v[source] != 1) if waits else None, target)


@st.composite
def drawn(draw: st.DrawFn) -> Machine:
    threads = []
    for number in range(draw(st.integers(1, 3))):
        length = draw(st.integers(1, 4))
        name, amount, jump = st.sampled_from(NAMES), st.integers(0, 2), st.none() | st.integers(-1, length - 1)
        steps = [step(*draw(st.tuples(name, name, amount, st.booleans(), jump))) for _ in range(length)]
        threads.append(Thread(f"thread {number}", tuple(steps)))
    bad = draw(st.tuples(*[st.integers(0, 2)] * len(NAMES)))
    start = dict.fromkeys(NAMES, 0)
    return Machine("drawn", "any", "", start, tuple(threads), lambda v: tuple(v[name] for name in NAMES) == bad)


def visited(machine: Machine) -> dict[tuple[tuple[str, int], ...], bool]:
    """All states, by recursion; each with whether it is bad."""
    found: dict[tuple[tuple[str, int], ...], bool] = {}

    def visit(values: Values) -> None:
        state = tuple(sorted(values.items()))
        if state in found:
            return
        found[state] = machine.bad(values)
        for thread in machine.threads:
            at = values[thread.name]
            if at == DONE or not (thread.steps[at].when or (lambda _: True))(values):
                continue
            after = dict(values)
            target = thread.steps[at].does(after)
            after[thread.name] = target if target is not None else at + 1 if at + 1 < len(thread.steps) else DONE
            visit(after)

    visit(machine.first_values())
    return found


@given(machine=drawn())
def test_all_searches_see_the_same_states(machine: Machine) -> None:
    found, expected = search(machine), visited(machine)
    assert found.states == len(expected)
    assert (found.schedule is not None) == any(expected.values())
    assert recount(machine) == (len(expected), any(expected.values()))


def test_a_lost_update_is_found() -> None:
    """Two threads read, then write what they read plus 1: the textbook's race, four steps long."""

    def thread(name: str) -> Thread:
        register = f"{name}.x"
        return Thread(
            name,
            (
                Step("reads x", lambda v: v.update({register: v["x"]}), shows=register),
                Step("writes x + 1", lambda v: v.update(x=v[register] + 1), shows="x"),
            ),
        )

    machine = Machine(
        "race", "", "", {"x": 0, "one.x": 0, "two.x": 0}, (thread("one"), thread("two")),
        lambda v: v["one"] == v["two"] == DONE and v["x"] == 1,
    )  # fmt: skip
    found = search(machine)
    assert found.schedule == (
        "one: reads x (0)", "two: reads x (0)", "one: writes x + 1 (1)", "two: writes x + 1 (1)",
    )  # fmt: skip
    assert recount(machine) == (found.states, True)


def test_a_state_that_starts_bad_has_an_empty_schedule() -> None:
    machine = Machine("bad", "", "", {"x": 0}, (Thread("one", (Step("rests", lambda v: None),)),), lambda v: True)
    assert search(machine).schedule == ()
    assert recount(machine) == (2, True)


def test_more_values_than_a_packed_state_can_hold_are_refused() -> None:
    def count(v: Values) -> int:
        v["x"] += 1
        return 0 if v["x"] < 300 else DONE

    counting = Machine("counts", "", "", {"x": 0}, (Thread("one", (Step("counts", count),)),), lambda v: False)
    assert search(counting).states == 301
    with pytest.raises(OverflowError, match="x has more than 256 values"):
        recount(counting)
