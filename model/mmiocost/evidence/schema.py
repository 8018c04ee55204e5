"""Table schemas of the Data Package: which columns a table has and which cells they allow.

Comes in: the ``schema`` object of a resource. Goes out: typed cells, or the reason why a text is none. Reads the
part of Table Schema that the package uses: string, number and integer fields with required, enum, minimum,
maximum and pattern.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmiocost.errors import nearest_name
from mmiocost.units import UnitError, parse_number

#: A typed cell: text is never None (an empty cell is empty text), a number is None where the cell is empty.
Cell = str | float | int | None

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


class CellError(ValueError):
    """A cell that its field does not allow; ``nearest`` is the allowed text that it resembles."""

    def __init__(self, allowed: str, nearest: str | None = None) -> None:
        super().__init__(allowed)
        self.nearest = nearest


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its type and what its cells may hold."""

    name: str
    type: str
    required: bool
    enum: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    pattern: re.Pattern[str] | None

    def parse(self, text: str) -> Cell:
        """The typed cell; raises :class:`CellError` with what is allowed instead."""
        if not text:
            return self._empty()
        if self.enum and text not in self.enum:
            raise CellError(f"must be one of {', '.join(self.enum)}", nearest_name(text, self.enum))
        if self.type == "string":
            return self._text(text)
        return self._within(_integer(text) if self.type == "integer" else _number(text))

    def _empty(self) -> Cell:
        if self.required:
            raise CellError("must not be empty")
        return "" if self.type == "string" else None

    def _text(self, text: str) -> str:
        if self.pattern and not self.pattern.fullmatch(text):
            raise CellError(f"must match {self.pattern.pattern}")
        return text

    def _within(self, value: float | int) -> float | int:
        if self.minimum is not None and value < self.minimum:
            raise CellError(f"must be at least {self.minimum:g}")
        if self.maximum is not None and value > self.maximum:
            raise CellError(f"must be at most {self.maximum:g}")
        return value


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table in order, and the columns whose cells together name a row."""

    fields: tuple[Field, ...]
    key: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(field.name for field in self.fields)

    @classmethod
    def from_descriptor(cls, descriptor: Mapping[str, Any]) -> Schema:
        """The schema that a resource of ``datapackage.json`` states."""
        key = descriptor.get("primaryKey", [])
        return cls(
            fields=tuple(_field(field) for field in descriptor["fields"]),
            key=(key,) if isinstance(key, str) else tuple(key),
        )

    def requiring(self, required: Sequence[str]) -> Schema:
        """The same columns with only ``required`` of them compulsory."""
        fields = tuple(
            Field(f.name, f.type, f.name in required, f.enum, f.minimum, f.maximum, f.pattern) for f in self.fields
        )
        return Schema(fields, self.key)


def _field(descriptor: Mapping[str, Any]) -> Field:
    constraints: Mapping[str, Any] = descriptor.get("constraints", {})
    pattern = constraints.get("pattern")
    return Field(
        name=descriptor["name"],
        type=descriptor["type"],
        required=constraints.get("required", False),
        enum=tuple(str(value) for value in constraints.get("enum", ())),
        minimum=constraints.get("minimum"),
        maximum=constraints.get("maximum"),
        pattern=re.compile(pattern) if pattern else None,
    )


def _number(text: str) -> float:
    try:
        return parse_number(text)
    except UnitError as error:
        raise CellError(f"must be a number ({error})") from None


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise CellError("must be a whole number of at most 18 digits")
    return int(text)
