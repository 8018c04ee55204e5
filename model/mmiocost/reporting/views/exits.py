"""Exits and MMIO paths: what was measured, what a path costs event by event, what mitigations add."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...equations.lowering import kernel
from ...evidence import load
from ...fitting.fit import MEDIAN_MACHINE, Fit
from ...fitting.parameters import parameter_counts
from ...fitting.store import current_summary
from ...vocabulary import resolve
from ...whatif.counting import count
from .. import charts
from ..display import Figure, Table, figure, table
from ..imports import machine_label, own_machines
from ..numbers import percent, quantity_text
from .frames import MISSING, cell, cost_row, fit_of

Folders = Sequence[str]
# Old beside new, with what decides between them set alike.
STACK_PATHS: tuple[tuple[str, str, Mapping[str, int]], ...] = (
    ("3.0, EPT", "v30.ept.mmio", {"slots": 32}),
    ("3.1, EPT, first touch", "v31.ept.mmio_first", {"slots": 32}),
    ("3.1, EPT, hit", "v31.ept.mmio_hit", {"slots": 32}),
    ("4.11, EPT, hit", "v414.ept.mmio_hit", {"slots": 32}),
    ("4.11, fast MMIO bus", "v414.ept.fast_mmio", {"slots": 32}),
    ("3.0, shadow", "v30.shadow.mmio", {"slots": 32}),
    ("3.1, shadow, hit", "v31.shadow.mmio_hit", {"slots": 32}),
)
_NAMED = 5


def exit_table(evidence: Folders = ()) -> Table:
    """Measured exits without a memory access, and MMIO accesses, machine by machine; the user's own are marked."""
    import pandas as pd

    folders = [Path(folder) for folder in evidence]
    own = own_machines(load(folders))
    rows = [
        (
            machine_label(row.machine, own),
            row.state,
            row.quantity,
            row.path,
            quantity_text(row.measured, unit="cycle"),
            quantity_text(row.fitted, row.low, row.high, "cycle"),
        )
        for row in current_summary(folders).rows
        if row.unit == "cycle"
    ]
    columns = ["machine", "state", "quantity", "path", "measured", "fitted"]
    return table(pd.DataFrame(rows, columns=columns), "Exits and accesses, measured and fitted")


def mmio_counts() -> Table:
    """Counts of the events that differ between the paths of one MMIO access."""
    import pandas as pd

    counted = [count(path, dict(values)) for _, path, values in STACK_PATHS]
    events = list(dict.fromkeys(name for item in counted for name in item))
    frame = pd.DataFrame({"event": events})
    for (label, _, _), item in zip(STACK_PATHS, counted, strict=True):
        frame[label] = [item.get(name, 0) for name in events]
    return table(frame, "Events of one MMIO store to an in-kernel device with 32 slots")


def cost_stacks(evidence: Folders = ()) -> Figure:
    """Cost of one access on each path, split by event, on the median machine."""
    import pandas as pd

    fit = fit_of(evidence)
    parts = {label: cost_parts(fit, path, values) for label, path, values in STACK_PATHS}
    total: dict[str, float] = {}
    for found in parts.values():
        for name, cycles in found.items():
            total[name] = total.get(name, 0.0) + cycles
    named = sorted(total, key=lambda name: -total[name])[:_NAMED]
    rows = []
    for label, found in parts.items():
        rows += [(label, name, found.get(name, 0.0)) for name in named]
        rows.append((label, "all others", sum(cycles for name, cycles in found.items() if name not in named)))
    frame = pd.DataFrame(rows, columns=["path", "event", "cost"])
    old, new = (sum(parts[label].values()) for label in ("3.0, EPT", "3.1, EPT, hit"))
    see = (
        f"The exit and the emulator make most of every access; what the MMIO spte takes away under EPT is the three"
        f" searches in vain, {percent(round((old - new) / old, 3))} of the access at 32 slots; the fast MMIO bus takes"
        f" away the emulator."
    )
    return figure(charts.cost_stack(frame), title="Where the cycles of one MMIO store go", see=see)


def cost_parts(fit: Fit, path: str, values: Mapping[str, int]) -> dict[str, float]:
    """Median cost of each event on a path; the kinds of exit and the two parts of a compare as one each."""
    found: dict[str, float] = {}
    for name, number in _counts(path, values).items():
        label = "vm_exit" if name.startswith("vm_exit_") else name
        found[label] = found.get(label, 0.0) + cost_row(fit, {name: number}).value
    return found


def _counts(path: str, values: Mapping[str, int]) -> dict[str, Any]:
    full = resolve(path, values)
    return parameter_counts(kernel(path)({**full, "cold_search_fraction": 0}), None)


def mmio_path_table(evidence: Folders = ()) -> Table:
    """Cost of each path: on the median machine and on a machine not yet measured."""
    import pandas as pd

    fit = fit_of(evidence)
    rows = []
    for label, path, values in STACK_PATHS:
        full = {**resolve(path, values), "cold_search_fraction": 0}
        kernel_cost = kernel(path)(full)
        user = (
            {**kernel(path)({**full, "userspace": 1}), "device_model": 1}
            if "userspace" in kernel(path).arguments
            else None
        )
        rows.append(
            (
                label, path, cell(cost_row(fit, kernel_cost)), cell(cost_row(fit, kernel_cost, "")),
                cell(cost_row(fit, user, "")) if user else MISSING,
            )
        )  # fmt: skip
    columns = ["way", "path", "median machine", "new machine", "new machine, served in user space"]
    return table(
        pd.DataFrame(rows, columns=columns), "Cost of one MMIO store with 32 slots, 95 % intervals of the mean"
    )


def mitigation_table(evidence: Folders = ()) -> Table:
    """What each setting of the host or guest adds to an exit, the way to user space, and the emulator."""
    import pandas as pd

    found = {
        item.name: item
        for item in current_summary([Path(folder) for folder in evidence]).parameters
        if ":" in item.name and item.machine != MEDIAN_MACHINE
    }
    rows = [
        (
            name.split(":")[1], name.split(":")[0],
            quantity_text(item.value if item.low is not None else None, item.low, item.high, item.unit),
        )
        for name, item in found.items()
    ]  # fmt: skip
    columns = ["setting", "rides on", "cost each time"]
    return table(
        pd.DataFrame(rows, columns=columns), "What settings add on skylake-8160, the one machine measured in several"
    )
