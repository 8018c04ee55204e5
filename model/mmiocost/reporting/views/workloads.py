"""The workload results: what the runs show, what the model predicts, what would have to be true."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...evidence import Evidence, Observation, load
from ...fitting.score import Scored
from ...whatif.workload import Explanation, Pair, explanation, pairs, statistics
from ...whatif.workload_rows import ACCESSES, PER_SECOND, SLOTS, stores_needed, workload_verdicts
from .. import charts
from ..display import Figure, Table, figure, table
from ..numbers import estimate_text, percent, quantity_text
from .frames import MISSING, fit_of

Folders = Sequence[str]


def _pairs(evidence: Folders) -> tuple[Pair, ...]:
    return pairs(load([Path(folder) for folder in evidence]))


def pair_figure(evidence: Folders = ()) -> Figure:
    """Gain of each pair with the interval that three runs a side allow, and what the model predicts for it."""
    import pandas as pd

    known, fit = load([Path(folder) for folder in evidence]), fit_of(evidence)
    rows, beyond = [], 0
    for pair in pairs(known):
        found = statistics(pair)
        rows.append((pair.label, "measured, paired t", *_percents(found.gain, *found.paired)))
        rows.append((pair.label, "measured, pooled t", *_percents(found.gain, *found.pooled)))
        accesses = ACCESSES if pair.unit == "trans/s" else PER_SECOND
        for cold, label in ((0.0, "model, searches warm"), (1.0, "model, first search cold")):
            forward = explanation(pair, known, fit, slots=SLOTS, cold=cold, accesses=accesses).forward
            rows.append((pair.label, label, forward.value, forward.low, forward.high))
            beyond += cold == 0 and forward.high is not None and 100 * found.gain > forward.high
    frame = pd.DataFrame(rows, columns=["pair", "method", "value", "low", "high"])
    see = (
        f"{beyond} of {len(pairs(known))} published gains lie above all that {ACCESSES:g} stores a netperf transaction,"
        f" or {PER_SECOND:g} a second of kernbench, would save with {SLOTS} slots and warm searches. The accesses of a"
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

    known, fit = load([Path(folder) for folder in evidence]), fit_of(evidence)
    rows = []
    for pair in pairs(known):
        for slots in (8, SLOTS):
            for cold in (0.0, 1.0):
                open_, equal = (
                    explanation(pair, known, fit, slots=slots, cold=cold, equal_exits=flag) for flag in (False, True)
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


def _results(evidence: Folders) -> tuple[Evidence, list[tuple[Observation, Scored | str]]]:
    """Every workload result kept for validation, with its prediction or the reason why there is none."""
    known = load([Path(folder) for folder in evidence])
    rows = [row for row in known.observations if row.use == "validation"]
    found = workload_verdicts(rows, known, fit_of(evidence))
    return known, [(row, item if isinstance(item, Scored) else item[1]) for row, item in zip(rows, found, strict=True)]


def workload_figure(evidence: Folders = ()) -> Figure:
    """Every result after a change as a gain in percent: published, and predicted under the values assumed."""
    import pandas as pd

    known, results = _results(evidence)
    pair_of = {pair.comparison: pair for pair in pairs(known)}
    rows, scored = [], 0
    for row, found in results:
        if isinstance(found, str):
            continue
        pair = pair_of.get(row.comparison)
        label = pair.label if pair else row.workload or row.id
        rows.append((label, "published", *[_gain(row, row.value, pair)] * 3))
        edges = sorted(_gain(row, value, pair) for value in (found.low, found.high))
        rows.append((label, "predicted", _gain(row, found.predicted, pair), *edges))
        scored += 1
    inside = sum(isinstance(found, Scored) and found.inside for _, found in results)
    see = (
        f"{inside} of {scored} results lie in the 95 % interval of their prediction. A run is predicted from those"
        f" before the change, and their scatter makes most of the bar; stores, slots and clock are assumed."
    )
    frame = pd.DataFrame(rows, columns=["pair", "method", "value", "low", "high"]).drop_duplicates()
    return figure(charts.workload_pairs(frame), title="Gain of every workload result, published and predicted", see=see)


def _gain(row: Observation, value: float, pair: Pair | None) -> float:
    """Percent by which performance is better than the mean of the runs before."""
    if pair is None:
        return value
    base = sum(pair.before) / len(pair.before)
    return 100 * ((base / value if pair.unit == "s" else value / base) - 1)


def workload_table(evidence: Folders = ()) -> Table:
    """Every workload result, predicted or not, with what was assumed or why it is not predicted."""
    import pandas as pd

    rows = []
    for row, found in _results(evidence)[1]:
        unit = "%" if row.unit == "percent" else row.unit
        told = (MISSING, MISSING, found) if isinstance(found, str) else _told(found, unit)
        place = " ".join(part for part in (row.workload, row.patch_state, row.variant) if part)
        rows.append((row.id, place, quantity_text(row.value, unit=unit), *told))
    columns = ["observation", "workload", "published", "predicted", "95 % interval", "assumed, or why not predicted"]
    return table(pd.DataFrame(rows, columns=columns), "Every workload result against its prediction")


def _told(found: Scored, unit: str) -> tuple[str, str, str]:
    predicted = quantity_text(found.predicted, found.low, found.high, unit)
    return predicted, "inside" if found.inside else "outside", found.assumed


def change_explanations(evidence: Folders = ()) -> Table:
    """Stores a second that would explain each change published in percent without its base."""
    import pandas as pd

    known, results = _results(evidence)
    rows = []
    for row, found in results:
        if row.unit == "percent":
            needed = stores_needed(row, known, fit_of(evidence))
            said = estimate_text(needed.value, needed.low, needed.high, "1/s") if needed else str(found)
            rows.append((row.source_id, row.workload, quantity_text(row.value, unit="%"), said))
    columns = ["source", "workload", "published change", "stores needed"]
    return table(pd.DataFrame(rows, columns=columns), "Rate of stores that would explain each published change")
