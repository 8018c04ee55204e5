"""What every command shares: the JSON envelope, cases, printing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import InvalidInput

_CASES_LIMIT = 64 << 20


def envelope(evidence: str | None) -> dict[str, Any]:
    """Version and evidence hash, which every JSON object carries."""
    return {"version": __version__, "evidence": evidence}


def print_json(document: Any) -> None:
    """One JSON document on standard output; numbers that are not finite become null."""
    print(json.dumps(_plain(document), indent=1, ensure_ascii=False, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def read_cases(file: Path) -> list[dict[str, Any]]:
    """The list of cases in a JSON file. Raises InvalidInput where it is none."""
    try:
        if file.stat().st_size > _CASES_LIMIT:
            raise InvalidInput.one(str(file), "", "", "is larger than 64 MiB: split it")
        document = json.loads(file.read_bytes())
    except OSError as error:
        raise InvalidInput.one(str(file), "", "", f"can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput.one(str(file), "", "", f"is no JSON: {error}") from error
    if not isinstance(document, list) or not all(isinstance(case, dict) for case in document):
        raise InvalidInput.one(str(file), "", "", "must be a list of objects")
    return document


def in_columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows as lines with their cells in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def quantity_text(value: float | None, low: float | None = None, high: float | None = None, unit: str = "1") -> str:
    """A number with its interval for the terminal: ASCII, no grouping, so that it can be copied."""
    from ..reporting import numbers

    return numbers.quantity_text(value, low, high, unit, plain=True)


def percent(value: float) -> str:
    """A share as percent for the terminal."""
    from ..reporting import numbers

    return numbers.percent(value, plain=True)
