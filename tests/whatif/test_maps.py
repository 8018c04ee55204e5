"""Maps of the winning design: the same as answers point by point, and their edges are break-evens."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from made_up import Costs

from mmiocost.errors import InvalidInput
from mmiocost.fitting.prediction import weighted_costs
from mmiocost.fitting.store import current_fit
from mmiocost.whatif import maps
from mmiocost.whatif.breakeven import breakeven
from mmiocost.whatif.differences import set_to
from mmiocost.whatif.maps import SURE, Axis, WinningMap, axis, winning_map
from mmiocost.whatif.predict import predict
from mmiocost.whatif.scenario import Scenario
from mmiocost.whatif.terms import by_parameter, design_terms

PAY, REGRESS = ("before", "after"), ("no-bypass", "bypass")
CHURN = Scenario(after="v311", counts={"mmio_cached": 1})
KNOWN = "skylake-8160/a-6.8-off-host"


def costs_at(design: str, scenario: Scenario) -> np.ndarray:
    fit = current_fit()
    return weighted_costs(fit, by_parameter(design_terms(design, scenario)[0], scenario, fit))


def at_point(found: WinningMap, scenario: Scenario, place: tuple[int, int]) -> Scenario:
    inside = set_to(scenario, found.x.name, found.x.values[place[0]])
    return set_to(inside, found.y.name, found.y.values[place[1]])


@pytest.mark.parametrize(
    ("x", "y", "between", "scenario"),
    [
        (axis("slots", (1, 512), 9), axis("generation_rate", (1, 1e5), 7, log=True), PAY, CHURN),
        (axis("slots", (1, 512), 6), axis("hit_fraction", (0, 1), 5), PAY, Scenario(after="v517")),
        (axis("guest_levels", (2, 4), 3), axis("leaf_level", (1, 3), 3), PAY, Scenario(mode="shadow")),
        (axis("slots", (1, 5), 5), axis("ram_slot", (1, 5), 5), ("before", "after", "unified"), Scenario()),
        (axis("true_fault_fraction", count=5), axis("fill_rate", count=6, log=True), REGRESS, Scenario()),
        (axis("unlink_rate", (0, 1e4), 4), axis("userspace_fraction", count=3), ("after", "unified"), Scenario()),
        (axis("retries", (0, 9), 4), axis("missing_levels", (0, 3), 4), ("after", "unified"), Scenario()),
    ],
)
def test_a_point_of_a_map_is_what_its_scenario_alone_gives(
    x: Axis, y: Axis, between: tuple[str, ...], scenario: Scenario
) -> None:
    """Shares and medians of all points, evaluated one scenario at a time, in Python numbers."""
    found = winning_map(x, y, between, scenario)
    for place in np.ndindex(found.winners.shape):
        if np.isnan(found.shares[0][place]):
            with pytest.raises(InvalidInput):
                [costs_at(design, at_point(found, scenario, place)) for design in between]
            continue
        costs = np.array([costs_at(design, at_point(found, scenario, place)) for design in between])
        assert found.savings[(slice(None), *place)] == pytest.approx(np.median(costs[0] - costs[1:], axis=1), abs=1e-4)
        lowest = (costs == costs.min(axis=0)) & ((costs == costs.min(axis=0)).sum(axis=0) == 1)
        assert found.shares[(slice(None), *place)] == pytest.approx(lowest.mean(axis=1), abs=0.0021)


def test_a_map_of_savings_agrees_with_predictions() -> None:
    found = winning_map(Axis("slots", np.array([8.0, 117.0])), Axis("hit_fraction", np.array([0.5, 1.0])), PAY)
    for place in np.ndindex(found.winners.shape):
        one = predict("saving:fast_mmio", at_point(found, Scenario(), place))
        assert found.savings[0][place] == pytest.approx(one.value)
        assert found.shares[1][place] == pytest.approx(one.probability_positive)


def test_the_edges_of_the_undecided_band_are_the_break_even_and_its_interval() -> None:
    """Along each line of the map: half of the draws at the break-even, 97.5 % at the ends of its interval."""
    fine = axis("true_fault_fraction", (0, 1), 2001)
    fills = Axis("fill_rate", np.array([10.0, 500.0, 2000.0]))
    found = winning_map(fills, fine, REGRESS)
    for place, rate in enumerate(fills.values):
        (crossing,) = breakeven("true_fault_fraction", REGRESS, Scenario(mix={"fill_rate": float(rate)})).crossings
        expected = (crossing.low, crossing.value, crossing.high)
        for share, edge in zip((1 - SURE, 0.5, SURE), expected, strict=True):
            inside = fine.values[found.shares[1][place] >= share]
            assert edge is not None and inside[0] == pytest.approx(edge, abs=2e-3)


def test_the_edge_over_a_count_is_its_break_even() -> None:
    scenario = Scenario(counts={"slots": 8})
    found = winning_map(axis("slots", (1, 512), 512), Axis("cold_search_fraction", np.array([0.0, 0.1])),
                        ("after", "unified"), scenario)  # fmt: skip
    (crossing,) = breakeven("slots", ("after", "unified"), scenario).crossings
    cheaper = found.x.values[found.savings[0][:, 0] > 0]
    assert cheaper[-1] + 1 == crossing.value


def test_a_known_machine_has_a_map_of_its_own() -> None:
    x, y = axis("slots", (8, 32), 2), axis("hit_fraction", (0.5, 1), 2)
    found = winning_map(x, y, PAY, Scenario(machine=KNOWN))
    assert (found.machine, found.interval) == (KNOWN, "known_machine")
    assert not np.array_equal(found.savings, winning_map(x, y, PAY).savings)


# --- by costs made for it ---------------------------------------------------------------------------------------


def made(monkeypatch: pytest.MonkeyPatch, costs: Any, *question: Any) -> WinningMap:
    monkeypatch.setattr(maps, "current_fit", lambda _: costs)
    return winning_map(*question)


def test_winner_band_and_tie_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """A miss costs n and a bus search b, with compares of a slot at 1, in 20 draws of 1000 at 5."""
    usual, rare = {"slot_compare": 1.0, "io_bus_compare": 1.0}, {"slot_compare": 5.0, "io_bus_compare": 1.0}
    x, y = Axis("slots", np.array([2.0, 4.0, 8.0])), Axis("bus_position", np.array([1.0, 4.0, 6.0]))
    costs, designs = Costs.of(*[usual] * 980, *[rare] * 20), ("v30.slot.miss", "v30.bus.hit")
    found = made(monkeypatch, costs, x, y, designs, Scenario(counts={"bus_devices": 6}))
    assert found.winners.tolist() == [[1, 0, 0], [1, -1, 0], [1, 1, 1]]
    assert found.shares[0].tolist() == [[0, 0.98, 0.98], [0, 0, 0.98], [0, 0, 0]]  # at 4 of 4 most draws tie
    assert found.shares[1].tolist() == [[1, 0.02, 0.02], [1, 0.02, 0.02], [1, 1, 1]]
    assert found.savings[0].tolist() == [[1, -2, -4], [3, 0, -2], [7, 4, 2]]
    expected = {"v30.slot.miss": 3 / 9, "v30.bus.hit": 5 / 9, "undecided": 1 / 9, "not admitted": 0}
    assert found.areas() == pytest.approx(expected)


def test_of_three_designs_the_cheapest_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A miss costs n, a hit i, a bus search b: the smallest of the three; where two tie, none."""
    x, y = Axis("slots", np.array([5.0, 9.0])), Axis("bus_position", np.array([2.0, 5.0, 7.0]))
    asked = Scenario(counts={"bus_devices": 9, "ram_slot": 5})
    designs = ("v30.slot.miss", "v30.slot.hit", "v30.bus.hit")
    found = made(monkeypatch, Costs(slot_compare=1.0, io_bus_compare=1.0), x, y, designs, asked)
    assert found.winners.tolist() == [[2, -1, -1], [2, -1, 1]]
    assert found.savings.tolist() == [[[0, 0, 0], [4, 4, 4]], [[3, 0, -2], [7, 4, 2]]]


