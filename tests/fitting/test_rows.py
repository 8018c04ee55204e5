"""From an observation to an equation: path, scenario, value, weight; refusals give the reason."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from mmiocost.evidence import Evidence, Observation
from mmiocost.fitting.parameters import parameter_counts, parameter_names
from mmiocost.fitting.rows import NotScored, Row, fit_rows, path_of, row_of
from mmiocost.fitting.weights import row_sd


@pytest.fixture(scope="session")
def by_id(evidence: Evidence) -> dict[str, Observation]:
    return {row.id: row for row in evidence.observations}


@pytest.fixture
def example(by_id: dict[str, Observation]) -> Observation:
    """A store to user space on the Skylake host, mitigations off in the host."""
    return by_id["makokten2026_exit_anatomy-037"]


def test_the_fit_has_the_rows_of_seven_machines_in_seventeen_states(evidence: Evidence) -> None:
    """57 published rows and the seven cells of the probe."""
    rows = fit_rows(evidence)
    assert len(rows) == 64
    assert len({row.machine for row in rows}) == 7
    assert len({(row.machine, row.state) for row in rows}) == 17


# --- which path a row observes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "columns", "path"),
    [
        ("GEN.any.pio_write", {}, "v517.any.pio_write"),
        ("GEN.MODE.mmio_hit", {"ept": 1, "mmio_shortcut": "spte"}, "v517.ept.mmio_hit"),
        ("GEN.MODE.mmio_hit", {"ept": None, "mmio_shortcut": "spte"}, "v517.ept.mmio_hit"),
        ("GEN.MODE.mmio_hit", {"generation": "v36", "ept": 0, "mmio_shortcut": "spte"}, "v36.shadow.mmio_hit"),
        ("GEN.MODE.mmio_hit", {"generation": "v30", "ept": 1, "mmio_shortcut": "none"}, "v30.ept.mmio"),
        ("GEN.MODE.mmio_hit", {"generation": "v31", "ept": 0, "mmio_shortcut": "none"}, "v30.shadow.mmio"),
        ("GEN.MODE.mmio_hit", {"ept": 0, "mmio_shortcut": "none"}, "v517.shadow.mmio_uncached"),
        ("GEN.MODE.mmio_hit", {"ept": 1, "mmio_shortcut": "none"}, "v517.ept.mmio_uncached"),
        ("GEN.MODE.mmio_hit", {"generation": "v40", "ept": 1, "mmio_shortcut": "fast bus"}, "v40.ept.fast_mmio"),
        ("GEN.any.hypercall", {"generation": ""}, "v517.any.hypercall"),
        ("GEN.guest_walk", {"generation": "v414"}, "v414.guest_walk"),
    ],
)
def test_the_row_says_what_generation_and_mode_stand_for(
    example: Observation, pattern: str, columns: dict[str, object], path: str
) -> None:
    assert path_of(replace(example, **columns), pattern) == path


def test_a_generation_may_be_missing_only_where_all_count_alike(example: Observation) -> None:
    with pytest.raises(NotScored, match="generation is not known"):
        path_of(replace(example, generation=""), "GEN.any.cpuid")


def test_a_path_that_is_not_modelled_is_a_reason(example: Observation) -> None:
    row = replace(example, generation="v40", ept=0, mmio_shortcut="spte")
    with pytest.raises(NotScored, match=r"no path v40\.shadow\.mmio_hit"):
        path_of(row, "GEN.MODE.mmio_hit")


def test_columns_of_the_row_win_over_the_scenario_of_the_quantity(
    by_id: dict[str, Observation], evidence: Evidence
) -> None:
    """The emulated instructions ran without paging; a row that says otherwise reads four entries more."""
    plain = by_id["bonzini2014_realmode_emul-001"]
    assert row_of(plain, evidence).scenario == {"guest_levels": 0}
    found = row_of(replace(plain, guest_levels=4, slots=9), evidence)
    assert found.scenario == {"guest_levels": 4, "slots": 9}
    assert found.counts["guest_pte_read"] == 4 and "guest_pte_read" not in row_of(plain, evidence).counts


def test_a_row_counts_its_path_and_the_events_on_top(example: Observation, evidence: Evidence) -> None:
    """v517.ept.mmio_hit with defaults, a store to user space, and a plain register behind it."""
    assert row_of(example, evidence).counts == {
        "vm_exit_ept_misconfig": 1, "slot_search": 5, "slot_compare": 5, "guest_pte_read": 4, "mmio_cache_check": 2,
        "instruction_fetch": 1, "emulate_instruction": 1, "io_bus_compare": 2, "userspace_exit": 1, "device_model": 1,
        "vm_exit_instruction:guest": 1, "vm_exit_instruction:vcpu_pmu": 1,
    }  # fmt: skip


def test_a_row_of_a_host_with_mitigations_counts_each_setting(
    by_id: dict[str, Observation], evidence: Evidence
) -> None:
    counts = row_of(by_id["makokten2026_exit_anatomy-012"], evidence).counts
    assert {name for name in counts if ":" in name} == {
        "exit_mitigation:spectre", "exit_mitigation:other", "userspace_mitigation:vmscape",
        "userspace_mitigation:spectre", "userspace_mitigation:other", "emulation_mitigation:vmscape",
        "emulation_mitigation:spectre", "emulation_mitigation:other", "vm_exit_instruction:guest",
        "vm_exit_instruction:vcpu_pmu",
    }  # fmt: skip


def test_a_share_is_one_path_over_another(by_id: dict[str, Observation], evidence: Evidence) -> None:
    """27.19 % of the 10144 cycles of a store to user space are the emulator's."""
    row = row_of(by_id["makokten2026_exit_anatomy-074"], evidence)
    whole = row_of(by_id["makokten2026_exit_anatomy-037"], evidence)
    assert row.log_value == pytest.approx(math.log(0.2719))
    assert row.per == whole.counts
    assert row.counts["emulate_instruction"] == 1 and row.counts["guest_pte_read"] == 4
    assert not any(name.startswith("vm_exit") for name in row.counts)


