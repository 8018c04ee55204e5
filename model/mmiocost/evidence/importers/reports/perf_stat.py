"""``perf stat -e 'kvm:*'``: counts of events, as text, as CSV (``-x,``) or by interval (``-I``)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..reading import Account, Line, Options, Reading
from .values import number

FORMAT = "perf-stat"
_MISSING = ("<not counted>", "<not supported>")
_EVENT = re.compile(r"[A-Za-z][\w-]{0,60}:[\w*-]{1,80}(?::[a-zA-Z]{1,8})?|[a-z][\w.-]{1,60}")
_SCALED = re.compile(r"\(\s*(\d{1,3}[.,]\d{2})%\)\s*$")
_ELAPSED = re.compile(r"\s*([\d.,]{1,24})\s+seconds time elapsed\s*(?:\(.*)?")
_CHATTER = re.compile(r"# .*|#\s+time\s.*| ?Performance counter stats for .*|\s*[\d.,]+\s+seconds (?:user|sys)\s*|#.*")


def fits(head: str) -> bool:
    """Whether a text is such a report."""
    if "Performance counter stats for" in head:
        return True
    lines = [line for line in head.splitlines() if line.strip()]
    started = bool(lines) and lines[0].startswith("# started on")
    by_interval = any(re.match(r"#\s+time\s+counts", line) for line in lines[:5])
    return by_interval or (started and any(line.count(",") >= 3 for line in lines[1:5]))


def read(lines: Iterator[Line], account: Account, options: Options) -> Reading:
    """Rows ``event``, ``count`` (None where it was not counted), ``time`` of an interval, ``running`` in percent."""
    rows: list[dict[str, Any]] = []
    facts: dict[str, Any] = {}
    for line in lines:
        text = line.text
        if not text.strip():
            continue
        if (match := _ELAPSED.fullmatch(text)) is not None:
            facts["window_s"] = _number(match[1])
        elif (row := _csv(text) or _text(text)) is not None:
            rows.append(row)
        elif _CHATTER.fullmatch(text) is None:
            account.skip(line.number, "unrecognised" if line.ended else "incomplete")
    account.rows = len(rows)
    if any(row["running"] is not None and row["running"] < 100 for row in rows):
        account.warn("counters shared the hardware: their counts are scaled up")
    if isinstance(options.window, float):
        facts["window_s"] = options.window
    times = [row["time"] for row in rows if row["time"] is not None]
    if times and "window_s" not in facts:
        facts["window_s"] = max(times)
    return Reading(FORMAT, account, {"counters": rows}, facts=facts)


def _number(text: str) -> float | None:
    """A count or time, with whatever separates the thousands of this locale taken out."""
    plain = (
        re.sub(r"(?<=\d)[.,'\u202f\u00a0](?=\d{3}(?:\D|$))", "", text)
        if text.count(".") + text.count(",") > 1
        else text
    )
    if re.fullmatch(r"\d{1,3}[,\u202f\u00a0']\d{3}", plain):
        plain = re.sub(r"\D", "", plain)
    return number(plain)


def _csv(text: str) -> dict[str, Any] | None:
    fields = text.strip().split(",")
    if len(fields) < 4:
        return None
    time = None
    try:
        if _EVENT.fullmatch(fields[2]) is None and len(fields) > 4 and _EVENT.fullmatch(fields[3]) is not None:
            time, fields = float(fields[0]), fields[1:]
        if _EVENT.fullmatch(fields[2]) is None:
            return None
        count = None if fields[0] in _MISSING else number(fields[0])
        running = number(fields[4]) if len(fields) > 4 and fields[4] else None
    except ValueError:
        return None
    return {"event": fields[2], "count": count, "time": time, "running": running}


def _text(text: str) -> dict[str, Any] | None:
    scaled = _SCALED.search(text[-24:])
    words = text.split("#", 1)[0].split()
    for missing in _MISSING:
        if missing in text:
            words = text.replace(missing, "-", 1).split()
    if scaled is not None and words and words[-1].endswith("%)"):
        words = words[: next(place for place, word in enumerate(words) if word.startswith("("))]
    try:
        time = float(words.pop(0)) if len(words) >= 3 and _EVENT.fullmatch(words[2]) is not None else None
        if len(words) < 2 or _EVENT.fullmatch(words[1]) is None:
            return None
        count = None if words[0] == "-" else _number(words[0])
        running = None if scaled is None else number(scaled[1])
    except ValueError:
        return None
    return {"event": words[1], "count": count, "time": time, "running": running}
