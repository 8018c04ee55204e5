"""Observations of an import made whole: what every row of a file has in common, in the columns of the evidence."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from ...errors import InvalidInput
from ...vocabulary import generation_of_kernel
from ..records import Observation, unstated

_SLUG = re.compile(r"[^a-z0-9.]+")
UNKNOWN_MACHINE = "own-machine"


def slug(text: str) -> str:
    """A name for a machine or state out of any text: lower case, letters, digits, dots and dashes."""
    return _SLUG.sub("-", text.lower()).strip("-.")[:60]


def complete(
    rows: Sequence[Mapping[str, Any]], facts: Mapping[str, Any], machine: str | None, source: str
) -> list[dict[str, Any]]:
    """Rows with all columns: machine, state, kernel and clock of the host, ids and source of the import.

    A row of a format that names its own (tidy) keeps what it says.
    """
    host = _host(facts, machine)
    found = []
    for number, row in enumerate(rows, start=1):
        said = {name: value for name, value in row.items() if value not in (None, "")}
        own = {"id": f"{source}-{number:05}", "source_id": source, "quality": "primary"}
        found.append({**unstated(), **host, **own, **said})
    return found


def _host(facts: Mapping[str, Any], machine: str | None) -> dict[str, Any]:
    release = str(facts.get("release") or "")
    model = str(facts.get("cpu_model") or "")
    found = {
        "machine": slug(machine or "") or slug(model) or UNKNOWN_MACHINE, "state": slug(release) or "unknown-kernel",
        "cpu": model, "kernel": release, "generation": _generation(release), "year": datetime.now(UTC).year,
        "clock_hz": facts.get("clock_hz"), "virt_level": "L1",
        "mitigations": "; ".join(f"{name}: {text}" for name, text in sorted((facts.get("mitigations") or {}).items())),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value not in (None, "")}


def _generation(release: str) -> str:
    try:
        return generation_of_kernel(release).id
    except InvalidInput:
        return ""


def written(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as the text of an observations.csv; a text that a spreadsheet would run is quoted as data."""
    names = [field.name for field in fields(Observation)]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: "" if row[name] is None else row[name] for name in names})
    return stream.getvalue()
