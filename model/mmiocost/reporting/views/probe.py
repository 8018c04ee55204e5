"""The live probe: what a host showed, and its times beside those of the recorded run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...evidence import ALONE
from ...evidence.probe.runs import ProbeRun, own, packaged
from ...evidence.probe.seen import DIRECT, INTERPRETED, Seen, seen
from .. import charts
from ..display import Figure, Table, figure, table
from ..numbers import percent, quantity_text
from .frames import MISSING

Folders = Sequence[str]
OPERATIONS = {
    "mmio_store_any": "MMIO store, ioeventfd any value",
    "mmio_store_match": "MMIO store, ioeventfd datamatch",
    "mmio_store_len0": "MMIO store, ioeventfd length 0",
    "mmio_load_ioapic": "MMIO load, in-kernel IOAPIC",
    "mmio_store_user": "MMIO store, user space",
    "mmio_load_user": "MMIO load, user space",
    "pio_out_any": "OUT, ioeventfd any value",
    "pio_out_match": "OUT, ioeventfd datamatch",
    "pio_out_user": "OUT, user space",
    "pio_in_user": "IN, user space",
    "cpuid": "CPUID",
    "guest_pf": "guest page fault, guest handler",
}
_SMALL = 4096


def runs_of(evidence: Folders) -> list[ProbeRun]:
    """The packaged runs, the recorded one first, and those of the user's folders."""
    folders = [Path(folder) for folder in evidence if str(folder) != str(ALONE)]
    return [*packaged(), *own(folders)]


def probe_hosts(evidence: Folders = ()) -> Table:
    """The hosts on which the probe ran, and which paths each could show."""
    import pandas as pd

    rows = []
    for run in runs_of(evidence):
        facts = run.facts
        showed = "; ".join(seen(run.counts, facts).lines())
        cpu = f"{facts.get('cpu_model', MISSING)} ({facts.get('microarchitecture') or 'not known'})"
        tsc = quantity_text(facts["clock_hz"] / 1e9, unit="GHz") if facts.get("clock_hz") else MISSING
        modules = ", ".join(facts.get("kvm_modules", {})) or MISSING
        rows.append((run.name, cpu, tsc, facts.get("release", MISSING), modules, showed))
    columns = ["run", "CPU", "TSC", "kernel", "KVM's modules", "what its counters showed"]
    return table(pd.DataFrame(rows, columns=columns), "Hosts that were probed")


def _net(run: ProbeRun, mode: str, cpl: int, page: int = _SMALL) -> dict[str, Mapping[str, Any]]:
    """Accesses less the empty loop in one guest mode, by operation."""
    return {
        cell["probe"]: cell
        for cell in run.cells
        if cell["of"] == "difference"
        and cell["minus"] == "loop"
        and (cell["mode"], cell["cpl"], cell["guest_page_size"]) == (mode, cpl, page)
    }


def probe_times(evidence: Folders = ()) -> Figure:
    """What each operation takes on each host, from a guest that runs directly."""
    import pandas as pd

    rows = [
        (label, run.name, found["value"], found["low"], found["high"])
        for name, label in OPERATIONS.items()
        for run in runs_of(evidence)
        if (found := _net(run, "long", 3).get(name)) and found["value"] > 0 and found["low"] is not None
    ]
    frame = pd.DataFrame(rows, columns=["name", "run", "value", "low", "high"])
    users = [_way_to_user(run) for run in runs_of(evidence)]
    see = "The way to user space costs " + ", ".join(text for text in users if text) + "."
    title = "One guest operation less the empty loop, guest with 4 levels of paging at CPL 3"
    return figure(charts.parameter_intervals(frame, unit="ns", kind="run", of="guest operation"), title=title, see=see)


def _way_to_user(run: ProbeRun) -> str:
    pairs = [
        cell
        for cell in run.cells
        if (cell["probe"], cell["minus"], cell["mode"], cell["cpl"], cell["guest_page_size"])
        == ("mmio_store_user", "mmio_store_any", "long", 3, _SMALL)
    ]
    return f"{_shown(pairs[0])} more than an eventfd on {run.name}" if pairs else ""


def _shown(cell: Mapping[str, Any] | None) -> str:
    if cell is None:
        return MISSING
    text = quantity_text(cell["value"], cell["low"], cell["high"], cell["unit"])
    return text if cell["low"] is not None else f"{text} (too few repeats for an interval)"


