"""What counters moved by per turn of a loop, and whether they did so exactly.

The loops of fixed lengths (``counters``, ``trace``) give slopes between lengths, free of what the end of a run adds;
in the other experiments the total of a run is divided by its turns, end and all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from . import raw

Key = tuple[Any, ...]

LOOPS = {"counters": raw.KVM_STATS, "trace": raw.TRACEPOINT}
TOTALS = ("mmio_pages", "generation_bump", "ram_touch")


def key_of(row: Mapping[str, Any]) -> Key:
    """The setting of a row: the values of :data:`raw.SETTING`."""
    return tuple(row[name] for name in raw.SETTING)


def counts(counters: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row for each setting and counter: ``per_turn``, and ``exact``: the same between all lengths or in all runs.

    A counter that never moved in a setting has no row.
    """
    return [
        {**dict(zip(raw.SETTING, key, strict=True)), "source": source, "counter": counter, **found}
        for experiment in (*LOOPS, *TOTALS)
        for key, by_counter in _by_run(counters, experiment).items()
        for source in (LOOPS.get(experiment, raw.KVM_STATS),)
        for counter, found in (_slopes(by_counter) if experiment in LOOPS else _ratios(by_counter)).items()
    ]


def per_turn(found: Iterable[Mapping[str, Any]], experiment: str) -> dict[Key, dict[str, float]]:
    """The rows of :func:`counts` of one experiment: counts by setting and counter."""
    by_setting: defaultdict[Key, dict[str, float]] = defaultdict(dict)
    for row in found:
        if row["experiment"] == experiment:
            by_setting[key_of(row)][str(row["counter"])] = float(row["per_turn"])
    return dict(by_setting)


Runs = Mapping[tuple[int, int, int], Mapping[str, float]]


def _by_run(counters: Iterable[Mapping[str, Any]], experiment: str) -> dict[Key, Runs]:
    """Counters of each run of an experiment, by setting, then by turns, VM and repeat."""
    runs: defaultdict[Key, defaultdict[tuple[int, int, int], dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in counters:
        if row["experiment"] == experiment:
            run = (int(row["iterations"]), int(row.get("vm") or 0), int(row.get("repeat") or 0))
            runs[key_of(row)][run][str(row["counter"])] = float(row["value"])
    return {key: dict(item) for key, item in runs.items()}


def _slopes(runs: Runs) -> dict[str, dict[str, Any]]:
    ordered = sorted(runs)
    found = {}
    for name in _names(runs):
        slopes = [
            (runs[long].get(name, 0.0) - runs[short].get(name, 0.0)) / (long[0] - short[0])
            for short, long in pairwise(ordered)
            if long[0] != short[0]
        ]
        if slopes:
            found[name] = {"per_turn": slopes[-1], "exact": len(set(slopes)) == 1}
    return found


def _ratios(runs: Runs) -> dict[str, dict[str, Any]]:
    found = {}
    for name in _names(runs):
        ratios = [item.get(name, 0.0) / run[0] for run, item in runs.items()]
        found[name] = {"per_turn": median(ratios), "exact": len(set(ratios)) == 1}
    return found


def _names(runs: Runs) -> list[str]:
    return sorted({name for item in runs.values() for name in item})
