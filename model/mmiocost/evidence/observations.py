"""Observation rows out of a table: what a row must be beyond its single cells.

Comes in: rows that the schema allows, and the known quantities. Goes out: :class:`Observation` records, or
InvalidInput with every problem of the file. The same reader serves the packaged rows and a user's own file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from mmiocost.errors import InvalidInput, nearest_name
from mmiocost.units import dimension

from .package import Package
from .records import Observation, Quantity
from .schema import Field, Schema
from .tables import Report, Row, read_rows

#: Columns that a user's file must have and fill; all others may be missing or empty.
USER_COLUMNS = ("id", "quantity", "value", "unit", "source_id")
# Cycles and times are two readings of one clock; which one it is, clock_hz or the fit's own nuisance says.
_DURATIONS = frozenset({"cycles", "time"})


@dataclass(frozen=True, slots=True)
class Rules:
    """What rows are held against: the quantities, and whether the rows are about to enter a fit."""

    quantities: Mapping[str, Quantity]
    for_fit: bool


def to_observations(rows: Sequence[Row], rules: Rules, report: Report) -> list[Observation]:
    """Records of all rows; what a row does wrong is added to ``report``."""
    return [Observation(**_checked(row, rules, report)) for row in rows]


def read_user_file(path: Path, package: Package, rules: Rules | None) -> tuple[list[Observation], list[str]]:
    """The observations of a user's CSV file and what should be said about it (columns that are not used).

    Without ``rules`` only the single cells are checked. Raises InvalidInput with all problems of the file: missing,
    damaged, or rows that are not allowed.
    """
    report = Report(str(path))
    with _opened(path) as stream:
        rows = read_rows(stream, user_schema(package.schema("observations")), report, whole=False)
    observations = to_observations(rows, rules, report) if rules else [Observation(**_cells(row)) for row in rows]
    report.problems.sort(key=_line_of)
    report.finish()
    return observations, report.notices


def user_schema(schema: Schema) -> Schema:
    """The schema of the packaged observations with what a user may leave out, and ``cycles`` for ``cycle``."""
    lenient = schema.requiring(USER_COLUMNS)
    return Schema(tuple(_with_alias(field) for field in lenient.fields), lenient.key)


def _with_alias(field: Field) -> Field:
    if field.name != "unit":
        return field
    enum = (*field.enum, "cycles")
    return Field(field.name, field.type, field.required, enum, field.minimum, field.maximum, field.pattern)


def _opened(path: Path) -> BinaryIO:
    try:
        if path.exists() and not path.is_file():
            raise InvalidInput.one(str(path), "", "", "must be a CSV file")
        return path.open("rb")
    except OSError as error:
        raise InvalidInput.one(str(path), "", "", f"cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InvalidInput.one(str(path), "", "", f"cannot be read: {error}") from None


def _line_of(problem: Any) -> int:
    line = problem.where.rpartition(":")[2]
    return int(line) if line.isdigit() else 0


def _cells(row: Row) -> dict[str, Any]:
    cells: dict[str, Any] = dict(row.cells)
    if cells["unit"] == "cycles":
        cells["unit"] = "cycle"
    return cells


def _checked(row: Row, rules: Rules, report: Report) -> dict[str, Any]:
    cells = _cells(row)
    quantity = rules.quantities.get(cells["quantity"])
    _check_quantity(row.line, cells, quantity, rules, report)
    cells |= _use(cells, quantity)
    _check_spread(row.line, cells, report)
    _check_use(row.line, cells, quantity, rules, report)
    return cells


def _check_quantity(
    line: int, cells: Mapping[str, Any], quantity: Quantity | None, rules: Rules, report: Report
) -> None:
    if quantity is None:
        name = cells["quantity"]
        report.add(line, "quantity", name, "unknown quantity", nearest_name(name, rules.quantities))
    elif not same_dimension(cells["unit"], quantity.unit):
        report.add(line, "unit", cells["unit"], f"{quantity.quantity} needs the dimension of {quantity.unit}")


def same_dimension(unit: str, other: str) -> bool:
    """Whether a value in one unit may stand for a quantity in the other.

    Cycles and times may, by a clock; percent and plain numbers may not, since a share of 0.3 is easily meant as 30.
    """
    if {unit, other} == {"percent", "1"}:
        return False
    dimensions = {dimension(unit), dimension(other)}
    return len(dimensions) == 1 or dimensions == _DURATIONS


def _use(cells: Mapping[str, Any], quantity: Quantity | None) -> dict[str, str]:
    """The use of a row: an empty one is ``fit``, unless no path predicts the quantity."""
    if cells["use"]:
        return {}
    if quantity is not None and not quantity.scored:
        return {"use": "excluded", "use_why": cells["use_why"] or quantity.why_not}
    return {"use": "fit"}


def _check_spread(line: int, cells: Mapping[str, Any], report: Report) -> None:
    if (cells["spread"] is None) != (cells["spread_kind"] == ""):
        missing = "spread" if cells["spread"] is None else "spread_kind"
        report.add(line, missing, "", "must not be empty: spread and spread_kind come together")


def _check_use(line: int, cells: Mapping[str, Any], quantity: Quantity | None, rules: Rules, report: Report) -> None:
    if cells["use"] != "fit":
        if not cells["use_why"]:
            report.add(line, "use_why", "", f"must say why the row is not fitted (use={cells['use']})")
        return
    if cells["value"] <= 0:
        report.add(line, "value", str(cells["value"]), "must be above 0 in a row that is fitted")
    if rules.for_fit:
        _check_fitted(line, cells, quantity, report)


def _check_fitted(line: int, cells: Mapping[str, Any], quantity: Quantity | None, report: Report) -> None:
    for column in ("machine", "state"):
        if not cells[column]:
            report.add(line, column, "", "must not be empty in a row that is fitted")
    if quantity is not None and not quantity.scored:
        report.add(line, "use", "fit", f"{quantity.quantity} cannot be fitted: {quantity.why_not}")
