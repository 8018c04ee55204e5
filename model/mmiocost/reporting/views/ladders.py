"""Slot searches on tree and array kernels: what grows with the number of slots, with the scores of every form."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator

from ...evidence import load
from ...fitting.selection import growth, ladders
from .. import charts
from ..display import Figure, Table, figure, table
from ..numbers import quantity_text
from .frames import MISSING, doubling
from .score_cells import score_columns, score_numbers, verdict_text

_ON_THE_PROBE = "depth, at the cost of a compare"  # the equations' count of a search in vain, at the fit's prior
_ON_THE_SELFTEST = "depth"
_DOUBLINGS = "doublings_of_the_slot_count"


def scored_ladders() -> tuple[tuple[growth.Ladder, tuple[growth.ScoredGrowth, ...]], ...]:
    """Every ladder with its forms."""
    return tuple((ladder, growth.scored_growth(ladder)) for ladder in ladders.ladders(load()))


def ladder_scores() -> Iterator[Table]:
    """What grows with the slot count on tree and array kernels: every form with its scores."""
    import pandas as pd

    says = [(form.name, form.says) for form in growth.growth_forms()]
    yield table(pd.DataFrame(says, columns=["form", "what it says"]), "Forms of what grows with the number of slots")
    for ladder, forms in scored_ladders():
        found = [item.score for item in forms]
        schemes = tuple(item.left_out for item in found[0].schemes)
        used = next(item for item in found if item.form == used_form(ladder))
        rows = []
        for item in forms:
            coefficients = "; ".join(_time(*part) for part in growth.coefficients(ladder, item)) or MISSING
            told = verdict_text(used, item.score, deciding(ladder))
            rows.append((item.form.name, told, *score_numbers(item.score, schemes), coefficients))
        columns = ["form", f"against “{used.form}”", *score_columns(schemes), "per level, or per slot"]
        yield table(pd.DataFrame(rows, columns=columns), f"{ladder.name[:1].upper()}{ladder.name[1:]}: {ladder.told}")


def ladder_figure() -> Figure:
    """MMIO stores less OUT on the same virtual machine, against slots, beside the equations' search in vain."""
    import pandas as pd

    ladder = scored_ladders()[0][0]
    by_machine: defaultdict[str, dict[str, growth.Measured]] = defaultdict(dict)
    for row in ladder.rows:
        by_machine[row.machine][row.series.split(",")[0]] = row
    points = []
    for machine, rows in by_machine.items():
        store, port = rows["mmio_store_any"], rows["pio_out_any"]
        side = 1.96 * math.hypot(store.error, port.error)
        points.append((machine.split(",")[0], store.slots, store.value - port.value, side))
    first = {case: value for case, slots, value, _ in points if slots == 1}
    frame = pd.DataFrame(
        [
            *((f"measured, {case}", slots, value - first[case], value - first[case] - side, value - first[case] + side)
              for case, slots, value, side in sorted(points)),
            *_counted(ladder),
        ],
        columns=["case", "slots", "value", "low", "high"],
    )  # fmt: skip
    most = frame[frame["slots"] == frame["slots"].max()].set_index("case")["value"]
    frame[_DOUBLINGS] = [math.log2(slots) for slots in frame["slots"]]
    quantity = "Cost beyond that with one slot"
    chart = charts.saving_vs_slots(frame, unit="ns", variable=_DOUBLINGS, quantity=quantity, log=False)
    told = "; ".join(f"{case}: {quantity_text(round(value), unit='ns')}" for case, value in most.items())
    see = f"Growth of a store to MMIO less an OUT on the same machine, up to the largest slot count: {told}."
    return figure(chart, title="Does a store to MMIO on the live probe search among the slots?", see=see)


def _counted(ladder: growth.Ladder) -> Iterator[tuple[str, int, float, float, float]]:
    """The equations' entries beyond those with one slot, at the prior of a warm compare."""
    centre, sd = ladder.level or (0.0, 0.0)
    levels = {int(row.slots): row.levels for row in ladder.rows}
    for slots in doubling(1, max(levels)):
        more = levels[slots] - levels[1]
        yield "as counted, warm", slots, more * centre, more * (centre - 1.96 * sd), more * (centre + 1.96 * sd)


def used_form(ladder: growth.Ladder) -> str:
    """The form that the others are compared with: the equations' own."""
    return _ON_THE_PROBE if ladder.level else _ON_THE_SELFTEST


def deciding(ladder: growth.Ladder) -> str:
    """What is left out: the whole source where a cost is known beforehand, else slot counts."""
    return "source" if ladder.level else "slot count"


def _time(value: float, low: float, high: float) -> str:
    """A time given in ns; from a microsecond on in that unit."""
    if abs(value) < 1000:
        return quantity_text(value, low, high, "ns")
    return quantity_text(value / 1000, low / 1000, high / 1000, "µs")
