"""bcc's ``kvmexit``: counts of VMX exit reasons, by process and thread or for one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..reading import Account, Line, Options, Reading
from ..trace.exit_reasons import VMX, canonical
from .values import whole

FORMAT = "bcc-kvmexit"
_TITLE = re.compile(
    r"Display kvm exit reasons and statistics for (.{1,80}?)(?: after sleeping (\d{1,9}) secs\.)?(?:\.\.\..*)?"
)
_IDS = ("pid", "tid")
_OF = re.compile(r"\b([PpTt][Ii][Dd]) (\d{1,10})\b", re.ASCII)  # with -p and -t only the title says which
_NUMBERS = {name: number for number, name in VMX.items()}
_SHIFTED_FROM = 68  # where the tool's table lacks a comma: TPAUSE prints TPAUSEN/A, and all after it are one off


def fits(head: str) -> bool:
    """Whether a text is such a report."""
    header = any(line.split()[-2:] == ["KVM_EXIT_REASON", "COUNT"] for line in head.splitlines())
    return "Display kvm exit reasons" in head or header


def read(lines: Iterator[Line], account: Account, options: Options) -> Reading:
    """Rows ``pid``, ``tid`` (None where the tool does not say), ``reason`` and ``count``."""
    rows: list[dict[str, Any]] = []
    columns: list[str] = []
    titled: dict[str, int] = {}
    facts: dict[str, Any] = {"isa": "vmx"}
    for line in lines:
        words = line.text.split()
        if (match := _TITLE.fullmatch(line.text.strip())) is not None:
            if match[2]:
                facts["window_s"] = float(match[2])
            titled = {name.lower(): whole(number) for name, number in _OF.findall(match[1])}
        elif words[-2:] == ["KVM_EXIT_REASON", "COUNT"]:
            columns = words
        elif words and line.text.strip() != "^C" and not _row(words, columns, titled, rows):
            account.skip(line.number, "unrecognised" if line.ended else "incomplete")
    _correct(rows, account)
    if isinstance(options.window, float):
        facts["window_s"] = options.window
    account.rows = len(rows)
    return Reading(FORMAT, account, {"exits": rows}, facts=facts)


def _row(words: list[str], columns: list[str], titled: dict[str, int], rows: list[dict[str, Any]]) -> bool:
    if len(words) != len(columns) or not columns:
        return False
    found = dict(zip(columns, words, strict=True))
    try:
        count = whole(found["COUNT"])
        ids = {name: whole(found[name.upper()]) if name.upper() in found else titled.get(name) for name in _IDS}
    except ValueError:
        return False
    rows.append({**ids, "reason": canonical(found["KVM_EXIT_REASON"], "vmx"), "count": count})
    return True


def _correct(rows: list[dict[str, Any]], account: Account) -> None:
    """Undo the tool's shifted names where they are recognised for certain."""
    names = {row["reason"] for row in rows}
    if "TPAUSEN/A" in names:
        account.warn("TPAUSEN/A: the tool's names from 68 on are one off; they were set right")
        for row in rows:
            number = _SHIFTED_FROM if row["reason"] == "TPAUSEN/A" else _NUMBERS.get(row["reason"], 0) - 1
            if number >= _SHIFTED_FROM:
                row["reason"] = VMX.get(number, f"UNKNOWN ({number})")
    elif names & {"NOTIFY", "BUS_LOCK"}:
        account.warn("NOTIFY or BUS_LOCK: some versions of the tool print names from 68 on one off")
