"""Slot searches and guest page walks: their equations, what they count, what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean

from ...equations.lowering import kernel
from ...errors import InvalidInput
from ...evidence import load
from ...fitting.fit import IDENTIFIED, MEDIAN_MACHINE
from ...vocabulary import generation, resolve
from ...whatif.counting import count
from .. import charts
from ..display import Figure, Formula, Table, figure, formula, table
from ..numbers import quantity_text
from .frames import cell, cost_row, doubling, fit_of

Folders = Sequence[str]
SEARCHES = {"linear, 3.0 to 3.18": "v31", "binary, 3.19 to 5.16": "v40", "tree, from 5.17": "v517"}


def search_equations() -> Iterator[Formula]:
    """Entries compared by one search that finds nothing, for each kind of search."""
    from ...equations.notation import equation
    from ...equations.slot_walk import miss_compares

    for name in SEARCHES.values():
        yield formula(equation(f"compares_{generation(name).search}", miss_compares(generation(name))))


def search_figure() -> Figure:
    """Entries compared in vain by slots, averaged over all places of the gfn, for each kind of search."""
    import pandas as pd

    rows = [(slots, label, *_compares(gen, slots)) for label, gen in SEARCHES.items() for slots in doubling(1, 512)]
    frame = pd.DataFrame(rows, columns=["slots", "search", "value", "low", "high"])
    chart = charts.saving_vs_slots(frame, unit="entries", case="search", quantity="Compared by one search in vain")
    at = {label: _compares(gen, 512)[0] for label, gen in SEARCHES.items()}
    told = ", ".join(f"{label.split(',')[0]} {quantity_text(round(value, 1))}" for label, value in at.items())
    see = f"A linear scan compares every slot, the others about the logarithm of their number: with 512 slots {told}."
    return figure(chart, title="Memslots compared by a search that finds nothing", see=see)


def _compares(gen: str, slots: int) -> tuple[float, float, float]:
    full = resolve(f"{gen}.slot.miss", {"slots": slots})
    gaps = [slots] if generation(gen).search == "linear" else range(slots + 1)
    found = [
        kernel(f"{gen}.slot.miss")({**full, "mmio_gap": gap, "cold_search_fraction": 0})["slot_compare"] for gap in gaps
    ]
    return mean(found), min(found), max(found)


def published_lookups(evidence: Folders = ()) -> Table:
    """Published look-ups in cycles beside what warm compares would cost for as many entries."""
    import pandas as pd

    fit = fit_of(evidence)
    rows = []
    for row in load([Path(folder) for folder in evidence]).observations:
        if (
            row.quantity in ("slot.lookup_mean", "slot.lookup_max")
            and row.slots
            and row.slot_lookup.startswith("linear")
        ):
            warm = cost_row(fit, {"slot_search": 1, "slot_compare": row.slots})
            cold = cost_row(fit, {"slot_search": 1, "slot_compare": row.slots, "slot_compare_cold": row.slots})
            kind = "largest" if row.quantity.endswith("max") else "mean"
            rows.append((row.id, row.slots, kind, row.variant or row.workload, row.value, cell(warm), cell(cold)))
    columns = ["observation", "slots", "statistic", "workload", "cycles", "whole scan, warm", "whole scan, cold"]
    return table(pd.DataFrame(rows, columns=columns), "Published linear look-ups beside the model's whole scans")


def walk_equation() -> Formula:
    """Guest page-table entries read by one walk, nested paging included."""
    from ...equations.guest_walk import nested_walk
    from ...equations.notation import equation

    return formula(equation("W", nested_walk().events["guest_pte_read"]))


def walk_reads() -> Table:
    """Entries read by one walk for each paging mode, leaf level and, nested, L1's levels."""
    import pandas as pd

    names = {0: "paging off", 2: "32-bit", 3: "PAE", 4: "4-level", 5: "5-level"}
    rows = []
    for levels, name in names.items():
        rows.append((name, *(_reads(levels, leaf, 0) for leaf in (1, 2, 3)), _reads(levels, 1, 4)))
    columns = ["guest paging", "4 KiB page", "2 or 4 MiB page", "1 GiB page", "4 KiB page, nested in 4 levels"]
    return table(pd.DataFrame(rows, columns=columns), "Guest page-table entries read by one walk")


def _reads(levels: int, leaf: int, nested: int) -> int | str:
    try:
        scenario = {"guest_levels": levels, "leaf_level": leaf, "nested_levels": nested}
        return count("v517.guest_walk", scenario).get("guest_pte_read", 0)
    except InvalidInput:
        return "–"


def walk_costs(evidence: Folders = ()) -> Table:
    """Cost of one walk by depth: on the median machine and on each machine whose rows inform it."""
    import pandas as pd

    fit = fit_of(evidence)
    known = [name for name in fit.machines() if fit.width_left("guest_pte_read", name) < IDENTIFIED]
    rows = []
    for machine in (MEDIAN_MACHINE, *known):
        rows.append((machine, *(cell(cost_row(fit, _walk_terms(levels), machine)) for levels in (2, 4, 5))))
    columns = ["machine", "2 levels", "4 levels", "5 levels"]
    return table(pd.DataFrame(rows, columns=columns), "Cost of one guest page walk with its slot searches, 4 KiB pages")


def _walk_terms(levels: int) -> dict[str, float]:
    full = resolve("v517.guest_walk", {"guest_levels": levels})
    return {**kernel("v517.guest_walk")({**full, "cold_search_fraction": 0})}
