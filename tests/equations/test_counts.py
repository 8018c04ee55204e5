"""The counts of every path: worked examples, exact against lowered, arrays against numbers, and laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scenarios import BINARY, LINEAR, cases, domain, paths, reads, scenarios, settled, since

from mmiocost.equations.lowering import kernel, kernel_names
from mmiocost.equations.paths import counts, terms
from mmiocost.equations.symbols import symbol
from mmiocost.resources import root
from mmiocost.vocabulary import COLD_COMPARE, PATHS, event_names, resolve
from mmiocost.vocabulary.tables import Example, worked_examples

EXAMPLES = worked_examples((root() / "model" / "mechanism.md").read_text("utf-8"))


def exact(path: str, scenario: dict[str, int]) -> dict[str, int]:
    """Counts by exact substitution, zeros left out."""
    values = {symbol(name): value for name, value in scenario.items()}
    found = {event: sp.sympify(count).subs(values) for event, count in counts(path).items()}
    assert all(count.is_Integer for count in found.values()), found
    return {event: int(count) for event, count in found.items() if count}


def lowered(path: str, scenario: dict[str, Any], cold: float = 0) -> dict[str, Any]:
    """Occurrences by the generated function, zeros left out."""
    found = kernel(path)({**scenario, "cold_search_fraction": cold})
    return {name: count for name, count in found.items() if np.any(count)}


def id_of(example: Example) -> str:
    return " ".join([example.path, *(f"{name}={value}" for name, value in example.scenario.items())])


def test_there_are_examples_to_hold_the_equations_against() -> None:
    assert len(EXAMPLES) >= 40


@pytest.mark.parametrize("example", EXAMPLES, ids=id_of)
@pytest.mark.parametrize("way", [exact, lowered])
def test_worked_examples(example: Example, way: Any) -> None:
    found = way(example.path, resolve(example.path, example.scenario))
    if example.complete:
        assert found == example.events
    else:
        assert found.items() >= example.events.items()


@given(case=cases())
@settings(max_examples=250)
def test_the_generated_functions_count_what_the_equations_say(case: tuple[str, dict[str, int]]) -> None:
    path, scenario = case
    found = lowered(path, scenario)
    assert found == exact(path, scenario)
    assert all(type(count) is int and count > 0 for count in found.values())
    assert set(found) <= set(event_names())


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_every_path_counts_something_with_its_defaults(path: Any) -> None:
    full = resolve(path, {})
    found = lowered(path.name, full)
    assert found and found == exact(path.name, full)
    assert sum(name.startswith("vm_exit_") for name in found) <= 1


@given(path=paths(), data=st.data())
def test_an_array_of_scenarios_gives_what_each_of_them_gives(path: str, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(scenarios(path), min_size=2, max_size=4))
    arrays = {name: np.array([scenario[name] for scenario in drawn]) for name in drawn[0]}
    together = kernel(path)({**arrays, "cold_search_fraction": 0})
    for place, scenario in enumerate(drawn):
        alone = kernel(path)({**scenario, "cold_search_fraction": 0})
        assert {name: np.broadcast_to(value, len(drawn))[place] for name, value in together.items()} == alone


def generation(path: str) -> str:
    return path.split(".")[0]


def linear(path: str) -> bool:
    return generation(path) in (*LINEAR, "proto", "unified")


@given(case=cases(), more=st.integers(1, 300))
def test_more_slots_never_mean_fewer_compares_in_a_linear_scan(case: tuple[str, dict[str, int]], more: int) -> None:
    path, scenario = case
    assume(linear(path))
    wider = lowered(path, {**scenario, "slots": scenario["slots"] + more})
    found = lowered(path, scenario)
    assert wider.get("slot_compare", 0) >= found.get("slot_compare", 0)
    for counted in (wider, found):
        counted.pop("slot_compare", None)
    assert wider == found


@given(case=cases())
def test_every_search_examines_an_entry(case: tuple[str, dict[str, int]]) -> None:
    found = lowered(*case)
    assert found.get("slot_compare", 0) >= found.get("slot_search", 0)


@given(case=cases("*.mmio*"))
def test_an_mmio_access_exits_once_and_is_emulated_once(case: tuple[str, dict[str, int]]) -> None:
    path, scenario = case
    found = lowered(path, scenario)
    assert sum(count for name, count in found.items() if name.startswith("vm_exit_")) == 1
    assert found["emulate_instruction"] == 1
    assert found.get("userspace_exit", 0) == scenario["userspace"]
    assert found.get("instruction_fetch", 0) == 1 - scenario["decode_assist"]


@given(case=cases("*.mmio_hit"))
def test_a_hit_takes_no_lock_writes_nothing_and_searches_for_ram_only(case: tuple[str, dict[str, int]]) -> None:
    path, scenario = case
    found = lowered(path, scenario)
    assert not {"mmu_lock_acquire", "mmio_spte_install", "spte_install", "shadow_page_alloc"} & set(found)
    if linear(path):
        assert found.get("slot_compare", 0) == found.get("slot_search", 0) * scenario["ram_slot"]


@given(case=cases("*.ept.mmio_hit"), slots=st.integers(1, 500))
def test_what_a_hit_costs_does_not_depend_on_the_number_of_slots(case: tuple[str, dict[str, int]], slots: int) -> None:
    path, scenario = case
    assume(scenario["slot_cache_warm"] or linear(path))
    changed = {**scenario, "slots": max(slots, scenario["ram_slot"])}
    assert lowered(path, changed) == lowered(path, scenario)


def _mode(path: str) -> str:
    return path.split(".")[1] if path.count(".") == 2 else ""


def _large_or_looked_at(path: str, v: dict[str, int]) -> bool:
    """Whether KVM looks at the group behind the installed entry."""
    mode, way = _mode(path), path.split(".")[-1]
    if way not in ("mmio_first", "mmio_stale"):
        return False
    if mode == "nonpaging":
        return True
    if mode == "shadow":
        return v["leaf_level"] >= 2
    return v["spte_accessed_bit"] == 1 and not since(path, "v517")


def unused(path: str, name: str, v: dict[str, int]) -> bool:
    """Whether the specification says that a path does not use a symbol (in that scenario)."""
    mode, way = _mode(path), path.split(".")[-1]
    instruction = mode == "any" and way not in ("slot_update", "slot_update_wrap")
    port = way in ("pio_write", "pio_read")
    rules = {
        "mmio_gap": linear(path),
        "slot_cache_warm": linear(path),
        "nested_levels": way != "guest_walk",
        "ad_updates": (
            way in ("fast_mmio", "guest_fault")
            or (mode == "shadow" and way == "mmio_hit")
            or (mode == "ept" and since(path, "v414"))
            or path == "unified.ept.access"
            or (path == "unified.shadow.access" and v["sync"] == 1)
            or instruction
        ),
        "missing_levels": way in ("mmio_hit", "mmio_stale")
        or (way == "mmio_uncached" and not (mode == "ept" and v["spte_accessed_bit"] == 0)),
        "prefetch_index": not _large_or_looked_at(path, v),
        "spte_accessed_bit": not (mode == "ept" and way in ("mmio_first", "mmio_stale", "mmio_uncached")),
        "mmio_cached": way != "mmio_hit",
        "is_write": way == "fast_mmio" or path.endswith(("bus.hit", "bus.miss")) or instruction,
        "userspace": way == "fast_mmio" or path.endswith(("bus.hit", "bus.miss")) or (instruction and not port),
        "is_ioeventfd": way == "fast_mmio" or path.endswith(("bus.hit", "bus.miss")) or (instruction and not port)
        or v["userspace"] == 1,
        "bus_devices": instruction and not port,
        "bus_gap": (instruction and not port) or way == "fast_mmio",
        "decode_assist": instruction,
        "leaf_level": instruction,
        "fast_bus_devices": not since(path, "v315") or mode != "ept",
        "fast_bus_position": way != "fast_mmio",
        "fast_bus_gap": not (mode == "ept" and way in ("mmio_hit", "mmio_stale") and since(path, "v315")),
        "host_hypervisor": not (way == "fast_mmio" and since(path, "v414")),
        "bypass": path in ("v30.shadow.mmio", "v30.shadow.guest_fault", "proto.shadow.bypass_switch"),
        "sync": path != "unified.shadow.access",
        "is_mmio": generation(path) != "unified",
        "retries": generation(path) != "unified",
        "unlinked_levels": generation(path) != "unified" or v["retries"] == 0,
        "fast_pio_in": way != "pio_read",
        "pm_timer": way != "pio_read" or v["userspace"] == 0,
        "timer_msr": way != "msr_write",
        "shadow_pages": way not in ("slot_update", "slot_update_wrap", "bypass_switch"),
        "fault_level": way != "guest_fault",
    }  # fmt: skip
    return bool(rules.get(name, False))


@given(data=st.data(), case=cases())
@settings(max_examples=400)
def test_a_symbol_that_a_path_does_not_use_has_no_effect(data: st.DataObject, case: tuple[str, dict[str, int]]) -> None:
    path, scenario = case
    candidates = [
        name for name in scenario if unused(path, name, scenario) and len(domain(path, name, scenario)[0]) > 1
    ]
    assume(candidates)
    name = data.draw(st.sampled_from(candidates))
    allowed, _ = domain(path, name, scenario)
    changed = {**scenario, name: allowed[data.draw(st.integers(0, min(len(allowed), 20) - 1))]}
    assume(settled(path, changed) == (changed, []))
    assert lowered(path, changed) == lowered(path, scenario)


@given(case=cases(), cold=st.floats(0, 1))
def test_a_cold_search_makes_the_compares_of_one_search_in_vain_dearer(
    case: tuple[str, dict[str, int]], cold: float
) -> None:
    """Once an access at most, in a share of accesses; no count changes."""
    path, scenario = case
    found = lowered(path, scenario, cold)
    dearer = found.pop(COLD_COMPARE, 0)
    assert found == lowered(path, scenario)
    assert 0 <= dearer <= cold * found.get("slot_compare", 0) * (1 + 1e-12)
    if linear(path) and dearer:
        assert dearer == pytest.approx(cold * scenario["slots"])


def test_a_search_in_vain_is_cold_by_all_its_compares() -> None:
    assert lowered("v30.slot.miss", resolve("v30.slot.miss", {"slots": 35}), 0.5)[COLD_COMPARE] == 17.5
    assert lowered("v40.slot.miss", resolve("v40.slot.miss", {"slots": 117, "mmio_gap": 3}), 1)[COLD_COMPARE] == 9
    assert COLD_COMPARE not in lowered("v30.slot.hit", resolve("v30.slot.hit", {}), 1)


@given(case=cases())
def test_mitigations_ride_on_exits_and_emulation(case: tuple[str, dict[str, int]]) -> None:
    path, scenario = case
    on = {**scenario, "exit_mitigated": 1, "userspace_mitigated": 1, "emulation_mitigated": 1}
    found = lowered(path, on)
    exits = sum(count for name, count in found.items() if name.startswith("vm_exit_"))
    assert found.get("exit_mitigation", 0) == exits
    assert found.get("userspace_mitigation", 0) == found.get("userspace_exit", 0)
    assert found.get("emulation_mitigation", 0) == found.get("emulate_instruction", 0)
    off = dict.fromkeys(("exit_mitigated", "userspace_mitigated", "emulation_mitigated"), 0)
    assert not [name for name in lowered(path, {**scenario, **off}) if name.endswith("_mitigation")]


@given(case=cases())
def test_a_slot_search_is_a_hit_for_each_entry_read_or_updated_and_each_recheck(
    case: tuple[str, dict[str, int]],
) -> None:
    """Every look-up of guest memory searches the slots: searches are at least what was read there."""
    found = lowered(*case)
    touched = ("guest_pte_read", "guest_pte_update", "gpte_recheck", "prefetch_chunk_read", "instruction_fetch")
    assert found.get("slot_search", 0) >= sum(found.get(name, 0) for name in touched)


@given(levels=st.sampled_from([0, 2, 3, 4, 5]), nested=st.sampled_from([0, 2, 3, 4, 5]))
def test_a_nested_walk_translates_each_read_and_the_result(levels: int, nested: int) -> None:
    found = lowered("v517.guest_walk", resolve("v517.guest_walk", {"guest_levels": levels, "nested_levels": nested}))
    own, outer = reads(levels, 1), reads(nested, 1)
    assert found.get("guest_pte_read", 0) == own + (own + 1) * outer


def test_every_path_has_a_kernel() -> None:
    assert {path.name for path in PATHS} <= set(kernel_names())


@pytest.mark.parametrize("path", ["v31.ept.mmio_hit", "v517.ept.mmio_stale"])
def test_terms_are_the_counts_and_the_cold_compares(path: str) -> None:
    assert {name: count for name, count in terms(path).items() if name != COLD_COMPARE} == counts(path)


def test_binary_generations_end_with_a_range_test_of_their_own() -> None:
    """v40 tests the empty entry behind the last; v56 has a guard, so that g = n costs one compare less."""
    found = {
        gen: lowered(f"{gen}.slot.miss", resolve(f"{gen}.slot.miss", {"slots": 6}))["slot_compare"] for gen in BINARY
    }
    assert found["v40"] == found["v414"] == found["v56"] + 1
