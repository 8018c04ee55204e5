from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from samples import HOSTILE

from mmiocost.reporting import charts
from mmiocost.reporting.display import MEDIA_TYPE, VEGA_LITE, figure, table

INTERVALS = {"value": [2.123456, math.nan], "low": [1.0, 0.5], "high": [3.0, 9.0]}
FITTED = {"label": ["a", HOSTILE], "group": ["g", HOSTILE], "measured": [10.0, 2000.0], "fitted": [11.0, 1800.0]}

CHARTS: dict[str, tuple[Callable[..., Any], dict[str, list[Any]], dict[str, Any]]] = {
    "measured_against_fitted": (
        charts.measured_against_fitted,
        {**FITTED, "low": [9.0, 1500.0], "high": [12.0, 2100.0], "ratio": [0.9, 1.1]},
        {"unit": "cycles"},
    ),
    "residuals": (charts.residuals, {**FITTED, "ratio": [0.9, 1.1]}, {"unit": "cycles"}),
    "parameter_intervals": (
        charts.parameter_intervals,
        {"name": ["a", HOSTILE], "kind": ["measured", "prior-bounded"], **INTERVALS},
        {"unit": "cycles"},
    ),
    "workload_pairs": (
        charts.workload_pairs,
        {"pair": ["v1", "v1"], "method": ["paired t", "pooled t"], **INTERVALS},
        {},
    ),
    "saving_vs_slots": (charts.saving_vs_slots, {"slots": [8, 32], "case": ["EPT store", HOSTILE], **INTERVALS}, {}),
    "breakeven_map": (
        charts.breakeven_map,
        {"slots": [8, 32], "rate": [1.0, 10.0], "winner": ["fast MMIO", "undecided"], "probability": [0.9, 0.5]},
        {"x": "slots", "y": "rate"},
    ),
    "cost_stack": (charts.cost_stack, {"path": ["p", "p"], "event": ["exit", HOSTILE], "cost": [1.0, 2.0]}, {}),
}


@pytest.fixture(params=CHARTS)
def case(request: pytest.FixtureRequest) -> tuple[Callable[..., Any], pd.DataFrame, dict[str, Any]]:
    make, columns, options = CHARTS[request.param]
    return make, pd.DataFrame(columns), options


def test_every_chart_is_valid_described_and_filterable(case: tuple[Any, pd.DataFrame, dict[str, Any]]) -> None:
    """``to_dict`` checks against the schema of Vega-Lite."""
    make, frame, options = case
    spec = make(frame, **options).to_dict()
    assert spec["description"].endswith(".")
    shown = spec["usermeta"]["filter"]
    assert len(shown["values"]) == len(shown["colors"]) >= 1
    assert [param["name"] for param in spec["params"]] == [shown["param"]]
    assert "background" not in spec


def test_every_axis_of_a_chart_has_a_title_or_names(case: tuple[Any, pd.DataFrame, dict[str, Any]]) -> None:
    make, frame, options = case
    for encoding in _encodings(make(frame, **options).to_dict()):
        for channel in ("x", "y"):
            axis = encoding.get(channel, {})
            if "scale" in axis or axis.get("type") == "ordinal":
                assert axis.get("title")


def test_a_chart_carries_no_more_digits_than_are_shown(case: tuple[Any, pd.DataFrame, dict[str, Any]]) -> None:
    make, frame, options = case
    assert "2.123456" not in json.dumps(make(frame, **options).to_dict())


def test_a_chart_says_which_column_is_missing(case: tuple[Any, pd.DataFrame, dict[str, Any]]) -> None:
    make, frame, options = case
    with pytest.raises(ValueError, match="lacks"):
        make(frame.drop(columns=frame.columns[0]), **options)


def test_an_undecided_class_is_grey() -> None:
    make, columns, options = CHARTS["breakeven_map"]
    shown = make(pd.DataFrame(columns), **options).to_dict()["usermeta"]["filter"]
    assert dict(zip(shown["values"], shown["colors"], strict=True))["undecided"] == "#B8B8B8"


def test_a_figure_bundles_chart_sentence_and_rows() -> None:
    make, columns, options = CHARTS["saving_vs_slots"]
    bundle = figure(make(pd.DataFrame(columns), **options), title="What it shows", see="Look here.")._repr_mimebundle_()
    said = bundle[MEDIA_TYPE]
    assert (said["see"], said["columns"]) == ("Look here.", ["slots", "case", "value", "low", "high"])
    assert said["rows"] == [[8, "EPT store", 2.123, 1.0, 3.0], [32, HOSTILE, None, 0.5, 9.0]]
    assert bundle[VEGA_LITE]["$schema"].startswith("https://vega.github.io/schema/vega-lite/v6")
    json.dumps(bundle, allow_nan=False)


def test_a_table_keeps_integers_and_escapes_text() -> None:
    frame = pd.DataFrame({"case": [HOSTILE], "n": [123456], "share": [0.123456], "gone": [math.nan]})
    bundle = table(frame, "Caption")._repr_mimebundle_()
    assert bundle[MEDIA_TYPE]["rows"] == [[HOSTILE, 123456, 0.1235, None]]
    assert "<script" not in bundle["text/html"]


def _encodings(spec: Any) -> list[dict[str, Any]]:
    if isinstance(spec, dict):
        own = [spec["encoding"]] if "encoding" in spec else []
        return own + [found for value in spec.values() for found in _encodings(value)]
    if isinstance(spec, list):
        return [found for value in spec for found in _encodings(value)]
    return []
