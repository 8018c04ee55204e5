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

    checks = [(run.name, checked) for run, checked, _ in _checks(evidence)]
    every = [item for _, checked in checks for item in checked]
    rows = []
    for counter in dict.fromkeys(item.counter for item in every):
        found = [item for item in every if item.counter == counter]
        events = ", ".join(dict.fromkeys(item.events for item in found))
        rule = f"at most {quantity_text(INTERRUPTS)} more" if found[0].rule == BOUND else "equal"
        rows.append((counter, events, rule, *(_confirmed(checked, counter) for _, checked in checks)))
    columns = ["KVM's counter", "event of the model", "rule", *(f"confirmed, {name}" for name, _ in checks)]
    caption = f"The model's counts against KVM's counters: {sum(i.holds for i in every)} of {len(every)} confirmed"
    return table(pd.DataFrame(rows, columns=columns), caption)


def _confirmed(checked: Sequence[Checked], counter: str) -> str:
    held = [item.holds for item in checked if item.counter == counter]
    return f"{sum(held)} of {len(held)}" if held else MISSING


def probe_counts(evidence: Folders = ()) -> Table:
    """One access of each kind: what equations and reference machine say, and what KVM counted on each host."""
    import pandas as pd

    checks = [(run.name, checked) for run, checked, _ in _checks(evidence)]
    by_count: dict[tuple[str, int, str, str], dict[str, Checked]] = {}
    for name, checked in checks:
        for item in checked:
            shown = item.guest_page_size == _SMALL or item.counter == "kvm_mmu_paging_element"
            if shown and not item.step and item.equations:
                key = (item.path, item.guest_page_size, item.counter, OPERATIONS.get(item.probe, item.probe))
                by_count.setdefault(key, {})[name] = item
    alike: dict[tuple[str, ...], list[str]] = {}
    for (path, page, counter, operation), found in sorted(by_count.items()):
        first = next(iter(found.values()))
        measured = [_measured(found.get(name)) for name, _ in checks]
        row = (path, str(page), counter, quantity_text(first.equations), quantity_text(first.machine), *measured)
        alike.setdefault(row, []).append(operation)
    columns = ["path", "page (bytes)", "counter", "equations", "reference machine", *(name for name, _ in checks)]
    rows = [("; ".join(operations), *row) for row, operations in alike.items()]
    caption = "Counts of one access that are not zero, those of 2 MiB guest pages where they differ"
    return table(pd.DataFrame(rows, columns=["operations", *columns]), caption)


def _measured(item: Checked | None) -> str:
    return MISSING if item is None else quantity_text(round(item.measured, 3))


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
