"""The model's event counts beside what KVM's own counters say, for the runs of the live probe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ...evidence import load
from ...evidence.probe.runs import ProbeRun
from ...fitting.probe_counters import BOUND, Checked, check
from ...fitting.probe_paths import INTERRUPTS, NotChecked
from ..display import Table, table
from ..numbers import quantity_text
from .frames import MISSING
from .probe import OPERATIONS, runs_of

Folders = Sequence[str]
_SMALL = 4096


def probe_counters(evidence: Folders = ()) -> Table:
    """How many of the model's counts KVM's own counters confirm, by counter."""
    import pandas as pd

    rows = []
    for run, checked, _ in _checks(evidence):
        for counter in dict.fromkeys(item.counter for item in checked):
            found = [item for item in checked if item.counter == counter]
            events = ", ".join(dict.fromkeys(item.events for item in found))
            rule = f"at most {quantity_text(INTERRUPTS)} more" if found[0].rule == BOUND else "equal"
            rows.append((run.name, counter, events, len(found), sum(item.holds for item in found), rule))
    columns = ["run", "KVM's counter", "event of the model", "settings", "confirmed", "rule"]
    confirmed, whole = sum(row[4] for row in rows), sum(row[3] for row in rows)
    caption = f"The model's counts against KVM's counters: {confirmed} of {whole} confirmed"
    return table(pd.DataFrame(rows, columns=columns), caption)


def probe_counts(evidence: Folders = ()) -> Table:
    """One access of each kind: what equations and reference machine say, and what KVM counted on each host."""
    import pandas as pd

    by_count: dict[tuple[str, ...], dict[str, Checked]] = {}
    for run, checked, _ in _checks(evidence):
        for item in checked:
            shown = item.guest_page_size == _SMALL or item.counter == "kvm_mmu_paging_element"
            if shown and not item.step and item.equations:
                label = OPERATIONS.get(item.probe, item.probe)
                key: tuple[str, ...] = (label, str(item.guest_page_size), item.path, item.counter)
                by_count.setdefault(key, {})[run.name] = item
    names = [run.name for run in runs_of(evidence)]
    rows: list[tuple[str, ...]] = []
    for about, found in sorted(by_count.items()):
        first = next(iter(found.values()))
        measured = [quantity_text(round(found[name].measured, 3)) if name in found else MISSING for name in names]
        rows.append((*about, quantity_text(first.equations), quantity_text(first.machine), *measured))
    columns = ["operation", "page (bytes)", "path", "counter", "equations", "reference machine", *names]
    return table(
        pd.DataFrame(rows, columns=columns),
        "Counts of one access that are not zero, those of 2 MiB guest pages where they differ",
    )


def probe_unchecked(evidence: Folders = ()) -> Table:
    """What was measured and has no path to be held against, with the reason."""
    import pandas as pd

    rows: list[tuple[Any, ...]] = []
    for run, _, left in _checks(evidence):
        count = Counter((item.why, f"{item.mode}, CPL {item.cpl}") for item in left)
        for (why, guest), number in sorted(count.items()):
            names = ", ".join(sorted({i.probe for i in left if (i.why, f"{i.mode}, CPL {i.cpl}") == (why, guest)}))
            rows.append((run.name, guest, names, number, why))
    columns = ["run", "guest", "operations", "number", "reason"]
    return table(pd.DataFrame(rows, columns=columns), "Settings that no path stands for")


def _checks(evidence: Folders) -> Iterator[tuple[ProbeRun, Sequence[Checked], Sequence[NotChecked]]]:
    quantities = load().quantities
    for run in runs_of(evidence):
        yield run, *check(run.counts, run.facts, quantities)
