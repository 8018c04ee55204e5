"""The machine executes every path: worked examples, and event by event what the closed forms say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios import NAMES, cases, domain, scenarios

from mmiocost.errors import InvalidInput
from mmiocost.mechanism import build, run, simulate, trace
from mmiocost.resources import root
from mmiocost.vocabulary import EVENTS, PATHS, event_names, resolve
from mmiocost.vocabulary.tables import Example, worked_examples
from mmiocost.whatif.counting import count

EXAMPLES = worked_examples((root() / "model" / "mechanism.md").read_text("utf-8"))
HUGE = 2**31 - 2


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.path)
def test_worked_examples(example: Example) -> None:
    found = simulate(example.path, example.scenario)
    assert found == example.events if example.complete else found.items() >= example.events.items()


@pytest.mark.parametrize("path", [path.name for path in PATHS])
@settings(max_examples=30)
@given(data=st.data())
def test_the_machine_counts_what_the_closed_form_says(path: str, data: st.DataObject) -> None:
    scenario = data.draw(scenarios(path))
    assert simulate(path, scenario) == count(path, scenario)


def edges(path: str) -> list[dict[str, int]]:
    """Defaults, and for each symbol the lowest and the highest value that is still small enough to be usual."""
    found = []
    for name in NAMES:
        for place in (0, -1):
            v: dict[str, int] = {}
            for each in NAMES:
                allowed, default = domain(path, each, v)
                v[each] = allowed[place] if each == name else default if default in allowed else allowed[0]
            found.append(v)
    return found


@pytest.mark.parametrize("path", [path.name for path in PATHS])
def test_the_edges_of_every_domain(path: str) -> None:
    for scenario in edges(path):
        assert simulate(path, scenario) == count(path, scenario), scenario


@pytest.mark.parametrize(
    ("path", "scenario"),
    [
        ("v30.ept.mmio", {"slots": HUGE, "ram_slot": HUGE, "bus_devices": HUGE, "bus_position": HUGE}),
        ("v36.ept.mmio_hit", {"slots": HUGE, "ram_slot": HUGE // 2, "bus_devices": HUGE, "userspace": 1}),
        ("v40.ept.fast_mmio", {"fast_bus_devices": HUGE, "fast_bus_position": HUGE}),
        ("v56.slot.miss", {"slots": HUGE, "mmio_gap": 7, "slot_cache_warm": 0}),
        ("v517.ept.mmio_first", {"slots": HUGE, "ram_slot": HUGE // 3, "mmio_gap": 5, "slot_cache_warm": 0}),
        ("v31.any.slot_update", {"shadow_pages": HUGE}),
        ("unified.shadow.access", {"retries": HUGE, "sync": 0, "missing_levels": 2}),
        ("unified.ept.access", {"retries": HUGE, "unlinked_levels": 3}),
    ],
)
def test_the_largest_worlds_are_executed_too(path: str, scenario: dict[str, int]) -> None:
    assert simulate(path, scenario) == count(path, scenario)


@given(case=cases())
@settings(max_examples=200)
def test_the_world_that_is_built_selects_the_path_by_its_state(case: tuple[str, dict[str, int]]) -> None:
    path, scenario = case
    outcome = run(*build(path, scenario))
    assert outcome.path == path
    assert outcome.events == simulate(path, scenario)


@given(case=cases())
def test_a_trace_adds_up_to_the_counts_and_names_known_events(case: tuple[str, dict[str, int]]) -> None:
    path, scenario = case
    sums: dict[str, int] = {}
    for step in trace(path, scenario):
        assert step.function and step.count > 0
        sums[step.event] = sums.get(step.event, 0) + step.count
    assert sums == simulate(path, scenario)
    assert list(simulate(path, scenario)) == [name for name in event_names() if name in sums]


def test_a_trace_is_in_the_order_of_the_kernels_steps() -> None:
    functions = [step.function for step in trace("v31.ept.mmio_first", {"is_write": 0, "userspace": 1})]
    order = ["handle_ept_violation", "mapping_level_dirty_bitmap", "gfn_to_pfn_async", "tdp_page_fault",
             "__direct_map", "mark_mmio_spte", "x86_emulate_instruction", "kvm_fetch_guest_virt",
             "vcpu_mmio_gva_to_gpa", "kvm_io_bus_write", "kvm_arch_vcpu_ioctl_run"]  # fmt: skip
    places = [functions.index(function) for function in order]
    assert places == sorted(places)
    assert functions[-1] == "x86_emulate_instruction"


@given(case=cases(), data=st.data())
@settings(max_examples=200)
def test_events_are_a_new_mapping_each_time(case: tuple[str, dict[str, int]], data: st.DataObject) -> None:
    first = simulate(*case)
    first["tlb_flush"] = -1
    assert simulate(*case).get("tlb_flush") != -1


@pytest.mark.parametrize(
    ("path", "scenario", "field"),
    [
        ("v31.ept.mmio_hits", {}, "path"),
        ("v31.ept.mmio_hit", {"slot": 4}, "slot"),
        ("v31.ept.mmio_hit", {"slots": 0}, "slots"),
        ("v31.ept.mmio_hit", {"slots": True}, "slots"),
        ("v31.ept.mmio_hit", {"slots": 4.0}, "slots"),
        ("v31.ept.mmio_hit", {"slots": [4]}, "slots"),
        ("v31.ept.mmio_hit", {"bypass": 1}, "bypass"),
        ("v315.ept.fast_mmio", {"decode_assist": 1}, "decode_assist"),
    ],
)
@pytest.mark.parametrize("way", [simulate, trace, build])
def test_what_a_path_does_not_admit_is_refused(way: Any, path: str, scenario: dict[str, Any], field: str) -> None:
    simulate("v31.ept.mmio_hit", {"slots": 1})  # equal to True, and remembered
    with pytest.raises(InvalidInput) as refused:
        way(path, scenario)
    assert [problem.field for problem in refused.value.problems] == [field]


# Symbols that a path does not use, as the specification lists them. A changed value must not be felt.
UNUSED = [
    ("*.shadow.mmio_hit", "ad_updates"), ("v414.ept.*", "ad_updates"), ("v56.ept.*", "ad_updates"),
    ("v517.ept.*", "ad_updates"), ("*.fast_mmio", "ad_updates"), ("*.guest_fault", "ad_updates"),
    ("*.mmio_hit", "missing_levels"), ("*.mmio_stale", "missing_levels"), ("v517.shadow.*", "missing_levels"),
    ("*.mmio_hit", "prefetch_index"), ("v517.*", "prefetch_index"), ("v31.any.*", "decode_assist"),
    ("*.shadow.mmio_*", "spte_accessed_bit"), ("*.nonpaging.*", "spte_accessed_bit"), ("*.mmio_stale", "mmio_cached"),
    ("*.fast_mmio", "is_write"), ("*.fast_mmio", "userspace"), ("*.bus.*", "userspace"), ("*.bus.*", "is_write"),
    ("*.any.*", "is_write"), ("*.any.*", "leaf_level"), ("*.any.hypercall", "userspace"),
    ("v30.shadow.mmio", "bypass"), ("*.guest_fault", "bypass"), ("*.bypass_switch", "bypass"),
    ("unified.ept.access", "sync"), ("v31.ept.*", "nested_levels"), ("v30.*", "slot_cache_warm"),
    ("v31.*", "mmio_gap"), ("v36.*.*", "shadow_pages"), ("v40.ept.*", "retries"), ("v36.*.mmio_*", "fault_level"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "name"), UNUSED)
@settings(max_examples=25)
@given(data=st.data())
def test_a_symbol_that_a_path_does_not_use_has_no_effect(pattern: str, name: str, data: st.DataObject) -> None:
    path, scenario = data.draw(cases(pattern))
    allowed, _ = domain(path, name, scenario)
    changed = {**scenario, name: allowed[data.draw(st.integers(0, min(len(allowed), 600) - 1))]}
    try:
        resolve(path, changed)
    except InvalidInput:
        return
    assert simulate(path, changed) == simulate(path, scenario)


def test_every_event_of_the_vocabulary_is_made_by_some_path() -> None:
    """``guest_fault_native`` and the rest: an event without a step in the machine would be a gap."""
    on = {"userspace": 1, "exit_mitigated": 1, "userspace_mitigated": 1, "emulation_mitigated": 1}
    seen: set[str] = set()
    for path in PATHS:
        for given_ in ({}, on, {"is_ioeventfd": 1} if path.way != "pio_read" else {}, {"is_write": 0, **on}):
            seen |= set(simulate(path.name, given_))
    seen |= set(simulate("v30.any.pio_read", {"userspace": 1, "pm_timer": 1}))
    seen |= set(simulate("v30.any.msr_write", {"timer_msr": 1}))
    seen |= set(simulate("v30.shadow.ram_fill", {"bypass": 1, "missing_levels": 1, "ad_updates": 1}))
    seen |= set(simulate("v311.ept.mmio_hit", {"mmio_cached": 0}))
    seen |= set(simulate("v315.ept.mmio_hit", {"fast_bus_devices": 3}))
    seen |= set(simulate("v31.any.slot_update", {"shadow_pages": 3}))
    assert seen == {event.name for event in EVENTS}
