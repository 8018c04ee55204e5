"""Which cells become rows of the fit: those whose path the host's counters show, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from mmiocost import evidence
from mmiocost.evidence.importers.rows import complete, written
from mmiocost.evidence.probe import raw
from mmiocost.evidence.probe.cells import cells
from mmiocost.evidence.probe.design import cells as settings
from mmiocost.evidence.probe.design import setting
from mmiocost.evidence.probe.observed import observations
from mmiocost.evidence.probe.plan import QUICK
from mmiocost.evidence.probe.seen import seen
from mmiocost.fitting.rows import row_of

VTX = {"tdp": True, "isa": "vmx", "mmio_caching": True, "release": "6.8.0", "clock_hz": 2e9, "ioctl_floor_ns": 700.0}
SHADOW = {**VTX, "tdp": False, "isa": "", "mmio_caching": False, "is_guest": True}


def measured() -> list[dict[str, Any]]:
    """Every operation on every VM of the quick plan, 8 blocks: the empty loop 1 ns, user space 9000, all else 2000."""
    rows = []
    for shape, operation in settings(QUICK):
        for repeat in range(8):
            base = 9000.0 if operation.served == "userspace" else 2000.0
            value = 1.0 if operation.name == "loop" else base + repeat
            run = {"iterations": 16, "repeat": repeat, "preempted": 0, "quantity": raw.INSIDE, "unit": "ns"}
            rows.append({**setting("paths", shape, operation.name), **run, "value": value})
    return cells(rows, [])


def counted(emulated: set[str], interpreted: tuple[tuple[str, int], ...] = ()) -> list[dict[str, Any]]:
    rows = []
    for shape, operation in settings(QUICK):
        at_all = (shape.mode, shape.cpl) in interpreted
        value = 2.0 if at_all else float(operation.name in emulated)
        about = setting("counters", shape, operation.name)
        rows.append({**about, "source": raw.KVM_STATS, "counter": "insn_emulation", "per_turn": value, "exact": True})
        rows.append({**about, "source": raw.KVM_STATS, "counter": "exits", "per_turn": 1.0, "exact": True})
    return rows


def found(facts: dict[str, Any], counts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return observations(measured(), seen(counts, facts), facts)


def test_a_host_with_hardware_gives_every_path() -> None:
    rows = [row for row in found(VTX, counted(set())) if row["use"] == "fit" and row["guest_levels"] == 4]
    assert {row["quantity"] for row in rows} == {
        "mmio.write_eventfd_wildcard", "mmio.write_eventfd_datamatch", "mmio.write_eventfd_zero_length",
        "mmio.write_userspace", "mmio.read_userspace", "mmio.read_kernel", "pio.write_eventfd_wildcard",
        "pio.write_eventfd_datamatch", "pio.write_userspace", "pio.read_userspace_unassigned", "exit.cpuid",
    }  # fmt: skip
    assert {row["mmio_shortcut"] for row in rows if row["quantity"].startswith("mmio")} == {"spte"}
    assert all(row["ept"] == 1 and "state" not in row for row in rows)


@pytest.mark.parametrize("facts", [VTX, SHADOW])
def test_what_is_fitted_has_a_path_of_the_model(facts: dict[str, Any]) -> None:
    """Rows go through the file of an evidence folder and the design of the fit."""
    counts = counted(
        {"mmio_store_any", "pio_out_any", "cpuid"}, (("flat32", 0), ("long", 0)) if facts is SHADOW else ()
    )
    known = evidence.load()
    rows = complete(found(facts, counts), facts, "host", "probe-1")
    assert written(rows).startswith("id,quantity,value")
    fitted = [row for row in rows if row["use"] == "fit"]
    assert fitted
    names = set(evidence.Observation.__dataclass_fields__)
    for row in fitted:
        design = row_of(evidence.Observation(**{name: row[name] for name in names}), known)
        assert design.path.startswith("v517.") or not known.quantities[row["quantity"]].path


def test_a_host_that_interprets_gives_the_direct_guest_alone() -> None:
    counts = counted({"pio_out_any", "pio_in_user", "cpuid"}, (("flat32", 0), ("long", 0)))
    rows = found(SHADOW, counts)
    why = {(row["event"], row["mode"], row["cpl"]): row["use_why"] for row in rows if row["use"] == "excluded"}
    assert "interpreted" in why["mmio_store_any", "long", 0] and "interpreted" in why["cpuid", "flat32", 0]
    assert "emulator" in why["pio_in_user", "long", 3] and "emulator" in why["cpuid", "long", 3]
    assert "fast MMIO bus" in why["mmio_store_len0", "long", 3]
    fitted = {row["quantity"]: row for row in rows if row["use"] == "fit"}
    assert fitted["pio.write_eventfd_emulated"]["event"] == "pio_out_any"
    assert fitted["mmio.write_eventfd_wildcard"]["mmio_shortcut"] == "none"
    assert fitted["mmio.write_eventfd_wildcard"]["state"] == "6.8.0-cpl3"
    assert fitted["userspace.minus_eventfd"]["state"] == "6.8.0-emulated"
    assert fitted["mmio.write_userspace"]["note"] == "includes 700 ns of the Python side of the ioctl"


def test_without_counters_and_without_hardware_nothing_is_taken_for_a_path() -> None:
    """Whether the guest runs directly, and whether the emulator takes part, can't be told."""
    assert [row for row in found({**SHADOW, "isa": ""}, []) if row["use"] == "fit"] == []
    assert [row for row in found(VTX, []) if row["use"] == "fit"] != []


def test_values_are_medians_less_the_loop_with_the_interval_as_spread() -> None:
    """Of 2000 to 2007 less 1: median 2002.5; ranks 1 and 8 of 8 hold the median, 7 wide."""
    (row,) = [row for row in found(VTX, counted(set())) if row["quantity"] == "mmio.read_kernel"]
    assert (row["value"], row["n_runs"], row["unit"]) == (2002.5, 8, "ns")
    assert row["spread"] == pytest.approx(7 / (2 * 1.96))
