"""Hazards of the lockless walk: the specification's verdicts, both searches, and schedules that can be followed."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from mmiocost.errors import InvalidInput
from mmiocost.mechanism.hazards import MACHINES, Hazard, explore, machines, recount, torn_read
from mmiocost.mechanism.hazards.machine import DONE, Machine, Step, Thread, Values
from mmiocost.mechanism.hazards.search import search

# The specification's tables; with "_same", both entries have the same low half.
VERDICTS = {
    "torn_read": {
        "native": "safe", "native_same": "safe", "plain": "violated", "plain_same": "violated",
        "lowcheck": "safe", "lowcheck_same": "violated", "count": "safe", "count_same": "safe",
    },
    "freed_page": {
        "none": "violated", "counter": "safe", "counter_no_barrier": "violated", "grace": "safe",
        "free_before_unlink": "violated",
    },
    "unlinked_page": {"clear_children_first": "safe", "unlink_only": "safe", "recycled_in_place": "violated"},
    "stale_generation": {"one_step": "violated", "gen_first": "safe", "two_step": "safe"},
    # Not in the specification: a hierarchy is safe if neither pages nor halves are left without protection.
    "hierarchy": {
        "unprotected": "violated", "grace_only": "violated", "count_only": "violated", "grace_and_count": "safe",
        "counter_and_count": "safe", "reused_at_once": "violated",
    },
}  # fmt: skip
ALL = {(machine.name, machine.variant): machine for machine in machines()}
FOUND = {(hazard.machine, hazard.variant): hazard for hazard in explore()}
VIOLATED = [hazard for hazard in FOUND.values() if hazard.schedule]
SMALL = [hazard for hazard in VIOLATED if hazard.machine != "hierarchy"]


def label(item: object) -> str:
    return f"{item.machine}-{item.variant}" if isinstance(item, Hazard) else str(item)


@pytest.mark.parametrize("name", MACHINES)
def test_the_verdicts_are_those_of_the_specification(name: str) -> None:
    assert {hazard.variant: hazard.verdict for hazard in explore(name)} == VERDICTS[name]


@pytest.mark.parametrize("key", ALL, ids="-".join)
def test_a_second_search_finds_as_many_states_and_the_same_verdict(key: tuple[str, str]) -> None:
    assert recount(ALL[key]) == (FOUND[key].states, FOUND[key].verdict == "violated")


def test_a_violated_machine_has_a_schedule_and_a_safe_one_has_none() -> None:
    assert all((hazard.verdict == "violated") == bool(hazard.schedule) for hazard in FOUND.values())


def test_every_run_gives_the_same() -> None:
    assert explore() == tuple(FOUND.values())


@pytest.mark.parametrize(("name", "nearest"), [("torn_reed", "torn_read"), ("heirarchy", "hierarchy"), ("x", None)])
def test_an_unknown_machine_is_refused_with_the_nearest_name(name: str, nearest: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        explore(name)
    (problem,) = caught.value.problems
    assert (problem.got, problem.nearest) == (name, nearest)
    assert all(known in problem.allowed for known in MACHINES)


@pytest.mark.parametrize(
    ("key", "states"),
    [
        # unread at 3 stages of the updater; A returned, then 3 stages; cleared entry, then 2; B, then 1
        (("torn_read", "native"), 3 + 3 + 2 + 1),
        # before the read of the link 2; P read with 2 stages, Q with 1; then 1 found with 2 stages, 2 with 1
        (("unlinked_page", "unlink_only"), 2 + 3 + 3),
        # link unread: 3 stages; P read: 3; found live: 3, found freed: 1; no link: 2 stages, where the walk ends
        (("freed_page", "none"), 3 + 3 + 3 + 1 + 2),
    ],
    ids=label,
)
def test_small_spaces_have_as_many_states_as_counted_by_hand(key: tuple[str, str], states: int) -> None:
    assert FOUND[key].states == states


def test_the_specification_s_way_around_the_low_check() -> None:
    """lo of A, hi = 0, then B.lo looks unchanged."""
    schedule = FOUND["torn_read", "lowcheck_same"].schedule
    reads = [line for line in schedule if line.startswith("walker")]
    assert [line.rpartition(" (")[2] for line in reads] == ["AB.lo)", "0)", "AB.lo, 0)"]


# --- schedules replayed ------------------------------------------------------------------------------------------


def replay(machine: Machine, schedule: tuple[str, ...]) -> Values:
    """Follow a schedule to the letter; fails where a step is not the thread's next one or has to wait."""
    values = machine.first_values()
    for line in schedule:
        name, _, says = line.partition(": ")
        (thread,) = (item for item in machine.threads if item.name == name)
        assert values[name] != DONE, f"{name} has finished before: {line}"
        step = thread.steps[values[name]]
        assert says.startswith(step.says), f"the next step is '{step.says}', not: {line}"
        assert step.when is None or step.when(values), f"must wait: {line}"
        take(thread, step, values)
    return values


def take(thread: Thread, step: Step, values: Values) -> None:
    target = step.does(values)
    following = values[thread.name] + 1
    if target is None:
        target = following if following < len(thread.steps) else DONE
    values[thread.name] = target


