"""The model's counts against recorded counters, and against counters of hosts made up by the rules of KVM.

No host with ``mmio_caching`` on has been recorded: its counters here follow from what each counter counts
(model/mechanism.md, checks on a live host), so they test the comparison, not KVM.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from mmiocost import evidence
from mmiocost.evidence.probe import raw, runs
from mmiocost.evidence.probe.design import setting
from mmiocost.evidence.probe.operations import Shape
from mmiocost.fitting.probe_counters import check

VTX = {"tdp": True, "isa": "vmx", "mmio_caching": True, "release": "6.8.0"}


@pytest.fixture(scope="module")
def quantities() -> Any:
    return evidence.load().quantities


@pytest.mark.parametrize("number", [0, 1])
def test_packaged_runs_confirm_every_count(number: int, quantities: Any) -> None:
    run = runs.packaged()[number]
    checked, left = check(run.counts, run.facts, quantities)
    assert [item for item in checked if not item.holds] == []
    by_counter = Counter(item.counter for item in checked)
    assert by_counter["insn_emulation"] >= 13 and by_counter["kvm_mmu_paging_element"] >= 13
    assert {item.path for item in checked if item.probe.startswith("mmio")} == {"v517.shadow.mmio_uncached"}
    assert "interpreted: the loop around the access is emulated too" in {item.why for item in left}


def test_the_recorded_counts_are_those_of_its_summary(quantities: Any) -> None:
    """An MMIO access: one fault, one emulated instruction, 8 page-table reads with 4 KiB pages and 6 with 2 MiB."""
    checked, _ = check(runs.packaged()[0].counts, runs.packaged()[0].facts, quantities)
    stores = {
        (item.guest_page_size, item.counter): item.measured
        for item in checked
        if item.probe == "mmio_store_any" and not item.step
    }
    for page, reads in ((4096, 8), (2 << 20, 6)):
        expected = {"insn_emulation": 1, "pf_taken": 1, "vcpu_match_mmio": 1, "kvm_mmu_paging_element": reads}
        assert {name: stores[page, name] for name in expected} == expected


def rows(experiment: str, found: dict[str, float], probe: str = "", **more: Any) -> list[dict[str, Any]]:
    about = setting(experiment, Shape(), probe, **more)
    source = raw.KVM_STATS
    return [{**about, "source": source, "counter": name, "per_turn": n, "exact": True} for name, n in found.items()]


LOOP = rows("counters", {"exits": 0.0}, "loop")
HIT = {"exits": 1.0, "insn_emulation": 1.0}


def checked_on(counts: list[dict[str, Any]], quantities: Any) -> dict[tuple[str, str], bool]:
    found, _ = check([*LOOP, *counts], VTX, quantities)
    assert found
    return {(item.path, item.counter): item.holds for item in found}


def test_a_hit_is_no_fault_and_makes_no_entry(quantities: Any) -> None:
    found = checked_on(rows("counters", HIT, "mmio_store_any"), quantities)
    assert {path for path, _ in found} == {"v517.ept.mmio_hit"}
    assert all(found.values())
    wrong = checked_on(rows("counters", {**HIT, "pf_taken": 1.0}, "mmio_store_any"), quantities)
    assert not wrong["v517.ept.mmio_hit", "pf_taken"] and wrong["v517.ept.mmio_hit", "insn_emulation"]


def test_a_hit_in_user_space_is_one_exit_there(quantities: Any) -> None:
    found = checked_on(rows("counters", {**HIT, "mmio_exits": 1.0}, "mmio_load_user"), quantities)
    assert found["v517.ept.mmio_hit", "mmio_exits"] and all(found.values())


def test_length_0_is_served_without_the_emulator(quantities: Any) -> None:
    found = checked_on(rows("counters", {"exits": 1.0}, "mmio_store_len0"), quantities)
    assert {path for path, _ in found} == {"v517.ept.fast_mmio"}
    assert all(found.values())
    assert not all(checked_on(rows("counters", HIT, "mmio_store_len0"), quantities).values())


def test_the_first_touch_of_a_page_makes_its_entry(quantities: Any) -> None:
    first = {"pf_emulate": 1.0, "pf_mmio_spte_created": 1.0}
    counts = rows("mmio_pages", first, operation="store", step="1 first touch")
    counts += rows("mmio_pages", {"tlb_flush": 0.0}, operation="store", step="2 again")
    found = checked_on(counts, quantities)
    assert found["v517.ept.mmio_first", "pf_mmio_spte_created"]
    assert found["v517.ept.mmio_hit", "pf_mmio_spte_created"]
    late = checked_on(rows("mmio_pages", first, operation="store", step="2 again"), quantities)
    assert not late["v517.ept.mmio_hit", "pf_mmio_spte_created"]


def test_one_of_four_stores_after_a_bump_refills(quantities: Any) -> None:
    refill = {"pf_mmio_spte_created": 0.25}
    counts = rows("generation_bump", refill, "mmio_store_any", operation="flags", step="first")
    found = checked_on(counts, quantities)
    assert found == {("v517.ept.mmio_stale, v517.ept.mmio_hit", "pf_mmio_spte_created"): True}
    control = rows("generation_bump", refill, "mmio_store_any", operation="none", step="first")
    assert not all(checked_on(control, quantities).values())


def test_ports_of_a_host_with_hardware_need_no_emulator(quantities: Any) -> None:
    counts = rows("counters", {"exits": 1.003, "irq_exits": 0.002}, "pio_in_user")
    found = checked_on(counts, quantities)
    assert found["v517.any.pio_read", "insn_emulation"] and found["v517.any.pio_read", "exits"]
    assert not all(checked_on(rows("counters", {"exits": 1.2}, "pio_in_user"), quantities).values())


def test_what_is_not_known_is_not_checked(quantities: Any) -> None:
    counts = [*LOOP, *rows("counters", HIT, "mmio_store_any")]
    for facts in ({**VTX, "release": ""}, {**VTX, "mmio_caching": True, "tdp": False}):
        found, left = check(counts, facts, quantities)
        assert found == () and len(left) == 1 and left[0].why