def test_an_odd_number_of_draws_has_its_middle_one(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = Costs.of(*({"slot_compare": value} for value in (5.0, 1.0, 2.0)))
    x, y = Axis("slots", np.array([3.0, 7.0])), Axis("cold_search_fraction", np.array([0.0, 0.0]))
    found = made(monkeypatch, costs, x, y, ("v30.slot.miss", "v30.slot.hit"))
    assert found.savings[0].tolist() == [[4, 4], [12, 12]]


def test_points_that_the_designs_do_not_admit_are_marked() -> None:
    found = winning_map(axis("slots", (1, 4), 4), axis("ram_slot", (1, 4), 4), PAY)
    assert np.isnan(found.shares[0]).tolist() == [[rank > slots for rank in range(1, 5)] for slots in range(1, 5)]
    assert found.areas()["not admitted"] == 6 / 16
    rates = winning_map(axis("zapping_rate", (1, 3), 3), axis("generation_rate", (1, 3), 3), PAY)
    assert np.isnan(rates.shares[0]).tolist() == [[False] * 3, [True, False, False], [True, True, False]]


def test_a_map_as_columns_has_a_row_for_each_point() -> None:
    rows = winning_map(axis("slots", (1, 4), 4), axis("ram_slot", (1, 4), 4), PAY).rows()
    assert list(rows) == ["slots", "ram_slot", "winner", "share_before", "share_after", "saving_after"]
    assert {len(column) for column in rows.values()} == {16}
    assert [rows[name][1] for name in ("slots", "ram_slot", "winner")] == [1, 2, "not admitted"]


# --- axes and what is refused -------------------------------------------------------------------------------------


def test_axes_are_even_logarithmic_or_whole() -> None:
    assert axis("hit_fraction", (0, 1), 5).values.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert axis("mmio_rate", (1, 1e4), 5, log=True).values == pytest.approx([1, 10, 100, 1000, 1e4])
    assert axis("slots", (1, 16), 60, log=True).values.tolist() == [*range(1, 17)]
    assert axis("slots").values[[0, -1]].tolist() == [1, 512] and axis("fill_rate").unit == "1/s"


@pytest.mark.parametrize(
    ("ask", "line"),
    [
        (lambda: winning_map(axis("slots"), axis("slots"), PAY), "slots: is on both axes"),
        (lambda: winning_map(axis("hit_fraction"), axis("generation_rate"), PAY), "hit_fraction, generation"),
        (lambda: winning_map(axis("slots"), axis("mmio_rate"), ("after",)), "--between: after: must be two or more"),
        (lambda: winning_map(axis("slots"), axis("mmio_rate"), ("after", "bypass")), "--between: design=bypass: costs"),
        (lambda: winning_map(axis("slots"), axis("mmio_rate"), ("afte", "before")), "--between: design=afte: must be"),
        (lambda: winning_map(axis("slots"), axis("bypass"), PAY, Scenario(after="v30")), "after=v30"),
        (lambda: winning_map(Axis("slots", np.array([1.0, 2.0])), axis("mmio_rate"), PAY,
                             Scenario(counts={"ram_slot": 9})), "--set: ram_slot=9: must be 1"),
        (lambda: axis("slot"), "variable=slot: unknown name; did you mean 'slots'?"),
        (lambda: axis("hit_fraction", (0, 2)), "--range: hit_fraction=0:2: must lie within 0 to 1"),
        (lambda: axis("hit_fraction", (0, 1), log=True), "hit_fraction=0:1:log: must begin above 0"),
    ],
)  # fmt: skip
def test_what_can_not_be_mapped_is_refused(ask: Any, line: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        ask()
    assert str(caught.value).startswith(line)