@pytest.mark.parametrize("hazard", VIOLATED, ids=label)
def test_a_schedule_leads_to_the_bad_state_and_only_with_its_last_step(hazard: Hazard) -> None:
    machine = ALL[hazard.machine, hazard.variant]
    assert machine.bad(replay(machine, hazard.schedule))
    assert not machine.bad(replay(machine, hazard.schedule[:-1]))


@pytest.mark.parametrize("hazard", SMALL, ids=label)
def test_no_shorter_schedule_leads_to_a_bad_state(hazard: Hazard) -> None:
    """All sequences of threads that are shorter, one by one."""
    machine = ALL[hazard.machine, hazard.variant]
    for order in product(machine.threads, repeat=len(hazard.schedule) - 1):
        values = machine.first_values()
        for thread in order:
            step = None if values[thread.name] == DONE else thread.steps[values[thread.name]]
            if step is None or (step.when and not step.when(values)):
                break
            take(thread, step, values)
            assert not machine.bad(values)


def test_the_replayer_refuses_a_schedule_that_cannot_happen() -> None:
    hazard = FOUND["freed_page", "none"]
    machine = ALL["freed_page", "none"]
    with pytest.raises(AssertionError, match="the next step is"):
        replay(machine, hazard.schedule[2:])
    with pytest.raises(AssertionError, match="has finished"):
        replay(machine, (*hazard.schedule, hazard.schedule[-1]))
    waiting = ALL["freed_page", "free_before_unlink"]
    with pytest.raises(AssertionError, match="must wait"):
        replay(waiting, ("walker: readers++, full barrier (1)", "unlinker: waits for readers = 0"))


# --- protections removed -----------------------------------------------------------------------------------------


def without(machine: Machine, says: str) -> Machine:
    """The machine with a step that does nothing and waits for nothing in place of the one so described."""
    found = [step for thread in machine.threads for step in thread.steps if step.says == says]
    assert found, f"no step '{says}'"
    nothing = Step(says, lambda v: None)
    threads = tuple(
        replace(thread, steps=tuple(nothing if step.says == says else step for step in thread.steps))
        for thread in machine.threads
    )
    return replace(machine, threads=threads)


@pytest.mark.parametrize(
    ("key", "protection"),
    [
        (("torn_read", "count_same"), "adds 1 to count"),
        (("freed_page", "counter"), "readers++, full barrier"),
        (("freed_page", "counter"), "call_rcu: the readers noted have left"),
        (("freed_page", "grace"), "kvm_flush_remote_tlbs: the readers noted have left"),
        (("freed_page", "grace"), "kvm_flush_remote_tlbs: note the readers inside"),
        (("freed_page", "grace"), "enters READING_SHADOW_PAGE_TABLES mode, full barrier"),
        (("freed_page", "grace"), "clears the link"),
        (("stale_generation", "two_step"), "synchronize_srcu: the readers noted have left"),
        (("stale_generation", "two_step"), "srcu_read_lock"),
        (("hierarchy", "grace_and_count"), "adds 1 to count"),
        (("hierarchy", "grace_and_count"), "kvm_flush_remote_tlbs: the readers noted have left"),
        (("hierarchy", "grace_and_count"), "clears the link in the root"),
        (("hierarchy", "counter_and_count"), "call_rcu: the readers noted have left"),
    ],
    ids=label,
)
def test_a_machine_without_one_of_its_protections_is_violated(key: tuple[str, str], protection: str) -> None:
    spoiled = without(ALL[key], protection)
    found = search(spoiled)
    assert found.schedule is not None
    assert spoiled.bad(replay(spoiled, found.schedule))
    assert recount(spoiled) == (found.states, True)


def test_half_writes_out_of_order_are_found() -> None:
    """The present half has to be set last and cleared first, count or not."""
    machine = ALL["torn_read", "count"]
    walker, updater = machine.threads
    *cleared, high, low = updater.steps
    assert search(machine).schedule is None
    for steps in [(*cleared, low, high), (cleared[1], cleared[0], cleared[2], high, low)]:
        spoiled = replace(machine, threads=(walker, replace(updater, steps=steps)))
        found = search(spoiled)
        assert found.schedule is not None
        assert recount(spoiled) == (found.states, True)


@pytest.mark.parametrize("way", ["native", "plain", "lowcheck", "count"])
@pytest.mark.parametrize(("entries", "suffix"), [(torn_read.DIFFERENT, ""), (torn_read.SAME, "_same")])
def test_two_walkers_get_the_verdict_of_one(
    way: str, entries: tuple[torn_read.Pair, torn_read.Pair], suffix: str
) -> None:
    one = ALL["torn_read", f"{way}{suffix}"]
    second = Thread("second", torn_read.read_entry("second", way))
    both = replace(
        one,
        threads=(*one.threads, second),
        start={**one.start, **torn_read.registers("second")},
        bad=lambda v: one.bad(v) or torn_read.torn(v["second.entry"], entries),
    )
    found = search(both)
    assert (found.schedule is None) == (VERDICTS["torn_read"][one.variant] == "safe")
    assert recount(both) == (found.states, found.schedule is not None)
