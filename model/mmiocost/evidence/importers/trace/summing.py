"""Totals of a trace, block by block: what the JSON of an import says, and what a user should be warned of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from . import classes
from . import pairing as p
from .columns import Names
from .naming import EVENTS, REASONS
from .payloads import CHECK, HANDLE, MARK


class Sums:
    """What ``pair`` counts, from block to block: ``totals`` (TOTALS,), ``reasons`` (REASONS, REASON_TOTALS),
    ``events`` (EVENTS,) by number and ``classes`` (classes, served, 2), number and time of pairs."""

    def __init__(self) -> None:
        self.totals = np.zeros(p.TOTALS, np.int64)
        self.reasons = np.zeros((REASONS, p.REASON_TOTALS), np.int64)
        self.events = np.zeros(EVENTS, np.int64)
        self.classes = np.zeros((len(classes.CLASSES), len(classes.SERVED), 2), np.int64)

    def lose(self, number: int) -> None:
        """Events that the recording says were overwritten before it was written."""
        self.totals[p.T_LOST] += number

    def end(self, open_exits: Any) -> None:
        """Exits still open at the end are unpaired."""
        self.totals[p.T_UNPAIRED_EXITS] += np.count_nonzero(open_exits)

    def facts(self, in_ticks: bool) -> dict[str, Any]:
        """The span of the events, in seconds where the clock is known."""
        if in_ticks or not self.totals[p.T_EVENTS]:
            return {}
        return {"window_s": int(self.totals[p.T_LAST] - self.totals[p.T_FIRST]) / 1e9}

    def document(self, names: Names) -> dict[str, Any]:
        """The trace's part of the JSON."""
        reasons = {}
        for number, name in enumerate(names.reason):
            exits, pairs, total, low, high = (int(value) for value in self.reasons[number])
            least, most = (low, high) if pairs else (None, None)
            if exits:
                reasons[name] = {"exits": exits, "pairs": pairs, "total": total, "min": least, "max": most}
        counts = {name: int(self.events[number]) for number, name in enumerate(names.event) if self.events[number]}
        t = [int(value) for value in self.totals]
        return {
            "events": t[p.T_EVENTS], "pairs": t[p.T_PAIRS], "unpaired_exits": t[p.T_UNPAIRED_EXITS],
            "unpaired_entries": t[p.T_UNPAIRED_ENTRIES], "negative_pairs": t[p.T_NEGATIVE],
            "out_of_order_events": t[p.T_DISORDER], "lost_markers": t[p.T_MARKERS], "lost": t[p.T_LOST],
            "reasons": reasons, "classes": self._class_document(), "event_counts": counts,
        }  # fmt: skip

    def _class_document(self) -> dict[str, Any]:
        found = {}
        for number, served in np.argwhere(self.classes[:, :, 0]):
            name = classes.CLASSES[number] + (f"/{classes.SERVED[served]}" if served else "")
            pairs, total = self.classes[number, served].tolist()
            found[name] = {"pairs": pairs, "total": total}
        return found

    def warnings(self, names: Names) -> Iterator[str]:
        """What a user should know of this trace."""
        if self.totals[p.T_MARKERS] or self.totals[p.T_LOST]:
            unknown = " and more of unknown number" if self.totals[p.T_UNKNOWN_LOSS] else ""
            yield f"{self.totals[p.T_LOST]} events{unknown} were lost: counts and rates are lower bounds"
        counts = {name: int(self.events[number]) for number, name in enumerate(names.event)}
        mmio = self.classes[[classes.C_CACHED, classes.C_SLOW], :, 0].sum()
        if mmio and not sum(int(self.events[kind]) for kind in (HANDLE, MARK, CHECK)):
            yield "no kvmmmu events were recorded: stale MMIO sptes pass for cached ones"
        if counts.get("kvm_nested_vmexit"):
            yield "exits of nested guests are among the pairs (kvm_nested_vmexit was recorded)"
