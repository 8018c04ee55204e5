"""The charts of what the evidence determines: valid, described, filterable, no digit too many."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from samples import HOSTILE

from mmiocost.reporting import charts_identifiability as charts

CELLS = {
    "state": ["now", HOSTILE], "cost": ["exit", HOSTILE], "hidden": [0.123456, 1.0], "verdict": ["identified", "prior"],
}  # fmt: skip
CHARTS: dict[str, tuple[Callable[..., Any], dict[str, list[Any]], dict[str, Any]]] = {
    "heat_map": (
        charts.heat_map,
        CELLS,
        {"column": "state", "row": "cost", "share": "hidden", "verdict": "verdict", "columns": "State"},
    ),
    "profile_curves": (
        charts.profile_curves,
        {"cost": ["exit", HOSTILE], "cycles": [10.0, 100.0], "misfit": [0.123456, 3.0]},
        {"case": "cost", "bound": 2.71},
    ),
}


@pytest.fixture(params=CHARTS)
def case(request: pytest.FixtureRequest) -> tuple[Callable[..., Any], pd.DataFrame, dict[str, Any]]:
    make, columns, options = CHARTS[request.param]
    return make, pd.DataFrame(columns), options


def test_a_chart_is_valid_described_filterable_and_rounded(case: tuple[Any, pd.DataFrame, dict[str, Any]]) -> None:
    """``to_dict`` checks against the schema of Vega-Lite."""
    make, frame, options = case
    spec = make(frame, **options).to_dict()
    assert spec["description"].endswith(".")
    shown = spec["usermeta"]["filter"]
    assert len(shown["values"]) == len(shown["colors"]) == 2
    assert [param["name"] for param in spec["params"]] == [shown["param"]]
    assert "0.123456" not in json.dumps(spec)


def test_a_chart_says_which_column_is_missing(case: tuple[Any, pd.DataFrame, dict[str, Any]]) -> None:
    make, frame, options = case
    with pytest.raises(ValueError, match="lacks"):
        make(frame.drop(columns=frame.columns[0]), **options)
