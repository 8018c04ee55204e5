"""Charts of what the evidence determines: a heat map of shares between 0 and 1, and misfit over a held cost.

As in ``charts``: a tidy frame in, an altair chart out, nothing computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmiocost.reporting import chart_parts as parts

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

HIGHEST = 12.0  # misfit at which a curve leaves the chart


def heat_map(frame: pd.DataFrame, *, column: str, row: str, share: str, verdict: str, columns: str) -> alt.Chart:
    """A cell for each pair of ``column`` and ``row``, the darker the larger ``share`` (0 to 1).

    ``verdict`` is what the tooltip says in words and what a reader may hide; ``columns`` is the title below.
    """
    import altair as alt

    data = parts.rounded(frame, [column, row, share, verdict])
    across, down = parts.classes(data, column), parts.classes(data, row)
    chart = (
        alt.Chart(data)
        .transform_filter(parts.shown(verdict))
        .mark_rect(stroke="#80808060", strokeWidth=0.5)
        .encode(
            x=alt.X(
                f"{column}:O",
                sort=across,
                title=columns,
                axis=alt.Axis(labelAngle=-60, labelLimit=260, labelOverlap=False, titleAnchor="end"),
            ),
            y=alt.Y(f"{row}:N", sort=down, title=None, axis=alt.Axis(labelLimit=280)),
            color=alt.Color(
                f"{share}:Q",
                title=parts.spoken(share),
                scale=alt.Scale(domain=[0, 1], scheme="viridis"),
                legend=alt.Legend(orient="top", gradientLength=160, titleLimit=320),
            ),
            tooltip=parts.tips({column: "", row: "", share: "", verdict: ""}),
        )
    )
    said = f"{parts.spoken(share)} of each of {len(down)} costs in each of {len(across)} states, from 0 to 1."
    # Columns need their width: on a narrow screen the figure scrolls within its box.
    sized = chart.properties(width=26 * len(across), height=20 * len(down))
    grey = [parts.UNDECIDED] * len(parts.classes(data, verdict))  # the colours are those of the shares
    return parts.described(sized, said, data, verdict, grey)  # type: ignore[no-any-return]


def profile_curves(frame: pd.DataFrame, *, case: str, bound: float) -> alt.LayerChart:
    """Misfit against a held cost (log axis), a curve for each class of ``case``, and the line of the bound.

    Columns: ``case`` (colour and dash), ``cycles`` and ``misfit``.
    """
    import altair as alt

    data = parts.rounded(frame, [case, "cycles", "misfit"])
    base = (
        alt.Chart(data)
        .transform_filter(parts.shown(case))
        .encode(
            x=alt.X("cycles:Q", title="Cost that is held (cycles)", scale=parts.log_scale()),
            y=alt.Y(
                "misfit:Q", title="Twice the loss of log density", scale=alt.Scale(domain=[0, HIGHEST], clamp=True)
            ),
            color=parts.color(data, case),
        )
    )
    line = base.mark_line(strokeWidth=2, clip=True).encode(strokeDash=parts.dash(data, case))
    points = base.mark_point(filled=True, size=30, clip=True).encode(
        shape=parts.shape(data, case), tooltip=parts.tips({case: "", "cycles": "cycles", "misfit": ""})
    )
    said = (
        f"Twice the loss of log density when a cost is held, against the cost in cycles, for"
        f" {len(parts.classes(data, case))} costs; the line at {bound:g} bounds them."
    )
    chart = (parts.rule_at("y", bound) + line + points).properties(
        width="container", height=parts.PANEL_HEIGHT, autosize={"type": "fit-x", "contains": "padding"}
    )
    return parts.described(chart, said, data, case)  # type: ignore[no-any-return]
