"""The workload pairs of 2011: what the runs show, what the model adds, what would have to be true."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...evidence import load
from ...vocabulary import MIX_SYMBOLS
from ...whatif.workload import Explanation, Pair, explanation, pairs, statistics
from .. import charts
from ..display import Figure, Table, figure, table
from ..numbers import estimate_text, percent, quantity_text

Folders = Sequence[str]
ACCESSES, PER_SECOND = (
    next(item.default or 0.0 for item in MIX_SYMBOLS if item.name == name)
    for name in ("accesses_per_transaction", "mmio_rate")
)


def _pairs(evidence: Folders) -> tuple[Pair, ...]:
    return pairs(load([Path(folder) for folder in evidence]))


def pair_figure(evidence: Folders = ()) -> Figure:
    """Gain of each pair with the interval that three runs a side allow, and what the model predicts for it."""
    import pandas as pd

    known = load([Path(folder) for folder in evidence])
    rows, beyond = [], 0
    for pair in pairs(known):
        found = statistics(pair)
        rows.append((pair.label, "measured, paired t", *_percents(found.gain, *found.paired)))
        rows.append((pair.label, "measured, pooled t", *_percents(found.gain, *found.pooled)))
        accesses = ACCESSES if pair.unit == "trans/s" else PER_SECOND
        for cold, label in ((0.0, "model, searches warm"), (1.0, "model, first search cold")):
            forward = explanation(pair, known, slots=32, cold=cold, accesses=accesses).forward
            rows.append((pair.label, label, forward.value, forward.low, forward.high))
            beyond += cold == 0 and forward.high is not None and 100 * found.gain > forward.high
    frame = pd.DataFrame(rows, columns=["pair", "method", "value", "low", "high"])
    see = (
        f"{beyond} of {len(pairs(known))} published gains lie above all that {ACCESSES:g} stores a netperf transaction,"
        f" or {PER_SECOND:g} a second of kernbench, would save with 32 slots and warm searches. The accesses of a"
        f" transaction, the slots and the clock were not published: the model's bars are for assumed values of them."
    )
    return figure(
        charts.workload_pairs(frame), title="Gain of the workload pairs of 2011, measured and predicted", see=see
    )


def _percents(*values: float) -> tuple[float, ...]:
    return tuple(100 * value for value in values)


def pair_table(evidence: Folders = ()) -> Table:
    """What three runs a side could show at all."""
    import pandas as pd

    rows = []
    for pair in _pairs(evidence):
        found = statistics(pair)
        rows.append(
            (
                pair.label, percent(found.gain, *found.paired), percent(found.gain, *found.pooled),
                percent(round(found.sd_of_run, 4)), quantity_text(found.permutation_p),
                percent(round(found.smallest_gain, 4)), percent(round(found.power_at_1_percent, 2)),
                percent(round(found.power_at_2_percent, 2)),
            )
        )  # fmt: skip
    columns = [
        "pair", "gain, paired t", "gain, pooled t", "sd of one run", "permutation p", "smallest gain at 80 % power",
        "power for 1 %", "power for 2 %",
    ]  # fmt: skip
    return table(pd.DataFrame(rows, columns=columns), "The pairs of 2011 and what so few runs can show")


def pair_explanations(evidence: Folders = ()) -> Table:
    """Accesses that would have to happen for each published gain to be the slot walk alone."""
    import pandas as pd

    known = load([Path(folder) for folder in evidence])
    rows = []
    for pair in pairs(known):
        for slots in (8, 32):
            for cold in (0.0, 1.0):
                open_, equal = (
                    explanation(pair, known, slots=slots, cold=cold, equal_exits=flag) for flag in (False, True)
                )
                per = "a second" if pair.unit == "s" else "a transaction"
                rows.append((pair.label, slots, "cold" if cold else "warm", per, _needed(open_), _needed(equal)))
    columns = ["pair", "slots", "first search", "per", "stores needed", "stores needed if both exits cost the same"]
    clock = known.assumptions["clock_not_stated"]
    ghz = quantity_text(clock.value / 1e9, unit="GHz")
    caption = f"Stores that would explain each gain, at an assumed clock of {ghz} within a factor {clock.factor}"
    return table(pd.DataFrame(rows, columns=columns), caption)


def _needed(found: Explanation) -> str:
    return estimate_text(found.needed.value, found.needed.low, found.needed.high)
