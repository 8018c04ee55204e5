"""Errors that a person can act on.

Every error of the package derives from :class:`MmioCostError`; only the command line turns one into an exit
status. An error carries fields, not only text, and survives pickling.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input: where, which field, what came, what is allowed."""

    where: str
    field: str
    got: str
    allowed: str
    nearest: str | None = None

    def line(self) -> str:
        """One line for a person: place, field, what came, what is allowed, nearest valid name."""
        subject = f"{self.field}={self.got}" if self.field and self.got else (self.field or self.got)
        place = ": ".join(part for part in (self.where, subject) if part)
        hint = f"; did you mean '{self.nearest}'?" if self.nearest else ""
        return "\n".join(map(printable, f"{place}: {self.allowed}{hint}".split("\n")))

    def document(self) -> dict[str, str | None]:
        """The problem as one JSON object of the command line's contract."""
        return {
            "where": self.where,
            "field": self.field,
            "got": self.got,
            "allowed": self.allowed,
            "nearest": self.nearest,
        }


def printable(text: str) -> str:
    """A text from elsewhere on one line: what a terminal or a parser would obey, ends of lines too, as its escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class MmioCostError(Exception):
    """Base of every error of the package. ``exit_status`` is what the command line leaves with."""

    exit_status = 1


class InvalidInput(MmioCostError):
    """Input that is refused. ``problems`` holds all that is wrong with it, in the order of the input."""

    exit_status = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(problem.line() for problem in self.problems)

    @classmethod
    def one(cls, where: str, field: str, got: object, allowed: str, nearest: str | None = None) -> InvalidInput:
        """An error with a single problem."""
        return cls([Problem(where, field, str(got), allowed, nearest)])


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that a mistyped one most likely stands for, or None."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return close[0] if close else None
