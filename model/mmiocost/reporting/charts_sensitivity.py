"""A chart of Sobol indices: a tidy frame in, an altair chart out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmiocost.reporting import chart_parts as parts

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd


def index_bars(frame: pd.DataFrame, *, kind: str = "index") -> alt.LayerChart:
    """Shares of a variance by input, the largest on top: two bars each, with their intervals.

    Columns: ``input``, ``index`` (or the column named so, for example alone and with interactions), ``value``,
    ``low`` and ``high``, shares of 1. Raises ValueError for a missing column.
    """
    import altair as alt

    data = parts.rounded(frame, ["input", kind, "value", "low", "high"])
    inputs, kinds = parts.classes(data, "input"), parts.classes(data, kind)
    y = alt.Y("input:N", sort=inputs, title=None, axis=alt.Axis(labelLimit=200, grid=True))
    base = alt.Chart(data).transform_filter(parts.shown(kind)).encode(y=y, yOffset=alt.YOffset(f"{kind}:N", sort=kinds))
    axis = alt.X("value:Q", title="Share of the variance (1)")
    tips = parts.tips({"input": "", kind: "", "value": "", "low": "", "high": ""})
    bars = base.mark_bar(height={"band": 0.8}).encode(x=axis, color=parts.color(data, kind), tooltip=tips)
    ends = base.mark_rule(strokeWidth=1.5).encode(x="low:Q", x2="high:Q", tooltip=tips)
    chart: Any = alt.layer(bars, ends).properties(
        width="container",
        height=parts.ROW_HEIGHT * len(kinds) * len(inputs),
        autosize={"type": "fit-x", "contains": "padding"},
    )
    said = f"Share of the variance by input with its 95 % interval: {', '.join(inputs)}."
    return parts.described(chart, said, data, kind)  # type: ignore[no-any-return]
