"""The chart of Sobol indices: what it shows, for readers who do not see it too."""

from __future__ import annotations

import pandas as pd
import pytest
from samples import HOSTILE

from mmiocost.reporting.charts_sensitivity import index_bars

ROWS = {
    "input": ["slots", "slots", HOSTILE, HOSTILE], "index": ["alone", "with others"] * 2,
    "value": [0.7, 0.9, 0.01, 0.2], "low": [0.6, 0.8, -0.01, 0.1], "high": [0.8, 1.0, 0.03, 0.3],
}  # fmt: skip


def test_inputs_keep_their_order_and_both_indices_have_bars_with_intervals() -> None:
    spec = index_bars(pd.DataFrame(ROWS)).to_dict()
    bars, ends = spec["layer"]
    assert bars["encoding"]["y"]["sort"] == ["slots", HOSTILE]
    assert bars["encoding"]["x"]["title"] == "Share of the variance (1)"
    assert (ends["encoding"]["x"]["field"], ends["encoding"]["x2"]["field"]) == ("low", "high")
    assert "slots" in spec["description"]
    assert spec["usermeta"]["filter"]["values"] == ["alone", "with others"]


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="lacks high"):
        index_bars(pd.DataFrame(ROWS).drop(columns="high"))
