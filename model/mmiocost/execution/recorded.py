"""Named values in an executed notebook, and what of a notebook counts as its result."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from mmiocost.cache import content_hash
from mmiocost.execution.results import Recorded

#: An output of this media type holds ``{"values": [{"name", "value", "low", "high", "unit"}]}``.
RECORDED = "application/vnd.mmiocost.values.v1+json"
_LONGEST = 200
_MOST = 1000


def recorded_values(notebook: Mapping[str, Any]) -> tuple[Recorded, ...]:
    """The values that a notebook's outputs record, in their order; of one name the last one counts.

    What does not look like a value is passed over: an output is only as good as the notebook that wrote it.
    """
    found: dict[str, Recorded] = {}
    for output in _outputs(notebook):
        shown = output.get("data", {}).get(RECORDED)
        listed = shown.get("values") if isinstance(shown, Mapping) else None
        for item in listed if isinstance(listed, list) else ():
            value = value_of(item)
            if value is not None and len(found) < _MOST:
                found[value.name] = value
    return tuple(found.values())


def value_of(item: Any) -> Recorded | None:
    """One value from its JSON form, None for anything else."""
    if not isinstance(item, Mapping):
        return None
    name, unit = item.get("name"), item.get("unit")
    if not (isinstance(name, str) and isinstance(unit, str) and 0 < len(name) <= _LONGEST and len(unit) <= _LONGEST):
        return None
    value, low, high = (_number(item.get(part)) for part in ("value", "low", "high"))
    return Recorded(name, value, low, high, unit)


def content_of(notebook: Mapping[str, Any]) -> str:
    """Hash of a notebook's sources and outputs, without times, ids and paths: equal for equal results."""
    cells = [
        [cell["cell_type"], "".join(cell["source"]), cell.get("outputs", []), cell.get("execution_count")]
        for cell in notebook["cells"]
    ]
    return content_hash(json.dumps(cells, sort_keys=True))


def _outputs(notebook: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    for cell in notebook["cells"]:
        yield from cell.get("outputs", ())


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None
