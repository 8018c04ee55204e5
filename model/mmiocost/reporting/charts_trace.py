"""Charts of a recording: a tidy frame in, an altair chart out, nothing computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmiocost.reporting import chart_parts as parts

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

_WIDE = {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}}


def share_bars(frame: pd.DataFrame, *, name: str, group: str, said: str) -> alt.Chart:
    """Shares of each ``name`` by ``group``, the bars of one name side by side.

    Columns: ``name`` and ``group`` (the columns named so) and ``share``, in percent.
    """
    import altair as alt

    data = parts.rounded(frame, [name, group, "share"])
    names, groups = parts.classes(data, name), parts.classes(data, group)
    chart = (
        alt.Chart(data)
        .transform_filter(parts.shown(group))
        .mark_bar()
        .encode(
            x=alt.X("share:Q", title="Share (%)"),
            y=alt.Y(f"{name}:N", sort=names, title=None, axis=alt.Axis(labelLimit=200)),
            yOffset=alt.YOffset(f"{group}:N", sort=groups),
            color=parts.color(data, group),
            tooltip=parts.tips({name: "", group: "", "share": "%"}),
        )
    )
    height = max(60, parts.ROW_HEIGHT * len(groups) * len(names))
    return parts.described(chart.properties(height=height, **_WIDE), said, data, group)  # type: ignore[no-any-return]


def stacked_bars(frame: pd.DataFrame, *, name: str, group: str, value: str, said: str) -> alt.Chart:
    """A ``value`` of each ``name``, its parts by ``group`` behind each other. Columns: those named so."""
    import altair as alt

    data = parts.rounded(frame, [name, group, value])
    names = parts.classes(data, name)
    chart = (
        alt.Chart(data)
        .transform_filter(parts.shown(group))
        .mark_bar(stroke="#80808080", strokeWidth=0.5)
        .encode(
            x=alt.X(f"{value}:Q", title=f"{parts.spoken(value)} (1)", axis=alt.Axis(format=",~f")),
            y=alt.Y(f"{name}:N", sort=names, title=None, axis=alt.Axis(labelLimit=200)),
            color=parts.color(data, group),
            tooltip=parts.tips({name: "", group: "", value: ""}),
        )
    )
    height = max(60, parts.ROW_HEIGHT * len(names))
    return parts.described(chart.properties(height=height, **_WIDE), said, data, group)  # type: ignore[no-any-return]


def rate_lines(frame: pd.DataFrame, *, group: str, time_unit: str, rate_unit: str, said: str) -> alt.Chart:
    """Exits a second over the recording, a line of steps for each class.

    Columns: ``time`` in ``time_unit``, ``group`` (or the column named so) and ``rate`` in ``rate_unit``.
    """
    import altair as alt

    data = parts.rounded(frame, ["time", group, "rate"])
    chart = (
        alt.Chart(data)
        .transform_filter(parts.shown(group))
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X("time:Q", title=f"Time from the first event ({time_unit})", scale=alt.Scale(nice=False)),
            y=alt.Y("rate:Q", title=f"Exits ({rate_unit})", axis=alt.Axis(format=",~f")),
            color=parts.color(data, group),
            strokeDash=parts.dash(data, group),
            tooltip=parts.tips({"time": time_unit, group: "", "rate": rate_unit}),
        )
    )
    sized = chart.properties(height=parts.PANEL_HEIGHT, **_WIDE)
    return parts.described(sized, said, data, group)  # type: ignore[no-any-return]


def tails(frame: pd.DataFrame, *, group: str, unit: str, said: str) -> alt.Chart:
    """Share of exits that take a time or longer, both axes logarithmic, so that the tail is seen.

    Columns: ``duration`` in ``unit``, ``group`` (or the column named so), ``longer`` (share above 0, in percent).
    """
    import altair as alt

    data = parts.rounded(frame, ["duration", group, "longer"])
    chart: Any = (
        alt.Chart(data)
        .transform_filter(parts.shown(group))
        .mark_line(strokeWidth=2, point={"filled": True, "size": 30})
        .encode(
            x=alt.X("duration:Q", title=f"Time in the handler ({unit})", scale=parts.log_scale()),
            y=alt.Y("longer:Q", title="Exits that take so long or longer (%)", scale=parts.log_scale()),
            color=parts.color(data, group),
            strokeDash=parts.dash(data, group),
            order="longer:Q",
            tooltip=parts.tips({group: "", "duration": unit, "longer": "%"}),
        )
    )
    sized = chart.properties(height=parts.PANEL_HEIGHT + 40, **_WIDE)
    return parts.described(sized, said, data, group)  # type: ignore[no-any-return]
