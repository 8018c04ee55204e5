"""Observations in the columns of data/observations.csv, as the user or another tool wrote them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from ....errors import InvalidInput, Problem
from ...loading import checked_user_file
from ..reading import Account, Line, Options, Reading

FORMAT = "tidy"
LONGEST = 1 << 26


def fits(head: str) -> bool:
    """Whether the first line is a header with the columns that a row needs."""
    first = head.splitlines()[0] if head else ""
    return {"quantity", "value", "unit"} <= {name.strip().strip('"') for name in first.split(",")}


def read(lines: Iterator[Line], account: Account, options: Options) -> Reading:
    """All rows, or none: raises InvalidInput with every problem of the file."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "observations.csv"
        size = 0
        with kept.open("w", encoding="utf-8", newline="") as stream:
            for line in lines:
                size += stream.write(line.text + "\n")
                if size > LONGEST:
                    raise InvalidInput.one("", "", "", f"is larger than {LONGEST >> 20} MiB: split it")
        try:
            rows, notices = checked_user_file(kept)
        except InvalidInput as error:
            raise InvalidInput(_elsewhere(problem, kept) for problem in error.problems) from None
    for notice in notices:
        account.warn(notice)
    account.rows = len(rows)
    return Reading(FORMAT, account, observations=[asdict(row) for row in rows])


def _elsewhere(problem: Problem, kept: Path) -> Problem:
    """A problem of the copy said of the file that was imported; who calls knows its name."""
    return replace(problem, where=problem.where.removeprefix(str(kept)))
