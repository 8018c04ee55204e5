"""Maps of the winning design as charts and as views of any scenario."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmiocost.errors import InvalidInput
from mmiocost.reporting import charts_maps, views
from mmiocost.reporting.display import Figure
from mmiocost.vocabulary import MIX_SYMBOLS, SYMBOLS
from mmiocost.whatif.maps import Axis, winning_map
from mmiocost.whatif.scenario import Scenario

FRAME = pd.DataFrame({
    "slots": [1, 8, 32], "rate": [1.0, 1.0, 10.0], "left": [1.0, 3.0, 16.0], "right": [3.0, 16.0, 32.0],
    "bottom": [1.0, 1.0, 3.0], "top": [3.0, 3.0, 10.0], "winner": ["undecided", "new", "old"],
    "probability": [0.6123456, 0.99, 0.0], "saving": [28.123456, 168.0, -9.0],
})  # fmt: skip
TITLES = {"x": "slots", "y": "rate", "x_title": "Slots", "y_title": "Updates (1/s)", "second": "new", "unit": "cycles"}


def tiles(**options: Any) -> dict[str, Any]:
    return dict(charts_maps.winning_tiles(FRAME, **{**TITLES, **options}).to_dict())


def test_a_map_has_a_tile_a_point_axes_with_units_and_a_text() -> None:
    spec = tiles(x_log=True, y_log=True)
    encoding = spec["encoding"]
    assert (encoding["x"]["title"], encoding["y"]["title"]) == ("Slots", "Updates (1/s)")
    assert (encoding["x"]["scale"]["type"], encoding["y"]["scale"]["type"]) == ("log", "log")
    assert [encoding[name]["field"] for name in ("x", "x2", "y", "y2")] == ["left", "right", "bottom", "top"]
    assert spec["description"] == "Which side wins for each Slots and Updates (1/s): undecided, new, old."
    assert [tip["title"] for tip in encoding["tooltip"]][3:] == [
        "Draws in which new is cheaper", "Saved by new, median (cycles)",
    ]  # fmt: skip
    assert "0.6123456" not in str(spec)


def test_the_undecided_are_grey_and_a_side_has_the_same_colour_in_every_map() -> None:
    shown = tiles()["usermeta"]["filter"]
    colors = dict(zip(shown["values"], shown["colors"], strict=True))
    assert colors == {"undecided": "#B8B8B8", "new": "#0072B2", "old": "#D55E00"}
    only = charts_maps.winning_tiles(FRAME[FRAME["winner"] == "old"], **TITLES).to_dict()
    assert only["usermeta"]["filter"]["colors"] == ["#D55E00"]


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="lacks top"):
        charts_maps.winning_tiles(FRAME.drop(columns="top"), **TITLES)


MAPS = (views.slots_against_updates, views.slots_against_cold_searches, views.faults_against_fills)
SCENARIOS: tuple[dict[str, Any], ...] = (
    {"mode": "shadow", "compare": {"after": "v311"}, "set": {"guest_levels": 2, "generation_rate": "50/s"}},
    {"compare": {"after": "6.8.0-94-generic"}, "set": {"guest_levels": 5, "slots": 32, "mmio_rate": "500/s"}},
    {"machine": "skylake-8160", "state": "a-6.8-off-host", "mode": "nonpaging", "set": {"hit_fraction": 0.5}},
)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_views_take_any_scenario(scenario: dict[str, Any]) -> None:
    """Both sides of each tile's values lie within it, and all tiles together leave no gap."""
    for view in MAPS:
        shown = view(scenario)
        assert isinstance(shown, Figure) and shown.rows
        (data,) = shown.spec["datasets"].values()
        frame = pd.DataFrame(data)
        assert (frame["left"] < frame["right"]).all() and (frame["bottom"] < frame["top"]).all()
        assert set(frame["left"]) - {frame["left"].min()} == set(frame["right"]) - {frame["right"].max()}


def test_break_even_tables_name_every_variable_once_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmiocost.whatif.breakeven.closed_form", lambda *_: None)  # some seconds of SymPy
    scenario = {"mode": "nonpaging", "set": {"hit_fraction": 0.5}}
    pays, switch, mute = views.break_even_tables(scenario)
    for table, row in zip((pays, switch), mute.rows, strict=True):
        named = [str(item[0]) for item in table.rows] + str(row[1]).split(", ")
        assert sorted(named) == sorted(item.name for item in (*SYMBOLS, *MIX_SYMBOLS))


def test_a_tile_says_what_the_map_says() -> None:
    (data,) = views.slots_against_cold_searches({}).spec["datasets"].values()
    for row in (data[0], data[700], data[-1]):
        x, y = (Axis(name, np.array([float(row[name])])) for name in ("slots", "cold_search_fraction"))
        known = winning_map(x, y, ("before", "after"), Scenario())
        assert row["probability"] == pytest.approx(known.shares[1][0, 0], abs=2e-3)
        assert row["saving"] == pytest.approx(known.savings[0][0, 0], rel=2e-3)


def test_a_wrong_scenario_is_refused_with_all_that_is_wrong() -> None:
    with pytest.raises(InvalidInput) as caught:
        views.slots_against_updates({"mode": "npt", "set": {"slot": 3}})
    assert [problem.field for problem in caught.value.problems] == ["mode", "slot"]
