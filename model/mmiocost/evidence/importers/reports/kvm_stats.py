"""QEMU's view of KVM's statistics: ``info stats`` of the monitor, or ``query-stats`` as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from ..reading import Account, Line, Options, Reading
from .values import whole

FORMAT = "kvm-stats"
LONGEST = 1 << 24  # of a JSON text, which has to be held whole
_TEXT = re.compile(
    r"\s{0,20}(?P<name>[\w-]{1,60}) \((?P<kind>cumulative|instant|peak|linear-histogram|log2-histogram)"
    r"(?:, (?P<unit>[^)]{1,40}))?\): (?P<value>.{1,4000})",
    re.ASCII,
)


def fits(head: str) -> bool:
    """Whether a text is one or the other."""
    if any(line.strip() == "provider: kvm" for line in head.splitlines()[:50]):
        return True
    return head.lstrip()[:1] == "{" and '"return"' in head and '"stats"' in head


def read(lines: Iterator[Line], account: Account, options: Options) -> Reading:
    """Rows ``name``, ``kind``, ``unit``, ``value`` (None for a histogram) and ``buckets``."""
    first = next(lines, None)
    both = lines if first is None else chain([first], lines)
    if first is not None and first.text.lstrip()[:1] == "{":
        rows = _from_json(both, account)
    else:
        rows = _from_text(both, account)
    account.rows = len(rows)
    facts = {"window_s": options.window} if isinstance(options.window, float) else {}
    return Reading(FORMAT, account, {"statistics": rows}, facts=facts)


def _from_text(lines: Iterator[Line], account: Account) -> list[dict[str, Any]]:
    rows = []
    for line in lines:
        match = _TEXT.fullmatch(line.text.rstrip())
        text = line.text.strip()
        if match is not None:
            rows.append(_row(match["name"], match["kind"], match["unit"] or "", match["value"]))
        elif text and not text.startswith(("provider:", "qom-path:", "(qemu)")):
            account.skip(line.number, "unrecognised" if line.ended else "incomplete")
    return rows


def _row(name: str, kind: str, unit: str, value: str) -> dict[str, Any]:
    """A statistic; a histogram whose text is not a list of numbers is kept as text."""
    try:
        numbers: list[int] | str = [whole(word) for word in value.split()]
    except ValueError:
        numbers = value
    if kind.endswith("histogram"):
        return {"name": name, "kind": kind, "unit": unit, "value": None, "buckets": json.dumps(numbers)}
    single = numbers[0] if isinstance(numbers, list) and len(numbers) == 1 else None
    return {"name": name, "kind": kind, "unit": unit, "value": single, "buckets": None}


def _from_json(lines: Iterator[Line], account: Account) -> list[dict[str, Any]]:
    text, number = "", 0
    for line in lines:
        text += line.text + "\n"
        number = line.number
        if len(text) > LONGEST:
            account.skip(number, "too_long")
            return []
    try:
        document = json.loads(text)
        return [row for provider in document["return"] for row in _of_provider(provider)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        account.skip(number, "incomplete")
        return []


def _of_provider(provider: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if provider["provider"] != "kvm":
        return
    for item in provider["stats"]:
        value = item["value"]
        single = int(value) if isinstance(value, (int, bool)) and abs(value) < 1 << 63 else None
        buckets = json.dumps(value) if isinstance(value, list) else None
        yield {"name": str(item["name"])[:60], "kind": "", "unit": "", "value": single, "buckets": buckets}
