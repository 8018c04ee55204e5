"""From raw rows to cells and counts: medians, pairs, slopes, and what an interrupted run does to them."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmiocost.evidence.probe import raw
from mmiocost.evidence.probe.cells import cells
from mmiocost.evidence.probe.counts import counts
from mmiocost.evidence.probe.design import setting
from mmiocost.evidence.probe.intervals import median_interval
from mmiocost.evidence.probe.operations import Shape


@pytest.mark.parametrize(("count", "low", "high"), [(6, 1, 6), (10, 2, 9), (15, 4, 12), (20, 6, 15), (25, 8, 18)])
def test_the_interval_has_the_ranks_of_the_published_table(count: int, low: int, high: int) -> None:
    """Conover, Practical Nonparametric Statistics: ranks of the 95 % interval of a median."""
    assert median_interval([float(value) for value in range(1, count + 1)])[1:] == (low, high)


def test_five_values_have_no_interval() -> None:
    assert median_interval([3.0, 1.0, 2.0, 5.0, 4.0]) == (3.0, None, None)


@given(st.lists(st.floats(-1e9, 1e9), min_size=6))
def test_the_median_lies_in_its_interval(values: list[float]) -> None:
    middle, low, high = median_interval(values)
    assert low is not None and high is not None and low <= middle <= high


def timing(value: float, experiment: str = "paths", probe: str = "", shape: Shape | None = None, **more: Any) -> Any:
    about = setting(experiment, shape or Shape(), probe)
    run = {"iterations": 16, "repeat": 0, "preempted": 0, "quantity": raw.INSIDE, "unit": "ns"}
    return {**about, **run, "value": value, **more}


def cell_of(found: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    (cell,) = [cell for cell in found if all(cell[name] == value for name, value in wanted.items())]
    return cell


def test_differences_are_taken_within_a_block() -> None:
    """A drift of 1000 ns a block, common to both operations, leaves the difference of 50 exact."""
    rows = [timing(1000.0 * block, probe="mmio_store_any", repeat=block) for block in range(8)]
    rows += [timing(1000.0 * block + 50, probe="mmio_store_user", repeat=block) for block in range(8)]
    cell = cell_of(cells(rows, []), of="difference", minus="mmio_store_any")
    assert (cell["value"], cell["low"], cell["high"], cell["repeats"]) == (50.0, 50.0, 50.0, 8)


def test_runs_that_were_interrupted_are_left_out_where_enough_others_are_there() -> None:
    rows = [timing(10.0, probe="cpuid", repeat=n) for n in range(6)]
    rows += [timing(9999.0, probe="cpuid", repeat=n, preempted=1) for n in range(6, 9)]
    cell = cell_of(cells(rows, []), of="time", probe="cpuid")
    assert (cell["value"], cell["repeats"], cell["left_out"]) == (10.0, 6, 3)
    few = cell_of(cells(rows[4:], []), of="time", probe="cpuid")
    assert (few["repeats"], few["left_out"]) == (5, 0)


def test_vms_do_not_pose_as_slots() -> None:
    """Each VM has its own offset of up to 500 ns; within a VM a doubling adds 3 ns."""
    rng = Random(1)
    rows = []
    for vm in range(3):
        offset = 500 * rng.random()
        for repeat in range(3):
            for slots in (1, 8, 64, 512):
                value = offset + 3 * math.log2(slots)
                rows.append(timing(value, "slots", "mmio_store_any", slots=slots, vm=vm, repeat=repeat))
    cell = cell_of(cells(rows, []), of="slope per doubling of slots")
    assert cell["value"] == pytest.approx(3.0)
    assert cell["low"] == pytest.approx(3.0) and cell["high"] == pytest.approx(3.0)


def test_a_level_read_is_what_large_pages_save_over_the_reads_that_they_save() -> None:
    """Two operations: 8 reads against 6 save 70 ns, 16 against 12 save 140: 35 ns a read."""
    rows, counted = [], []
    for probe, reads, saved in (("mmio_store_any", (8, 6), 70.0), ("pio_out_any", (16, 12), 140.0)):
        for large in (False, True):
            shape = Shape(large=large)
            rows += [timing(1000.0 - saved * large, probe=probe, shape=shape, repeat=n) for n in range(7)]
            for turns in (20, 60):
                about = setting("trace", shape, probe)
                row = {"iterations": turns, "repeat": 0, "preempted": 0, "source": raw.TRACEPOINT}
                value = 5 + turns * reads[large]
                counted.append({**about, **row, "counter": "kvm_mmu_paging_element", "value": value})
    cell = cell_of(cells(rows, counts(counted)), of="guest page-table level read")
    assert cell["value"] == pytest.approx(35.0)


def counter(turns: int, name: str, value: float, experiment: str = "counters", **more: Any) -> dict[str, Any]:
    about = setting(experiment, Shape(), "mmio_store_any")
    return {**about, "iterations": turns, "repeat": 0, "preempted": 0, "counter": name, "value": value, **more}


def test_the_end_of_a_run_is_not_counted_and_a_counter_that_wavers_is_not_exact() -> None:
    rows = [counter(turns, "insn_emulation", turns + 1) for turns in (100, 300, 1000)]
    rows += [counter(turns, "exits", value) for turns, value in ((100, 101), (300, 302), (1000, 1003))]
    found = {row["counter"]: row for row in counts(rows)}
    assert (found["insn_emulation"]["per_turn"], found["insn_emulation"]["exact"]) == (1.0, True)
    assert not found["exits"]["exact"]


def test_a_counter_missing_in_a_run_did_not_move_there() -> None:
    rows = [counter(4, "pf_emulate", 4, "mmio_pages", repeat=n) for n in range(3)]
    rows += [counter(4, "pf_fixed", 4, "mmio_pages", repeat=0)]
    found = {row["counter"]: row for row in counts(rows)}
    assert (found["pf_emulate"]["per_turn"], found["pf_emulate"]["exact"]) == (1.0, True)
    assert (found["pf_fixed"]["per_turn"], found["pf_fixed"]["exact"]) == (0.0, False)