# --- values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id_", "measured"),
    [
        # Published figure less the overhead of the harness, 68 cycles on host b and 58 on host a.
        ("makokten2026_exit_anatomy-003", 3864 - 68),
        ("makokten2026_exit_anatomy-006", 23726 - 68),
        ("makokten2026_exit_anatomy-009", 4202 - 58),
        ("makokten2026_exit_anatomy-037", 10144 - 58),
        ("bonzini2012_vmexit_pio-001", 3898),
        ("pvm2023_secondary-001", 0.46e-6 * 2.5e9),  # no clock stated: 2.5 GHz assumed
    ],
)
def test_values_in_cycles_without_the_overhead_of_the_harness(
    id_: str, measured: float, by_id: dict[str, Observation], evidence: Evidence
) -> None:
    assert math.exp(row_of(by_id[id_], evidence).log_value) == pytest.approx(measured)


def test_a_clock_that_is_stated_turns_time_into_cycles(by_id: dict[str, Observation], evidence: Evidence) -> None:
    row = replace(by_id["pvm2023_secondary-001"], clock_hz=3.1e9)
    assert math.exp(row_of(row, evidence).log_value) == pytest.approx(0.46e-6 * 3.1e9)
    assert row_of(row, evidence).sd < 0.05 < row_of(by_id["pvm2023_secondary-001"], evidence).sd


def test_a_value_below_the_overhead_of_the_harness_is_no_cost(example: Observation, evidence: Evidence) -> None:
    with pytest.raises(NotScored, match="harness"):
        row_of(replace(example, value=50.0), evidence)


@pytest.mark.parametrize("quantity", ["msr.write_ibpb", "workload.netperf_tcp_rr", "harness.timer_overhead"])
def test_a_quantity_without_a_path_is_refused_with_its_reason(
    quantity: str, example: Observation, evidence: Evidence
) -> None:
    with pytest.raises(NotScored) as caught:
        row_of(replace(example, quantity=quantity), evidence)
    assert str(caught.value) == evidence.quantities[quantity].why_not != ""


# --- weights ---------------------------------------------------------------------------------------------------


def sd(example: Observation, **columns: object) -> float:
    plain = {
        "value": 1000.0,
        "spread": None,
        "spread_kind": "",
        "n_runs": None,
        "unit": "cycle",
        "quantity": "exit.hypercall",
    }
    return row_sd(replace(example, **{**plain, **columns}), False)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, 0.005),  # a figure of a table
        ({"spread": 20.0, "spread_kind": "sem"}, 0.02),
        ({"spread": 1.0, "spread_kind": "sem"}, 0.003),  # no row is trusted beyond 0.3 %
        ({"spread": 20.0, "spread_kind": "sd", "n_runs": 4}, 0.01),
        ({"spread": 98.0, "spread_kind": "ci95_half"}, 0.05),  # 98/1.96 = 50
        ({"spread": 98.0, "spread_kind": "interval_half"}, 0.05),
        ({"spread": 86.60254, "spread_kind": "rounding_half"}, 0.05),  # half a step over the root of 3
        ({"spread": 392.0, "spread_kind": "range", "n_runs": 4}, 0.05),  # 392/(2·1.96) = 100, over the root of 4
        ({"spread": 2.0, "spread_kind": "rel_sem_percent"}, 0.02),
        ({"spread": 58.0, "spread_kind": "p90_minus_min", "n_runs": 200000}, 0.005),  # a median of many samples
        ({"spread": 512.0, "spread_kind": "p90_minus_min", "n_runs": 4}, 0.1),  # 512/(2·1.28) = 200, over the root of 4
        ({"unit": "percent", "value": 27.19}, math.hypot(0.005, 0.15)),
        ({"quantity": "emul.instruction"}, math.hypot(0.005, 0.15)),  # one cost for classes of instructions
        ({"value": 28.0}, math.hypot(0.005, 0.5 / math.sqrt(3) / 28)),  # two digits: rounding counts
        ({"value": 0.46}, math.hypot(0.005, 0.005 / math.sqrt(3) / 0.46)),
    ],
)
def test_weight_of_each_kind_of_spread(example: Observation, columns: dict[str, object], expected: float) -> None:
    assert sd(example, **columns) == pytest.approx(expected, rel=2e-3)


def test_a_time_without_a_clock_is_known_to_a_third(example: Observation) -> None:
    assert row_sd(replace(example, value=1000.0), True) == pytest.approx(0.3, rel=1e-3)


# --- parameters ------------------------------------------------------------------------------------------------


def test_settings_of_a_state_take_the_place_of_the_indicators() -> None:
    terms = {"vm_exit_instruction": 2, "exit_mitigation": 2, "guest_fault_native": 1}
    assert parameter_counts(terms, {"spectre": 1, "other": 0, "guest": 1}) == {
        "vm_exit_instruction": 2, "exit_mitigation:spectre": 2, "vm_exit_instruction:guest": 2,
    }  # fmt: skip
    assert parameter_counts(terms, None) == {
        "vm_exit_instruction": 2, "exit_mitigation:spectre": 2, "exit_mitigation:other": 2,
    }  # fmt: skip


def test_every_parameter_of_a_row_has_a_prior(
    fitted: tuple[object, object, tuple[Row, ...]], evidence: Evidence
) -> None:
    names = {name for row in fitted[2] for name in (*row.counts, *row.per)}
    assert names <= set(parameter_names()) == set(evidence.priors)
