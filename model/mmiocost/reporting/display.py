"""What notebooks show: figures, tables and formulas that the site renders and JupyterLab shows as well.

Each is plain data under a media type of the project's own, so that the site writes the markup and a notebook
never has to be trusted with it; the other media types of a bundle are for JupyterLab.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mmiocost.execution.recorded import RECORDED
from mmiocost.execution.results import Recorded
from mmiocost.reporting import html, mathml
from mmiocost.reporting.numbers import round_shown

if TYPE_CHECKING:
    import pandas as pd

MEDIA_TYPE = "application/vnd.mmiocost.v1+json"
VEGA_LITE = "application/vnd.vegalite.v6+json"

Bundle = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A chart with the sentence that says what to see in it, and the rows behind it."""

    spec: Mapping[str, Any]
    see: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        said = {"kind": "figure", "see": self.see, "columns": list(self.columns), "rows": [list(r) for r in self.rows]}
        return {MEDIA_TYPE: said, VEGA_LITE: dict(self.spec), "text/plain": self.see}


@dataclass(frozen=True)
class Table:
    """A table with a caption; cells are text or numbers. ``values`` are recorded for a batch to collect."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    values: tuple[Recorded, ...] = ()

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        said = {
            "kind": "table",
            "caption": self.caption,
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
        }
        shown = html.table(self.columns, self.rows, self.caption)
        recorded = {RECORDED: {"values": [asdict(value) for value in self.values]}} if self.values else {}
        return {MEDIA_TYPE: said, "text/html": shown, "text/plain": _plain_table(self), **recorded}


@dataclass(frozen=True)
class Formula:
    """A formula as presentation MathML, with its plain form for readers without it."""

    markup: str
    plain: str

    def _repr_mimebundle_(self, **_: object) -> Bundle:
        said = {"kind": "formula", "mathml": self.markup, "plain": self.plain}
        return {MEDIA_TYPE: said, "text/html": self.markup, "text/plain": self.plain}


def figure(chart: Any, *, title: str, see: str, data: pd.DataFrame | None = None) -> Figure:
    """``chart`` (an altair chart) with a title and the sentence ``see``: what the reader should see in it.

    The table behind the figure is ``data``, or else the rows that the chart itself carries.
    """
    spec = {**chart.to_dict(), "title": title}
    if data is not None:
        columns, rows = _frame(data)
    else:
        columns, rows = _rows_of(spec)
    return Figure(spec, see, columns, rows)


def table(frame: pd.DataFrame, caption: str, values: Sequence[Recorded] = ()) -> Table:
    """``frame`` as an accessible table with a caption; its index is left out. Everything is escaped.

    ``values`` are recorded in the executed notebook beside the table, for the summary of a batch.
    """
    columns, rows = _frame(frame)
    return Table(caption, columns, rows, tuple(values))


def formula(expression: Any) -> Formula:
    """A SymPy expression or equation as MathML. Raises ValueError if the printer's output is no MathML."""
    return Formula(mathml.from_sympy(expression), str(expression))


def _frame(frame: pd.DataFrame) -> tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]:
    columns = tuple(str(column) for column in frame.columns)
    return columns, tuple(tuple(_plain(value) for value in row) for row in frame.itertuples(index=False))


def _rows_of(spec: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]:
    """Columns and rows of the largest data set that a specification carries."""
    found: Sequence[Mapping[str, Any]] = max(spec.get("datasets", {}).values(), key=len, default=[])
    columns = tuple(dict.fromkeys(str(name) for row in found for name in row))
    return columns, tuple(tuple(_plain(row.get(name)) for name in columns) for row in found)


def _plain(value: Any) -> object:
    """A value that JSON holds: numbers rounded to the digits shown, missing ones None, all else text."""
    if value is None or value != value:
        return None
    if isinstance(value, str | bool | int):
        return value
    if hasattr(value, "__index__"):  # an integer of NumPy
        return int(value)
    try:
        number = round_shown(float(value))
    except (TypeError, ValueError):
        return str(value)
    return number if abs(number) != float("inf") else str(value)


def _plain_table(shown: Table) -> str:
    lines = [shown.caption, "\t".join(shown.columns)]
    return "\n".join([*lines, *("\t".join("" if v is None else str(v) for v in row) for row in shown.rows)])