def probe_time_tables(evidence: Folders = ()) -> Iterator[Table]:
    """The same as a table for each guest mode, hosts side by side, with the ratio to the recorded run."""
    import pandas as pd

    runs = runs_of(evidence)
    for mode, cpl, page, said in _MODES:
        nets = [_net(run, mode, cpl, page) for run in runs]
        if not any(nets[1:]):
            continue
        frame = pd.DataFrame({"operation": [OPERATIONS[name] for name in OPERATIONS if name in nets[0]]})
        names = [name for name in OPERATIONS if name in nets[0]]
        for run, net in zip(runs, nets, strict=True):
            frame[run.name] = [_shown(net.get(name)) for name in names]
        for run, net in zip(runs[1:], nets[1:], strict=True):
            frame[f"{run.name} / recorded"] = [_ratio(net.get(name), nets[0][name]) for name in names]
        yield table(frame, f"{said}: medians with 95 % intervals, less the empty loop")


_MODES = (
    ("long", 3, _SMALL, "4 levels of paging, CPL 3"),
    ("long", 3, 2 << 20, "4 levels, 2 MiB pages, CPL 3"),
    ("long", 0, _SMALL, "4 levels of paging, CPL 0"),
    ("flat32", 0, _SMALL, "no paging, CPL 0"),
)


def _ratio(cell: Mapping[str, Any] | None, recorded: Mapping[str, Any]) -> str:
    return MISSING if cell is None else quantity_text(float(f"{cell['value'] / recorded['value']:.3g}"))


def probe_slots(evidence: Folders = ()) -> Table:
    """What a doubling of the memory slots adds to an access, and what one page-table level read takes."""
    import pandas as pd

    rows = []
    for run in runs_of(evidence):
        how = seen(run.counts, run.facts)
        for cell in run.cells:
            if cell["of"] in ("slope per doubling of slots", "guest page-table level read"):
                guest = f"{cell['mode']}, CPL {cell['cpl']}, {_how(how, cell)}"
                what = OPERATIONS.get(cell["probe"], "all operations")
                rows.append((run.name, cell["of"], what, guest, _shown(cell), cell["repeats"]))
    columns = ["run", "what", "operation", "guest", "per step", "repeats"]
    return table(pd.DataFrame(rows, columns=columns), "What slots and page-table levels add")


def _how(saw: Seen, cell: Mapping[str, Any]) -> str:
    return {DIRECT: "runs directly", INTERPRETED: "interpreted"}.get(saw.runs(cell["mode"], cell["cpl"]) or "", MISSING)


def probe_changes(evidence: Folders = ()) -> Table:
    """First touch against later ones, and stores right after a memslot update against the control without one."""
    import pandas as pd

    kinds = {"mmio_pages": "MMIO pages", "ram_touch": "RAM pages", "generation_bump": "after an update"}
    rows = [
        (run.name, kinds[cell["experiment"]], _what(cell), cell["step"], _shown(cell), cell["repeats"])
        for run in runs_of(evidence)
        for cell in run.cells
        if cell["experiment"] in kinds
        and (cell["of"], cell["guest_page_size"]) == ("time", _SMALL)
        and str(cell["step"]).split()[0] in ("1", "2", "first", "second")
    ]
    columns = ["run", "experiment", "of", "step", "time", "repeats"]
    caption = "First touch and memslot updates: time per access, after an update of four stores together"
    return table(pd.DataFrame(sorted(rows), columns=columns), caption)


def _what(cell: Mapping[str, Any]) -> str:
    pages = f", {cell['mmio_pages']} pages" if cell["experiment"] == "mmio_pages" else ""
    slots = f", {cell['slots']} slots" if cell["experiment"] == "generation_bump" else ""
    return f"{cell['operation']}{pages}{slots}"


def probe_share_left_out(evidence: Folders = ()) -> Table:
    """How many timed runs the host interrupted, which were left out."""
    import pandas as pd

    rows = []
    for run in runs_of(evidence):
        timed = [cell for cell in run.cells if cell["of"] == "time"]
        kept, lost = sum(cell["repeats"] for cell in timed), sum(cell["left_out"] for cell in timed)
        if timed:
            rows.append((run.name, len(timed), kept, percent(round(lost / (kept + lost), 3))))
    columns = ["run", "cells", "timed runs kept", "left out, since the CPU was taken away"]
    return table(pd.DataFrame(rows, columns=columns), "Timed runs")
