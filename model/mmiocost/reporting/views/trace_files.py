"""The user's own files: what was imported, how to record it, the threads that ran vCPUs; and what their views share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...evidence.importers.detect import TRACES
from ...evidence.importers.folder import Import
from ...evidence.importers.recording import ALL
from ...evidence.importers.summaries import EXACT
from ...whatif.from_evidence.asking import asked
from ..display import Table, table
from ..imports import host_facts, imported, shortened
from ..numbers import quantity_text
from .frames import MISSING

Folders = Sequence[str]
SHOWN = 4  # traces, the latest ones; each has four figures
#: Class of a pair with who served it and why it was slow; an exit without MMIO by its reason.
LABEL = """case when class = 'other' then reason else class || case when served = '' then '' else '/' || served end
 || case when slow_case = '' then '' else ' (' || slow_case || ')' end end"""
NOTHING = (
    "no trace is among the evidence: record one, `mmiocost import FILE --to DIR`, `mmiocost report --evidence DIR`"
)
_TAIL = 0.975


def imported_files(evidence: Folders = ()) -> Table:
    """Every imported file: its format, checksum and host, and whether names are kept."""
    import pandas as pd

    rows: list[tuple[object, ...]] = [
        (
            item.entry["file"], item.entry["format"], shortened(item.entry["checksum"]), ", ".join(host_facts(item)),
            item.entry["rows"], item.entry["skipped"], _span(item),
            "kept" if item.entry["options"].get("keep_names") else "pseudonyms",
        )
        for item in imported(_folders(evidence))
    ]  # fmt: skip
    columns = ["file", "format", "checksum", "host", "rows", "lines skipped", "time span", "names"]
    return table(pd.DataFrame(rows or [("none", *[MISSING] * 7)], columns=columns), "Imported files")


def _span(item: Import) -> str:
    seconds = item.entry["facts"].get("window_s")
    return MISSING if seconds is None else quantity_text(float(seconds), unit="s")


def recording_commands() -> Table:
    """How to record what can be imported, tool by tool."""
    import pandas as pd

    rows, tool = [], ""
    for line in re.sub(r" ?\\\n +", " ", ALL).splitlines()[1:]:
        if line.startswith("  "):
            rows.append((tool, line.strip()))
        else:
            tool, _, remark = line.rstrip(":").partition(" (")
            rows += [(tool, f"# {remark.rstrip(')')}")] if remark else []
    said = "How to record (PID is the virtual machine's process; ten seconds of a steady load are plenty)"
    return table(pd.DataFrame(rows, columns=["tool", "commands"]), said)


def traces(evidence: Folders) -> tuple[Import, ...]:
    """The latest traces with pairs among the evidence."""
    found = [item for item in imported(_folders(evidence)) if item.entry["format"] in TRACES and item.tables("pairs")]
    return tuple(found[-SHOWN:])


def nothing(caption: str) -> Table:
    """What stands in the place of a view without a trace."""
    import pandas as pd

    return table(pd.DataFrame({"finding": [NOTHING]}), caption)


def _folders(evidence: Folders) -> list[Path]:
    return [Path(folder) for folder in evidence]


def pairs_asked(item: Import, sql: str, *values: Any) -> list[dict[str, Any]]:
    """Rows of a query over the pairs of a trace."""
    return asked(item, sql, [str(path) for path in item.tables("pairs")], after=values)


def quantiles_of(item: Import, probabilities: Sequence[float]) -> str:
    """SQL for quantiles of the time in the handler: exact ones, or of a long trace those of a t-digest."""
    function = "quantile_cont" if item.entry["pairs"] <= EXACT else "approx_quantile"
    return f"{function}(duration, {list(probabilities)})"


def unit_of(item: Import) -> tuple[str, float]:
    """Unit in which times of a trace are shown, and how many of its own units that is."""
    return ("us", 1e3) if item.entry.get("time_unit") == "ns" else ("ticks", 1.0)


def mean_ends(row: dict[str, Any], item: Import) -> tuple[float | None, float | None]:
    """Ends of the 95 % interval of a mean of ``exits`` times with standard ``error``; None of a single one.

    Student's t, and the clock's steps with resolution²/6 a time.
    """
    if row["exits"] < 2:
        return None, None
    from scipy.stats import t

    steps = float(item.entry["facts"].get("time_resolution", 1)) ** 2 / 6 / row["exits"]
    half = float(t.ppf(_TAIL, row["exits"] - 1)) * (row["error"] ** 2 + steps) ** 0.5
    return max(0.0, row["mean"] - half), row["mean"] + half


def mean_text(row: dict[str, Any], item: Import) -> str:
    """A mean with its interval, in the unit that the trace is shown in."""
    unit, scale = unit_of(item)
    low, high = (None if end is None else end / scale for end in mean_ends(row, item))
    return quantity_text(row["mean"] / scale, low, high, unit)


def vcpu_threads(evidence: Folders = ()) -> Iterator[Table]:
    """The threads that ran vCPUs, with their exits; names are pseudonyms unless they were kept."""
    import pandas as pd

    for item in traces(evidence):
        sql = """select tid, max(vcpu) as vcpu, count(*) as exits, count(*) filter (class like 'mmio%') as mmio,
 sum(migrated)::bigint as migrated from read_parquet(?) group by tid order by exits desc, tid limit 100"""
        events = [str(path) for path in item.tables("events")]
        named = asked(item, "select tid, any_value(comm) as comm from read_parquet(?, union_by_name=true) group by tid",
                      events)  # fmt: skip
        names = {row["tid"]: row["comm"] for row in named}
        rows = [(names.get(row["tid"], MISSING), row["tid"], MISSING if row["vcpu"] is None else row["vcpu"],
                 row["exits"], row["mmio"], row["migrated"]) for row in pairs_asked(item, sql)]  # fmt: skip
        columns = ["thread", "thread id", "vCPU", "exits", "MMIO", "exits that changed CPU"]
        yield table(pd.DataFrame(rows, columns=columns), f"Threads that ran vCPUs, {item.entry['file']}")
    if not traces(evidence):
        yield nothing("Threads that ran vCPUs")
