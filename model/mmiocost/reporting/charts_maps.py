"""Maps of the winning design: a tile for each point, on axes that are numbers.

As in ``charts``: a tidy frame in, an altair chart out, nothing computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmiocost.reporting import chart_parts as parts

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

EDGES = ("left", "right", "bottom", "top")


def winning_tiles(
    frame: pd.DataFrame, *, x: str, y: str, x_title: str, y_title: str, second: str, unit: str,
    x_log: bool = False, y_log: bool = False,
) -> alt.Chart:  # fmt: skip
    """Which side wins over two variables; grey where the draws do not agree.

    Columns: the two variables, the ``left``, ``right``, ``bottom`` and ``top`` of each tile, ``winner`` (a class
    whose name starts with ``undecided`` is grey; ``second`` always has the same colour), ``probability``, the share
    of draws in which ``second`` is cheaper, and ``saving``, its median advantage in ``unit``.
    """
    import altair as alt

    data = parts.rounded(frame, [x, y, *EDGES, "winner", "probability", "saving"])
    names = parts.classes(data, "winner")
    palette = [_color(name, second) for name in names]
    scale = alt.Scale(domain=names, range=palette)
    chart = (
        alt.Chart(data)
        .transform_filter(parts.shown("winner"))
        .mark_rect(strokeWidth=0.8)
        .encode(
            x=alt.X("left:Q", title=x_title, scale=_scale(x_log, base=2), axis=_axis(x_log)),
            x2="right:Q",
            y=alt.Y("bottom:Q", title=y_title, scale=_scale(y_log), axis=_axis(y_log)),
            y2="top:Q",
            color=alt.Color("winner:N", title=None, scale=scale),
            stroke=alt.Stroke("winner:N", legend=None, scale=scale),  # else the page shines through between tiles
            tooltip=[
                alt.Tooltip(x, title=x_title), alt.Tooltip(y, title=y_title), alt.Tooltip("winner", title="Winner"),
                alt.Tooltip("probability", title=f"Draws in which {second} is cheaper", format=".1%"),
                alt.Tooltip("saving", title=f"Saved by {second}, median ({unit})"),
            ],
        )
    )  # fmt: skip
    said = f"Which side wins for each {x_title} and {y_title}: {', '.join(names)}."
    sized = chart.properties(
        width="container", height=parts.PANEL_HEIGHT + 60, autosize={"type": "fit-x", "contains": "padding"}
    )
    return parts.described(sized, said, data, "winner", palette)  # type: ignore[no-any-return]


def _color(name: str, second: str) -> str:
    if name.lower().startswith("undecided"):
        return parts.UNDECIDED
    return parts.PALETTE[0 if name == second else 1]


def _scale(log: bool, base: int = 10) -> alt.Scale:
    import altair as alt

    return alt.Scale(type="log", base=base, nice=False) if log else alt.Scale(nice=False, zero=False)


def _axis(log: bool) -> Any:
    import altair as alt

    return alt.Axis(format=",~f", labelOverlap=True, grid=False, tickCount=8 if log else alt.Undefined)
