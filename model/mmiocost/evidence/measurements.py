"""The measurements that could be taken next: what each gives and how well, from the Data Package.

Comes in: the tables ``measurements`` and ``measurement_rows``. Goes out: one record a measurement with its rows.
What a name in a row stands for is not looked at here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmiocost.errors import InvalidInput

from .package import open_package


@dataclass(frozen=True, slots=True)
class Reading:
    """One value that a measurement gives: of ``observes``, less the path ``less`` where there is one.

    ``part`` and the meaning of ``sd`` are those of the table's description; the scenarios are symbol → value.
    """

    observes: str
    scenario: dict[str, float]
    less: str
    less_scenario: dict[str, float]
    part: str
    sd: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """Something to record: with which tool, on which machines (same, another, amd), how, and what it gives."""

    name: str
    meaning: str
    tool: str
    machines: tuple[str, ...]
    recipe: str
    readings: tuple[Reading, ...]


def measurements() -> tuple[Measurement, ...]:
    """All candidates in the order of the table. Raises InvalidInput where a table is damaged."""
    package = open_package()
    where = package.where("measurement_rows")
    readings: dict[str, list[Reading]] = {}
    for row in package.rows("measurement_rows"):
        cells: dict[str, Any] = dict(row.cells)
        place = f"{where}:{row.line}"
        readings.setdefault(cells["measurement"], []).append(
            Reading(
                cells["observes"], _symbols(cells["scenario"], place), cells["less"],
                _symbols(cells["less_scenario"], place), cells["part"], cells["sd"],
            )
        )  # fmt: skip
    found = []
    for row in package.rows("measurements"):
        cells = dict(row.cells)
        rows = readings.pop(cells["measurement"], [])
        if not rows:
            allowed = "must have a row in measurement_rows.csv"
            raise InvalidInput.one(package.where("measurements"), "measurement", cells["measurement"], allowed)
        machines = tuple(cells["machines"].split())
        found.append(
            Measurement(cells["measurement"], cells["meaning"], cells["tool"], machines, cells["recipe"], tuple(rows))
        )
    if readings:
        raise InvalidInput.one(where, "measurement", next(iter(readings)), "must be in measurements.csv")
    return tuple(found)


def _symbols(text: str, where: str) -> dict[str, float]:
    found = {}
    for pair in text.split():
        name, _, value = pair.partition("=")
        try:
            found[name] = float(value)
        except ValueError:
            raise InvalidInput.one(where, "scenario", pair, "must be name=number") from None
    return found
