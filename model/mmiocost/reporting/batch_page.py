"""The index page of a batch: a table of all scenarios, and beside it the numbers that its script draws from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ..execution.results import Recorded
from ..vocabulary import MIX_SYMBOLS, SYMBOLS
from .batch_table import Row
from .numbers import estimate_text, quantity_text, shown_unit

_UNITS = {item.name: item.unit for item in SYMBOLS} | {item.name: item.unit for item in MIX_SYMBOLS}
_PLAIN = ("machine", "mode", "before", "after")
_CHOICES = 24  # of a field with so many different values at most, one can be chosen from a list


def index_body(rows: Sequence[Row], about: Mapping[str, str]) -> Markup:
    """The index as trusted HTML; whatever a grid or a notebook has named is escaped."""
    from .batch_site import page_of
    from .pages import render

    varied, quantities = _varied(rows), _quantities(rows)
    lines = [
        _line(row, varied, quantities, None if isinstance(row.run.path, str) else page_of(row.run)) for row in rows
    ]
    numbers = {
        "fields": varied, "quantities": [{"name": name, "unit": shown_unit(unit)} for name, unit in quantities.items()],
        "rows": [_numbers(row, varied, quantities) for row in rows],
    }  # fmt: skip
    return Markup(
        render(
            "batch/index.html.j2", lines=lines, varied=[(name, _titled(name)) for name in varied],
            quantities=quantities, filters=_filters(rows, varied), total=len(rows), about=about,
            failed=[row for row in rows if row.status == "failed"], numbers=Markup(_script_json(numbers)),
        )
    )  # fmt: skip


def _varied(rows: Sequence[Row]) -> list[str]:
    """Fields that differ between the rows, and the notebook's name if there are several."""
    all_fields = dict.fromkeys(name for row in rows for name in row.fields)
    found = [name for name in all_fields if len({row.fields.get(name) for row in rows}) > 1]
    return [*(["notebook"] if len({row.notebook for row in rows}) > 1 else []), *found]


def _quantities(rows: Sequence[Row]) -> dict[str, str]:
    """Recorded names with their unit, in the order in which they come."""
    return {value.name: value.unit for row in rows for value in row.run.values}


def _field(row: Row, name: str) -> Any:
    return row.notebook if name == "notebook" else row.fields.get(name)


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, str) else quantity_text(float(value))


def _titled(name: str) -> str:
    unit = shown_unit(_UNITS.get(name, "1")).strip()
    return f"{name} ({unit})" if unit else name


def _line(row: Row, varied: Sequence[str], quantities: Mapping[str, str], href: str | None) -> dict[str, Any]:
    values = {value.name: value for value in row.run.values}
    return {
        "name": row.name, "href": href, "status": row.status, "place": None if href else row.run.path,
        "error": f"cell {row.run.error.number}: {row.run.error.ename}" if row.run.error else "",
        "fields": [_shown(name, _field(row, name)) for name in varied],
        "values": [_value_text(values.get(name)) for name in quantities],
    }  # fmt: skip


def _value_text(value: Recorded | None) -> str:
    if value is None:
        return ""
    if value.value is None:
        return quantity_text(None, value.low, value.high, value.unit)
    return estimate_text(value.value, value.low, value.high, value.unit)


def _numbers(row: Row, varied: Sequence[str], quantities: Mapping[str, str]) -> list[Any]:
    """Fields and then value, low and high of each quantity, as the script sorts and draws them."""
    values = {value.name: value for value in row.run.values}
    found = [values.get(name) for name in quantities]
    return [
        [_field(row, name) for name in varied],
        [None if item is None else [item.value, item.low, item.high] for item in found],
    ]


def _filters(rows: Sequence[Row], varied: Sequence[str]) -> list[dict[str, Any]]:
    """Fields of which a value can be chosen, each with its position among those that vary."""
    found = []
    for position, name in enumerate(varied):
        values = sorted({_field(row, name) for row in rows} - {None}, key=lambda value: (isinstance(value, str), value))
        if len(values) <= _CHOICES:
            choices = [_shown(name, value) for value in values]
            found.append({"name": name, "title": _titled(name), "position": position, "choices": choices})
    return found


def _script_json(document: Any) -> str:
    """JSON that can stand in a script element: nothing in it ends the element or begins a comment."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
