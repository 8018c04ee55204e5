"""``perf kvm stat report`` and ``live``: counts and times of exits, MMIO addresses or ports.

A time is the handler's, from tracepoint to tracepoint; for an MMIO read it runs from the exit to the completed read,
for a write from the write to the next entry. "Samples" are pairs, and ``( +- Y% )`` is the standard error of the mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ..reading import Account, Line, Options, Reading
from ..trace.exit_reasons import canonical, isa_of, numbered
from .values import number, whole

FORMAT = "perf-kvm-stat"
_EVENTS = ("VM-EXIT", "MMIO Access", "IO Port Access", "MSR Access")
_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_START = re.compile(r"Analyze events for (.{1,200}):")
_END = re.compile(r"Total Samples:(\d{1,18}), Total events handled time:(\S{1,24})us\.")
_LOST = re.compile(r"Lost events: (\d{1,18})")
_UNKNOWN = re.compile(r"unknown kvm exit code:(\d{1,10}) on (VMX|SVM)")
_CHATTER = re.compile(
    r"\d\d:\d\d:\d\d\.\d+|KVM event statistics \(\d+ entries\)|.{0,80} event took \d+usec|\[ perf record: .*|# .*"
)
_WHY = "time in the handler, without the hardware's exit and entry and with tracing: no round trip"


def fits(head: str) -> bool:
    """Whether a text is such a report."""
    if "Analyze events for " in head or "KVM event statistics (" in head:
        return True
    return all(word in head for word in ("Event name", "Samples", "Time (ns)"))


def read(lines: Iterator[Line], account: Account, options: Options) -> Reading:
    """Rows of all blocks: scope, event, name, samples and times in us (layout C: from ns)."""
    state = _State(account, options.isa)
    for line in lines:
        text = _ESCAPE.sub("", line.text).strip()
        if text and not state.take(text, line):
            account.skip(line.number, "unrecognised" if line.ended else "incomplete")
    state.check_total()
    account.rows = len(state.rows)
    facts: dict[str, Any] = {"isa": state.isa} if state.isa else {}
    if isinstance(options.window, float):
        facts["window_s"] = options.window
    totals = {"lost": state.lost, "blocks": state.blocks}
    observed = [_observation(row) for row in state.rows if row["event"] == "VM-EXIT" and row["mean_us"]]
    return Reading(FORMAT, account, {"kvm_stat": state.rows}, observed, facts, totals)


class _State:
    """What is known while a report is read."""

    def __init__(self, account: Account, isa: str | None) -> None:
        self.account, self.isa = account, isa
        self.rows: list[dict[str, Any]] = []
        self.blocks = self.lost = 0
        self._scope: str | None = None
        self._event = ""
        self._unknown: str | None = None
        self._stated: int | None = None
        self._first = 0

    def take(self, text: str, line: Line) -> bool:
        """Take a line in; False where it is nothing known."""
        if (match := _START.fullmatch(text)) is not None:
            self.check_total()
            self._scope, self._event = match[1], ""
        elif (event := _header(text)) is not None:
            self.blocks += 1
            self._event, self._first = event, len(self.rows)
        elif (match := _END.fullmatch(text)) is not None:
            self._stated = int(match[1])
            self.check_total()
        elif (match := _LOST.fullmatch(text)) is not None:
            self.lost += int(match[1])
            self.account.warn("events were lost: counts are lower bounds", line.number)
        elif (match := _UNKNOWN.fullmatch(text)) is not None:
            self.isa = self.isa or match[2].lower()
            self._unknown = match[1]
        elif _CHATTER.fullmatch(text) is None:
            return self._row(text)
        return True

    def _row(self, text: str) -> bool:
        if not self._event:
            return False
        try:
            row = _fields(text.split())
        except (ValueError, IndexError):
            return False
        printed = row["name"]
        if self._event == "VM-EXIT":
            if printed == "UNKNOWN" and self._unknown is not None:
                row["name"], self._unknown = numbered(int(self._unknown), self.isa), None
            else:
                row["name"] = canonical(printed, self.isa)
            self.isa = self.isa or isa_of(row["name"])
        self.rows.append({"scope": self._scope, "event": self._event, "printed": printed, **row})
        return True

    def check_total(self) -> None:
        """Warn where the rows of a block don't add up to its total."""
        if self._stated is not None:
            found = sum(row["samples"] for row in self.rows[self._first :])
            if found != self._stated:
                self.account.warn(f"a block's rows have {found} samples, its total says {self._stated}")
        self._stated = None


def _header(text: str) -> str | None:
    """The event of a table whose header this is; that of layout C does not say, and counts as exits."""
    if text.startswith("Event name") and "Time (ns)" in text:
        return "VM-EXIT"
    return next((event for event in _EVENTS if text.startswith(event) and "Samples%" in text), None)


def _fields(words: Sequence[str]) -> dict[str, Any]:
    """A row's words, counted from the right, since a name may hold blanks."""
    if words[-1] != ")":
        *name, samples, _, sum_ns, _, most, least, mean = words
        times = {"mean_us": whole(mean) / 1000, "min_us": whole(least) / 1000, "max_us": whole(most) / 1000}
        return {**_named(name, samples), **times, "total_us": whole(sum_ns) / 1000, "rel_sem_percent": None}
    if words[-4:-2] != ["(", "+-"]:
        raise ValueError("no spread")
    spread, average, rest = number(words[-2].rstrip("%")), _us(words[-5]), list(words[:-5])
    ends = [_us(rest.pop()) for _ in range(2)] if rest[-1].endswith("us") else [None, None]
    *name, samples, share, of_time = rest
    if not (share.endswith("%") and of_time.endswith("%")):
        raise ValueError("no percentages")
    found = _named(name, samples)
    # One sample prints 0.00 %: its spread is unknown, not nothing.
    known = spread if found["samples"] > 1 else None
    total = None if average is None else average * found["samples"]
    return {**found, "mean_us": average, "min_us": ends[1], "max_us": ends[0], "total_us": total,
            "rel_sem_percent": known}  # fmt: skip


def _named(name: Sequence[str], samples: str) -> dict[str, Any]:
    if not name:
        raise ValueError("no name")
    return {"name": " ".join(name), "samples": whole(samples)}


def _us(word: str) -> float | None:
    if not word.endswith("us"):
        raise ValueError("no time")
    return number(word[:-2])


def _observation(row: dict[str, Any]) -> dict[str, Any]:
    spread = row["rel_sem_percent"]
    return {
        "quantity": "handler.time_exit_to_entry", "value": row["mean_us"], "unit": "us", "event": row["name"],
        "spread": spread, "spread_kind": "rel_sem_percent" if spread is not None else "",
        "n_runs": row["samples"], "use": "excluded", "use_why": _WHY,
    }  # fmt: skip
