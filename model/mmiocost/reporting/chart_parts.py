"""Parts that the charts share: rounded data, scales, colours, tooltips, description and the page's filter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mmiocost.reporting.numbers import round_shown

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

# Okabe and Ito, "Color Universal Design" (2008), without the colours that fade on white or near-black paper.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C7A00", "#7F7F7F")
UNDECIDED = "#B8B8B8"
PANEL_HEIGHT = 280
ROW_HEIGHT = 26
_HIDDEN = "hidden"
_DASHES: tuple[list[int], ...] = ([1, 0], [7, 3], [2, 2], [9, 3, 2, 3], [4, 4], [1, 3])
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")


def rounded(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """``frame`` with its floats rounded to the digits shown. Raises ValueError if one of ``columns`` is missing."""
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ValueError(f"the frame lacks {', '.join(missing)}; it has {', '.join(map(str, frame.columns))}")
    floats = [name for name in frame.columns if frame[name].dtype.kind == "f"]
    return frame.assign(**{name: frame[name].map(_finite) for name in floats})


def classes(data: pd.DataFrame, column: str) -> list[str]:
    """The different values of a column, in the order in which they come."""
    return [str(value) for value in data[column].dropna().unique()]


def color(data: pd.DataFrame, column: str) -> alt.Color:
    """Colour by class."""
    import altair as alt

    domain = classes(data, column)
    return alt.Color(f"{column}:N", title=None, scale=alt.Scale(domain=domain, range=colors(domain)))


def colors(domain: Sequence[str]) -> list[str]:
    """A colour for each class; with more classes than colours they repeat, and shape or dash tells them apart."""
    return [PALETTE[number % len(PALETTE)] for number in range(len(domain))]


def shape(data: pd.DataFrame, column: str) -> alt.Shape:
    """Shape of a point by class, beside the colour."""
    import altair as alt

    domain = classes(data, column)
    # One step further on each round of the colours, so that no two classes share both.
    marks = [_SHAPES[(number + number // len(PALETTE)) % len(_SHAPES)] for number in range(len(domain))]
    return alt.Shape(f"{column}:N", title=None, scale=alt.Scale(domain=domain, range=marks))


def dash(data: pd.DataFrame, column: str) -> alt.StrokeDash:
    """Dash of a line by class, beside the colour."""
    import altair as alt

    domain = classes(data, column)
    dashes = [_DASHES[(number + number // len(PALETTE)) % len(_DASHES)] for number in range(len(domain))]
    return alt.StrokeDash(f"{column}:N", title=None, scale=alt.Scale(domain=domain, range=dashes))


def tips(columns: Mapping[str, str]) -> list[alt.Tooltip]:
    """Tooltip with a line for each column; the text beside it is the unit, empty for names."""
    import altair as alt

    return [
        alt.Tooltip(name, title=f"{spoken(name)} ({unit})" if unit else spoken(name)) for name, unit in columns.items()
    ]


def shown(column: str) -> str:
    """Filter that leaves out the classes hidden by the reader."""
    return f"indexof({_HIDDEN}, datum[{column!r}]) < 0"


def spoken(name: str) -> str:
    """The name of a column as a title: ``mmio_rate`` becomes ``Mmio rate``."""
    words = name.replace("_", " ").replace("mmio", "MMIO").strip()
    return words[:1].upper() + words[1:]


def log_scale(base: int = 10) -> alt.Scale:
    """A logarithmic scale that ends a little beyond the data, not at the next round number."""
    import altair as alt

    return alt.Scale(type="log", base=base, nice=False, padding=12)


def rule_at(channel: str, value: float) -> alt.Chart:
    """A dashed line across the chart at one value of ``x`` or ``y``."""
    import altair as alt

    data = alt.InlineData(values=[{"at": value}])
    line: alt.Chart = alt.Chart(data).mark_rule(strokeDash=[4, 4], opacity=0.65).encode(**{channel: "at:Q"})
    return line


def described(chart: Any, text: str, data: pd.DataFrame, column: str, palette: Sequence[str] | None = None) -> Any:
    """``chart`` with its text for readers who do not see it, and the classes that a page may hide and show."""
    import altair as alt

    domain = classes(data, column)
    filtered = {"param": _HIDDEN, "values": domain, "colors": list(palette or colors(domain))}
    told = chart.add_params(alt.param(name=_HIDDEN, value=[]))
    return told.properties(description=text, usermeta={"filter": filtered})


def _finite(value: float) -> float | None:
    return round_shown(value) if math.isfinite(value) else None
