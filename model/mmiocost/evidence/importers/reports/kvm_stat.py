"""``kvm_stat``: counters of one second (``-1``) or by interval (``-l``, ``-l -c``).

``kvm_exit(NAME)`` is a part of ``kvm_exit``, not to be added to it. A log's numbers are per interval, not per second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from ..reading import Account, Line, Options, Reading
from .values import whole

BATCH, LOG = "kvm-stat-batch", "kvm-stat-log"
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(.*)")
_KNOWN = re.compile(r"kvm_\w+(?:\([^()]{1,60}\))?|exits|mmio_exits|io_exits|insn_emulation|pf_\w+|halt_\w+|irq_\w+")
_BATCH = re.compile(r"(\S.{0,80}?)\s{1,60}(\d{1,20})\s{1,20}(\d{1,20})\s{0,20}")


def fits_log(head: str) -> bool:
    """Whether a text is a log: a CSV header, or a banner of names above a row of numbers."""
    lines = [line for line in head.splitlines() if line.strip()][:2]
    if lines and lines[0].startswith("timestamp,"):
        return _names(lines[0].split(",")[1:])
    return len(lines) == 2 and _names(lines[0].split()) and _record(lines[1]) is not None


def fits_batch(head: str) -> bool:
    """Whether a text has rows of a known counter and two numbers."""
    rows = (_BATCH.fullmatch(line) for line in head.splitlines()[:50])
    return any(match is not None and _KNOWN.fullmatch(match[1]) is not None for match in rows)


def _names(words: Sequence[str]) -> bool:
    return bool(words) and all(_KNOWN.fullmatch(word) is not None for word in words)


def read_batch(lines: Iterator[Line], account: Account, options: Options) -> Reading:
    """Rows ``name``, ``total`` and ``delta``, the latter over about a second."""
    rows = []
    for line in lines:
        match = _BATCH.fullmatch(line.text)
        try:
            if match is not None:
                rows.append({"name": match[1].strip(), "total": whole(match[2]), "delta": whole(match[3])})
            elif line.text.strip():
                account.skip(line.number, "unrecognised" if line.ended else "incomplete")
        except ValueError:
            account.skip(line.number, "bad_number")
    account.rows = len(rows)
    account.warn("the interval of the deltas is not in the file; kvm_stat -1 takes about one second")
    return Reading(BATCH, account, {"counters": rows}, facts=_window(options, 1.0 if rows else None))


def read_log(lines: Iterator[Line], account: Account, options: Options) -> Reading:
    """Rows ``time``, ``name`` and ``delta``, one a counter of an interval."""
    rows: list[dict[str, Any]] = []
    names: list[str] = []
    stamps: list[datetime | None] = []
    for line in lines:
        text = line.text.strip()
        comma = text.startswith("timestamp,") or (bool(names) and text.count(",") == len(names))
        words = text.split(",")[1:] if text.startswith("timestamp,") else text.split()
        record = _record(text.replace(",", " ", text.count(",")) if comma else text)
        if _names(words):
            names = list(words)
        elif record is not None and len(record[1]) == len(names):
            stamps.append(record[0])
            time = "" if record[0] is None else str(record[0])
            rows += [{"time": time, "name": name, "delta": value} for name, value in zip(names, record[1], strict=True)]
        elif text:
            account.skip(line.number, "unrecognised" if line.ended else "incomplete")
    account.rows = len(stamps)
    return Reading(LOG, account, {"counters": rows}, facts=_window(options, _span(stamps, account)))


def _record(text: str) -> tuple[datetime | None, list[int]] | None:
    match = _STAMP.fullmatch(text.strip().replace(",", " "))
    try:
        stamp = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S") if match is not None else None
        values = [whole(word) for word in (match[2] if match is not None else text).split()]
    except ValueError:
        return None
    return (stamp, values) if values else None


def _span(stamps: Sequence[datetime | None], account: Account) -> float | None:
    """Seconds that all records span; one a second where they have no time stamps."""
    times = [stamp for stamp in stamps if stamp is not None]
    if not times:
        account.warn("no time stamps: an interval is taken to last one second")
        return float(len(stamps)) or None
    steps = [(after - before).total_seconds() for before, after in pairwise(times)]
    if not steps or min(steps) <= 0:
        account.warn("the interval can't be told from the time stamps: pass --window SECONDS")
        return None
    return min(steps) * len(times)


def _window(options: Options, seconds: float | None) -> dict[str, Any]:
    said = options.window if isinstance(options.window, float) else seconds
    return {} if said is None else {"window_s": said}
