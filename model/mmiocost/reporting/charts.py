"""Charts: a tidy frame in, an altair chart out. Nothing is computed here but the rounding to digits shown.

Colour never stands alone: a shape, a dash or a place goes with it. The page that holds a chart sets the colour
of its text and its width, so a chart carries neither. Every function raises ValueError for a missing column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmiocost.reporting import chart_parts as parts

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd


def measured_against_fitted(
    frame: pd.DataFrame, *, unit: str, group: str = "group", fitted: str = "fitted"
) -> alt.VConcatChart:
    """Fitted against measured values on log axes with the line of equality, and the ratio of both below.

    Columns: ``label``, ``group`` (or the column named so; colour), ``measured``, ``fitted`` (or the column named
    so, for example predicted), ``low`` and ``high`` (an interval of the fitted value), all in ``unit``, and
    ``ratio`` = measured / fitted.
    """
    import altair as alt

    data = parts.rounded(frame, ["label", group, "measured", fitted, "low", "high", "ratio"])
    color, scale = parts.color(data, group), parts.log_scale()
    x = alt.X("measured:Q", title=f"Measured ({unit})", scale=scale)
    base = alt.Chart(data).transform_filter(parts.shown(group)).encode(x=x, color=color)
    points = base.mark_point(filled=True, size=55, opacity=0.9).encode(
        y=alt.Y(f"{fitted}:Q", title=f"{parts.spoken(fitted)} ({unit})", scale=scale),
        shape=parts.shape(data, group),
        tooltip=parts.tips({"label": "", group: "", "measured": unit, fitted: unit, "low": unit, "high": unit}),
    )
    bars = base.mark_rule(strokeWidth=1.5, opacity=0.6).encode(y="low:Q", y2="high:Q")
    equality = alt.Chart(data).mark_line(strokeDash=[5, 4], opacity=0.7, color="#7F7F7F").encode(x=x, y="measured:Q")
    above = (equality + bars + points).properties(height=parts.PANEL_HEIGHT)
    name = parts.spoken(fitted)
    return parts.described(  # type: ignore[no-any-return]
        alt.vconcat(above, _ratio_panel(data, "measured", f"Measured ({unit})", group, fitted)),
        f"{name} against measured values in {unit} with the line of equality, and the ratio of both below.",
        data,
        group,
    )


def residuals(frame: pd.DataFrame, *, unit: str, group: str = "group") -> alt.LayerChart:
    """Ratio of measured to fitted value of each observation, around one.

    Columns: ``label``, ``group`` (or the column named so), ``fitted`` in ``unit``, ``ratio``.
    """
    data = parts.rounded(frame, ["label", group, "fitted", "ratio"])
    panel = _ratio_panel(data, "fitted", f"Fitted ({unit})", group).properties(width="container")
    said = "Ratio of measured to fitted value of each observation, around one."
    return parts.described(panel, said, data, group)  # type: ignore[no-any-return]


def parameter_intervals(
    frame: pd.DataFrame, *, unit: str, kind: str = "kind", of: str = "primitive event"
) -> alt.LayerChart:
    """Each parameter (``of`` names them) with its interval on a log axis; a bound has an interval without a point.

    Columns: ``name``, ``value`` (missing where there is only a bound), ``low``, ``high`` in ``unit``, and
    ``kind`` (or the column named so), for example measured and prior-bounded: colour and shape.
    """
    import altair as alt

    axis = alt.X("low:Q", title=f"Cost ({unit})", scale=parts.log_scale())
    said = f"Cost of each {of} in {unit} with its 95 % interval."
    return _intervals(frame, "name", kind, axis, unit, said)


def workload_pairs(frame: pd.DataFrame, *, unit: str = "%", group: str = "method") -> alt.LayerChart:
    """Gain of each before-after pair with its interval by each method, and the line of no gain.

    Columns: ``pair``, ``method`` (or the column named so), ``value``, ``low``, ``high`` in ``unit``.
    """
    import altair as alt

    said = f"Gain of each workload pair in {unit} with its 95 % interval, by method."
    return _intervals(frame, "pair", group, alt.X("low:Q", title=f"Gain ({unit})"), unit, said, rule=0.0)


def saving_vs_slots(
    frame: pd.DataFrame,
    *,
    unit: str = "cycles",
    case: str = "case",
    variable: str = "slots",
    quantity: str = "Saving per access",
    log: bool = True,
) -> alt.LayerChart:
    """A quantity against the slot count: median line and 95 % band for each case.

    Columns: ``slots`` (or ``variable``), ``case`` (or the column named so), ``value``, ``low``, ``high`` in
    ``unit``. ``log`` makes both axes logarithmic, the vertical one such that values at and below zero fit.
    """
    import altair as alt

    data = parts.rounded(frame, [variable, case, "value", "low", "high"])
    color = parts.color(data, case)
    scale = alt.Scale(type="log", base=2, nice=False) if log else alt.Scale(nice=False, zero=False)
    decades = [sign * 10**power for power in range(2, 9) for sign in (-1, 1)]
    vertical: dict[str, Any] = {
        "title": f"{quantity} ({unit})",
        "scale": alt.Scale(type="symlog", constant=100, nice=False) if log else alt.Scale(),
        "axis": alt.Axis(format=",~f", values=[0, *decades]) if log else alt.Axis(format=","),
    }
    x = alt.X(f"{variable}:Q", title=parts.spoken(variable), scale=scale)
    base = alt.Chart(data).transform_filter(parts.shown(case)).encode(x=x, color=color)
    y = alt.Y("value:Q", **vertical)
    band = base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q", **vertical), y2="high:Q")
    line = base.mark_line(strokeWidth=2.5).encode(y=y, strokeDash=parts.dash(data, case))
    tips = parts.tips({variable: "", case: "", "value": unit, "low": unit, "high": unit})
    points = base.mark_point(filled=True, size=45).encode(y=y, tooltip=tips)
    chart = band + parts.rule_at("y", 0) + line + points
    said = f"{quantity} in {unit} against {parts.spoken(variable).lower()}: median and 95 % band by {case}."
    return parts.described(_wide(chart, parts.PANEL_HEIGHT + 40), said, data, case)  # type: ignore[no-any-return]


def breakeven_map(frame: pd.DataFrame, *, x: str, y: str, winner: str = "winner") -> alt.Chart:
    """Which side wins over two variables: a cell for each pair of their values.

    Columns: the two variables, ``winner`` (or the column named so; a class whose name starts with
    ``undecided`` is grey), and if there, ``probability``, which the tooltip shows.
    """
    import altair as alt

    data = parts.rounded(frame, [x, y, winner])
    names = parts.classes(data, winner)
    free = iter(parts.PALETTE * len(names))
    palette = [parts.UNDECIDED if name.lower().startswith("undecided") else next(free) for name in names]
    shown = {x: "", y: "", winner: ""} | ({"probability": ""} if "probability" in data.columns else {})
    axis = alt.Axis(format=",~f", labelOverlap=True, grid=False, labelAngle=0)
    chart = (
        alt.Chart(data)
        .transform_filter(parts.shown(winner))
        .mark_rect()
        .encode(
            x=alt.X(f"{x}:O", title=parts.spoken(x), axis=axis),
            y=alt.Y(f"{y}:O", title=parts.spoken(y), sort="descending", axis=axis),
            color=alt.Color(f"{winner}:N", title=None, scale=alt.Scale(domain=names, range=palette)),
            tooltip=parts.tips(shown),
        )
    )
    said = f"Which side wins for each {parts.spoken(x).lower()} and {parts.spoken(y).lower()}: {', '.join(names)}."
    return parts.described(_wide(chart, parts.PANEL_HEIGHT + 40), said, data, winner, palette)  # type: ignore[no-any-return]


def cost_stack(frame: pd.DataFrame, *, unit: str = "cycles") -> alt.Chart:
    """What an access costs on each path, split by event. Columns: ``path``, ``event``, ``cost`` in ``unit``.

    Paths and events keep the order of the frame. At most six events have colours of their own.
    """
    import altair as alt

    data = parts.rounded(frame, ["path", "event", "cost"])
    paths = parts.classes(data, "path")
    chart = (
        alt.Chart(data)
        .transform_filter(parts.shown("event"))
        .mark_bar(stroke="#80808080", strokeWidth=0.5)
        .encode(
            x=alt.X("cost:Q", title=f"Cost of one access ({unit})", axis=alt.Axis(format=",~f")),
            y=alt.Y("path:N", sort=paths, title=None, axis=alt.Axis(labelLimit=180)),
            color=parts.color(data, "event"),
            order=alt.Order("color_event_sort_index:Q"),
            tooltip=parts.tips({"path": "", "event": "", "cost": unit}),
        )
    )
    said = f"Cost of one access on each path in {unit}, split by primitive event."
    height = max(90, 2 * parts.ROW_HEIGHT * len(paths))
    return parts.described(_wide(chart, height), said, data, "event")  # type: ignore[no-any-return]


def sequence(frame: pd.DataFrame) -> alt.LayerChart:
    """Steps from top to bottom, each in the lane of the actor that makes it, joined in their order.

    Columns: ``step`` (number from 1), ``actor`` and ``text`` (what is done).
    """
    import altair as alt

    data = frame[["step", "actor", "text"]].copy()
    data["label"] = [f"{step}. {text}" for step, text in zip(data["step"], data["text"], strict=True)]
    lanes = parts.classes(data, "actor")
    x = alt.X("actor:N", sort=lanes, title=None, axis=alt.Axis(orient="top", labelAngle=0, labelLimit=140))
    y = alt.Y("label:N", sort=list(data["label"]), title=None, axis=alt.Axis(labelLimit=330, grid=True))
    base = alt.Chart(data).encode(x=x, y=y)
    line = base.mark_line(strokeWidth=1.5, opacity=0.6, color="#7F7F7F").encode(order="step:Q")
    points = base.mark_point(filled=True, size=70).encode(
        color=alt.Color("actor:N", scale=alt.Scale(domain=lanes, range=parts.colors(lanes)), legend=None),
        tooltip=parts.tips({"step": "", "actor": "", "text": ""}),
    )
    said = f"Sequence of {len(data)} steps by {', '.join(lanes)}: {'; '.join(data['label'])}."
    # Lanes need their width: on a narrow screen the figure scrolls within its box.
    chart = (line + points).properties(width=90 * len(lanes), height=parts.ROW_HEIGHT * len(data) + 20)
    return parts.described(chart, said, data, "actor")  # type: ignore[no-any-return]


def _ratio_panel(data: pd.DataFrame, x: str, title: str, group: str, fitted: str = "fitted") -> alt.LayerChart:
    import altair as alt

    points = alt.Chart(data).transform_filter(parts.shown(group)).mark_point(filled=True, size=55, opacity=0.9)
    shown = points.encode(
        x=alt.X(f"{x}:Q", title=title, scale=parts.log_scale()),
        y=alt.Y("ratio:Q", title=f"Measured / {fitted}", scale=parts.log_scale()),
        color=parts.color(data, group),
        shape=parts.shape(data, group),
        tooltip=parts.tips({"label": "", group: "", "ratio": ""}),
    )
    layers: alt.LayerChart = (parts.rule_at("y", 1) + shown).properties(height=parts.PANEL_HEIGHT // 2)
    return layers


def _intervals(
    frame: pd.DataFrame, name: str, group: str, axis: alt.X, unit: str, said: str, rule: float | None = None
) -> alt.LayerChart:
    """One row for each name, one bar and point for each class within it."""
    import altair as alt

    data = parts.rounded(frame, [name, group, "value", "low", "high"])
    rows, groups, alone = parts.classes(data, name), parts.classes(data, group), bool(data[name].is_unique)
    y = alt.Y(f"{name}:N", sort=rows, title=None, axis=alt.Axis(labelLimit=200, grid=True))
    tips = parts.tips({name: "", group: "", "value": unit, "low": unit, "high": unit})
    base = alt.Chart(data).transform_filter(parts.shown(group)).encode(y=y, color=parts.color(data, group))
    if not alone:
        base = base.encode(yOffset=alt.YOffset(f"{group}:N", sort=groups))
    bars = base.mark_rule(strokeWidth=2).encode(x=axis, x2="high:Q", tooltip=tips)
    points = base.mark_point(filled=True, size=60).encode(x="value:Q", shape=parts.shape(data, group), tooltip=tips)
    layers = [bars, points] if rule is None else [parts.rule_at("x", rule), bars, points]
    step = parts.ROW_HEIGHT * (1 if alone else len(groups))
    return parts.described(_wide(alt.layer(*layers), step * len(rows)), said, data, group)  # type: ignore[no-any-return]


def _wide(chart: Any, height: int) -> Any:
    return chart.properties(width="container", height=height, autosize={"type": "fit-x", "contains": "padding"})
