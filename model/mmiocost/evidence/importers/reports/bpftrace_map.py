"""Maps that bpftrace prints: counts and histograms by key.

A bucket stays an interval; it is never turned into a point. A numeric key is an exit reason only for a user who says
of which ISA.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..reading import Account, Line, Options, Reading
from ..trace.exit_reasons import numbered
from .values import whole

FORMAT = "bpftrace-map"
_ENTRY = re.compile(r"@(\w{0,64})(?:\[(.{0,200})\])?: ?(-?\d{1,20})?\s*", re.ASCII)
_BUCKET = re.compile(
    r"[\[(](-?\d{1,20}[KMGTPE]?)(?:, (-?\d{1,20}[KMGTPE]?|\.\.\.)[)\]])?\]?\s+(\d{1,20}) \|[@ ]{0,80}\|", re.ASCII
)
_SCALE = {letter: 1 << (10 * power) for power, letter in enumerate("KMGTPE", start=1)}
_CHATTER = re.compile(r"Attaching \d+ probes?\.\.\.|\^C|Lost \d+ events")


def fits(head: str) -> bool:
    """Whether a line is an entry of a map."""
    return any(line.startswith("@") and _ENTRY.fullmatch(line) is not None for line in head.splitlines())


def read(lines: Iterator[Line], account: Account, options: Options) -> Reading:
    """Rows ``map``, ``key``, ``reason``, ``count`` and, of a histogram's bucket, ``low`` and ``high`` (excluded)."""
    rows: list[dict[str, Any]] = []
    histogram: dict[str, Any] | None = None
    for line in lines:
        text = line.text.strip()
        try:
            if (match := _ENTRY.fullmatch(text)) is not None:
                named = {"map": match[1], "key": match[2] or "", "reason": _reason(match[2] or "", options)}
                histogram = None if match[3] else named
                if match[3]:
                    rows.append({**named, "count": whole(match[3]), "low": None, "high": None})
            elif (match := _BUCKET.fullmatch(text)) is not None and histogram is not None:
                rows.append({**histogram, **_bucket(*match.groups())})
            elif text and _CHATTER.fullmatch(text) is None:
                account.skip(line.number, "unrecognised" if line.ended else "incomplete")
        except ValueError:
            account.skip(line.number, "bad_number")
    account.rows = len(rows)
    if options.isa is None and any(row["key"].isdecimal() for row in rows):
        account.warn("keys are numbers: pass --isa vmx or --isa svm if they are exit reasons")
    return Reading(FORMAT, account, {"maps": rows})


def _reason(key: str, options: Options) -> str | None:
    if options.isa is None or not key.isdecimal() or not key.isascii() or len(key) > 10:
        return None
    return numbered(int(key), options.isa)


def _bucket(first: str, last: str | None, count: str) -> dict[str, int | None]:
    """A bucket's bounds and count. Raises ValueError for a number that 64 bits don't hold."""
    low = _scaled(first)
    high = low + 1 if last is None else None if last == "..." else _scaled(last)
    return {"count": whole(count), "low": low, "high": None if high is None else whole(str(high))}


def _scaled(text: str) -> int:
    return whole(str(int(text[:-1]) * _SCALE[text[-1]])) if text[-1] in _SCALE else whole(text)
