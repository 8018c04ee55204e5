"""Sobol indices: known by hand or from an independent program, stable, and of admissible scenarios only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmiocost.cli.main import main
from mmiocost.errors import InvalidInput
from mmiocost.vocabulary import SYMBOLS, resolve
from mmiocost.whatif.domains import Varied
from mmiocost.whatif.inputs import scenarios, varied
from mmiocost.whatif.scenario import Scenario
from mmiocost.whatif.sensitivity import MEASURED, Sensitivity, _model, sensitivity
from mmiocost.whatif.sobol import indices

SAVING, PATH = "saving:fast_mmio", "v31.ept.mmio_hit"
KNOWN = "skylake-8160/a-6.8-off-host"


def inside(row: Any, first: float, total: float, slack: float = 0.01) -> bool:
    """Whether both indices lie in their intervals, up to a slack."""
    return bool(row[1] - slack <= first <= row[2] + slack and row[4] - slack <= total <= row[5] + slack)


def test_a_linear_function_has_the_indices_of_its_coefficients() -> None:
    """Var(Σ c·U) = Σ c²/12, nothing interacts: first = total = c²/Σc²; 1 : 4 : 4 : 0 here."""
    found = indices(lambda unit: unit[0] + 2 * unit[1] - 2 * unit[2] + 7, 4)
    for row, share in zip(found, (1 / 9, 4 / 9, 4 / 9, 0.0), strict=True):
        assert row[0] == pytest.approx(share, abs=0.01)
        assert row[3] == pytest.approx(share, abs=0.01)
        assert inside(row, share, share)
    assert tuple(found[3]) == (0.0,) * 6


def test_a_product_of_centred_inputs_is_all_interaction() -> None:
    found = indices(lambda unit: (unit[0] - 0.5) * (unit[1] - 0.5), 2)
    assert all(inside(row, 0.0, 1.0, 0.02) for row in found)


def ishigami(unit: Any) -> Any:
    x = (2 * unit - 1) * np.pi
    return np.sin(x[0]) + 7 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])


def test_ishigami_has_its_published_indices_and_those_of_salib() -> None:
    """Analytic: Ishigami and Homma (1990), a = 7, b = 0.1: first 0.3139, 0.4424, 0; total 0.5576, 0.4424, 0.2437."""
    found = indices(ishigami, 3)
    for row, (first, total) in zip(found, ((0.3139, 0.5576), (0.4424, 0.4424), (0.0, 0.2437)), strict=True):
        assert inside(row, first, total)
    other = salib(ishigami, 3)
    np.testing.assert_allclose(found[:, 0], other["S1"], atol=0.03)
    np.testing.assert_allclose(found[:, 3], other["ST"], atol=0.03)


def salib(function: Any, inputs: int, count: int = 4096) -> Mapping[str, Any]:
    from SALib.analyze import sobol as analyze
    from SALib.sample import sobol as sample

    problem = {"num_vars": inputs, "names": [str(i) for i in range(inputs)], "bounds": [[0.0, 1.0]] * inputs}
    unit = sample.sample(problem, count, calc_second_order=False, seed=5)
    values = function(unit.T)
    return analyze.analyze(  # type: ignore[no-any-return]
        problem, (values - values.mean()) / values.std(), calc_second_order=False, num_resamples=100, seed=5
    )


def test_one_of_our_quantities_has_the_indices_of_salib() -> None:
    scenario = Scenario(machine=KNOWN, counts={"slots": 32}, mix={"zapping_rate": 0.0})
    over = {"cold_search_fraction": (0.0, 1.0), "mmio_pages": (1.0, 64.0)}
    found = sensitivity(SAVING, scenario, over=over)
    model = _model_of(scenario, over)
    names = [item.name for item in found.indices if item.name in model.names]
    other = salib(model.of(names), len(names), 2048)
    for number, item in enumerate(found.indices):
        row = (item.first, item.first_low, item.first_high, item.total, item.total_low, item.total_high)
        slack = max(other["S1_conf"][number], other["ST_conf"][number])
        assert inside(row, other["S1"][number], other["ST"][number], slack), item.name


def _model_of(scenario: Scenario, over: Mapping[str, tuple[float, float]]) -> Any:
    from mmiocost.fitting.store import current_fit

    return _model(SAVING, PATH, scenario, varied(PATH, scenario, over), current_fit())


@pytest.fixture(scope="module")
def saving() -> Sensitivity:
    return sensitivity(SAVING, Scenario(counts={"slots": 32}))


def test_the_seed_is_fixed(saving: Sensitivity) -> None:
    assert sensitivity(SAVING, Scenario(counts={"slots": 32})) == saving


def test_what_varies_is_named_with_its_range_and_what_does_not_enter_is_said(saving: Sensitivity) -> None:
    names = {item.name: item for item in saving.indices}
    assert {"cold_search_fraction", "zapping_rate", "slot_compare_cold", MEASURED} <= set(names)
    assert names["zapping_rate"].range == (0.001, 100.0)
    assert (names["zapping_rate"].scale, names["cold_search_fraction"].scale) == ("log", "linear")
    assert "slots" not in names  # it is set
    assert {"fault_rate", "unlink_rate", "bus_devices"} <= set(saving.inert)
    assert not set(names) & set(saving.inert)
    assert any("one input" in note for note in saving.notes)


def test_intervals_hold_their_values_and_a_total_is_no_less_than_a_first_order_index(saving: Sensitivity) -> None:
    for item in saving.indices:
        assert item.first_low <= item.first <= item.first_high
        assert item.total_low <= item.total <= item.total_high
        assert item.total_high >= item.first_low
    assert [item.total for item in saving.indices] == sorted((i.total for i in saving.indices), reverse=True)


def test_a_symbol_that_was_asked_for_and_does_not_enter_has_indices_of_0() -> None:
    found = sensitivity(SAVING, over={"slots": (4, 32), "fault_rate": (1e2, 1e4)})
    (asked,) = [item for item in found.indices if item.name == "fault_rate"]
    assert (asked.first, asked.total, asked.total_high) == (0.0, 0.0, 0.0)
    assert found.inert == ("fault_rate",)


def test_measured_costs_rule_on_a_machine_not_yet_measured_and_not_on_a_known_one() -> None:
    over = {"slots": (4.0, 64.0)}
    known, new = (
        {i.name: i.total for i in sensitivity("cost:v30.ept.mmio", Scenario(machine=name), over=over).indices}
        for name in (KNOWN, "population")
    )
    assert known["slots"] > 0.2
    assert new["slots"] < 0.05 < new[MEASURED]


SMALL = [
    s.name for s in SYMBOLS if s.name in ("guest_levels", "leaf_level", "ad_updates", "missing_levels", "is_write")
]


@settings(max_examples=25, deadline=None)
@given(
    path=st.sampled_from(["v31.ept.mmio_hit", "v31.shadow.mmio_first", "v517.ept.mmio_hit", "v40.ept.mmio_first"]),
    names=st.sets(
        st.sampled_from([*SMALL, "slots", "ram_slot", "mmio_gap", "bus_devices", "bus_position"]), min_size=1
    ),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_point_is_a_scenario_that_the_path_admits(path: str, names: set[str], seed: int) -> None:
    ranges = {"slots": (1, 100), "ram_slot": (1, 100), "mmio_gap": (0, 100), "bus_devices": (1, 90),
              "bus_position": (1, 90), "guest_levels": (0, 5), "leaf_level": (1, 3), "ad_updates": (0, 4),
              "missing_levels": (0, 3), "is_write": (0, 1)}  # fmt: skip
    symbols = [Varied(name, *ranges[name], "1") for name in sorted(names)]
    unit = np.random.default_rng(seed).uniform(size=(len(symbols), 20))
    found = scenarios(path, Scenario(), symbols, unit)
    for point in range(20):
        given_ = {name: int(found[name][point]) for name in names}
        full = resolve(path, given_)
        assert all(full[name] == values[point] for name, values in found.items())
        assert all(ranges[name][0] <= value <= ranges[name][1] for name, value in given_.items())


def test_a_domain_of_single_values_is_sampled_on_them_alone() -> None:
    levels = Varied("guest_levels", 0, 5, "1")
    found = scenarios(PATH, Scenario(), [levels], np.random.default_rng(1).uniform(size=(1, 400)))["guest_levels"]
    values, counts = np.unique(found, return_counts=True)
    assert values.tolist() == [0, 2, 3, 4]
    assert counts.min() > 60


def test_updates_that_zap_stay_a_part_of_all_updates() -> None:
    symbols = varied("v311.ept.mmio_hit", Scenario(after="v311"), {})
    unit = np.random.default_rng(2).uniform(size=(len(symbols), 500))
    found = scenarios("v311.ept.mmio_hit", Scenario(after="v311"), symbols, unit)
    assert (found["zapping_rate"] <= found["generation_rate"]).all()


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"slots": (4, 4)}, "LO below HI"),
        ({"slots": (1.5, 8)}, "whole numbers"),
        ({"cold_search_fraction": (0, 2)}, "within 0 to 1"),
        ({"guest_levels": (1, 1.5)}, "whole numbers"),
        ({"slot": (1, 2)}, "unknown name"),
        ({"hit_fraction": (0, 1), "generation_rate": (0, 1)}, "vary or set one of them"),
        ({"mmio_rate": (1, 2)}, "not both"),
        ({"guest_levels": (5, 9)}, "holds no value"),
    ],
)
def test_a_wrong_range_is_refused(over: dict[str, tuple[float, float]], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        sensitivity(SAVING, Scenario(mix={"mmio_rate": 1e4}), over=over)


def test_a_speed_up_needs_its_transaction_and_room_for_its_savings() -> None:
    with pytest.raises(InvalidInput, match="must be more than its accesses would save"):
        sensitivity("speedup:fast_mmio", Scenario(mix={"cycles_per_transaction": 1e4}))


def test_the_command_prints_a_list_and_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["sensitivity", SAVING, "--set", "slots=32", "--over", "cold_search_fraction=0:1"]
    assert main([*line, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"name", "first", "total", "first_low", "total_high", "version", "evidence"} <= set(document[0])
    assert main(line) == 0
    text = capsys.readouterr().out
    assert "cold_search_fraction" in text and "0 to 1" in text and "one input" in text
    assert main(["sensitivity", SAVING, "--over", "slots=4", "--over", "slot=1:2"]) == 2
    assert "did you mean 'slots'?" in capsys.readouterr().err
