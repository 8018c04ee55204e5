"""The workload pairs of 2011: what three runs a side show, and what would have to be true to explain them.

A pair is before and after a change on one machine; gains are logarithms of ratios, positive when after is better.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..evidence import Evidence, Observation
from ..fitting.design import Array
from ..fitting.fit import LEVEL, SEED, Fit
from ..fitting.intervals import Interval, interval
from ..fitting.prediction import weighted_costs
from .scenario import Scenario
from .terms import SAVING, by_parameter, quantity_terms

POWER = 0.8
TCP_RR, KERNBENCH = "workload.netperf_tcp_rr", "workload.kernbench"


@dataclass(frozen=True)
class Pair:
    """Runs before and after, as published; ``ept`` says which paging the host used."""

    comparison: str
    quantity: str
    ept: int
    before: tuple[float, ...]
    after: tuple[float, ...]
    unit: str
    source: str

    @property
    def label(self) -> str:
        """Posting, workload and paging in a few words."""
        workload = "kernbench" if self.quantity == KERNBENCH else "netperf"
        return f"{self.source.removeprefix('xiao2011_')} {workload}, {'EPT' if self.ept else 'EPT off'}"

    def gains(self) -> tuple[Array, Array]:
        """Logs of performance of the runs before and after."""
        sign = -1.0 if self.quantity == KERNBENCH else 1.0
        return sign * np.log(self.before), sign * np.log(self.after)

    def seconds_saved(self) -> float:
        """Time saved of one transaction, or of the whole build, in seconds."""
        before, after = np.mean(self.before), np.mean(self.after)
        if self.quantity == KERNBENCH:
            return float(before - after)
        return float(np.mean(1 / np.array(self.before)) - np.mean(1 / np.array(self.after)))


@dataclass(frozen=True)
class PairStatistics:
    """What the runs of a pair show, in log units: the gain by paired and pooled t, and what they could show."""

    pair: Pair
    gain: float
    paired: tuple[float, float]
    pooled: tuple[float, float]
    sd_of_run: float
    permutation_p: float
    smallest_gain: float
    power_at_1_percent: float
    power_at_2_percent: float


def pairs(evidence: Evidence) -> tuple[Pair, ...]:
    """The pairs with several runs a side, netperf TCP_RR and kernbench, in the order of the evidence."""
    groups: dict[str, list[Observation]] = {}
    for row in evidence.observations:
        if row.use == "validation" and row.quantity in (TCP_RR, KERNBENCH):
            groups.setdefault(row.comparison, []).append(row)
    found = (_pair(name, rows) for name, rows in groups.items())
    return tuple(pair for pair in found if min(len(pair.before), len(pair.after)) >= 2)


def _pair(name: str, rows: Sequence[Observation]) -> Pair:
    sides = [tuple(row.value for row in rows if row.patch_state == side) for side in ("before", "after")]
    first = rows[0]
    return Pair(name, first.quantity, int(first.ept or 0), sides[0], sides[1], first.unit, first.source_id)


def statistics(pair: Pair) -> PairStatistics:
    """Intervals by t, exact one-sided permutation p, and the power of so few runs (model/statistics.md)."""
    from scipy.stats import t

    before, after = pair.gains()
    gain = float(after.mean() - before.mean())
    differences = after - before
    half = float(t.ppf(0.5 + LEVEL / 2, len(differences) - 1) * differences.std(ddof=1) / math.sqrt(len(differences)))
    degrees = len(before) + len(after) - 2
    sd = math.sqrt((before.var(ddof=1) * (len(before) - 1) + after.var(ddof=1) * (len(after) - 1)) / degrees)
    error = sd * math.sqrt(1 / len(before) + 1 / len(after))
    pooled = float(t.ppf(0.5 + LEVEL / 2, degrees) * error)
    return PairStatistics(
        pair, gain, (gain - half, gain + half), (gain - pooled, gain + pooled), sd, _permutation_p(before, after),
        _smallest_gain(error, degrees), _power(0.01, error, degrees), _power(0.02, error, degrees),
    )  # fmt: skip


def _permutation_p(before: Array, after: Array) -> float:
    """Share of all ways to split the runs that are at least as far apart as the published one."""
    runs = np.concatenate([before, after])
    means = [runs[list(chosen)].mean() for chosen in itertools.combinations(range(len(runs)), len(after))]
    return float(np.mean(np.array(means) >= after.mean() - 1e-12))


def _power(gain: float, error: float, degrees: int) -> float:
    from scipy.stats import nct, t

    edge = t.ppf(0.5 + LEVEL / 2, degrees)
    shift = min(gain / error, 30.0)  # beyond it the power is 1, and the distribution function fails
    wrong_side = np.nan_to_num(nct.cdf(-edge, degrees, shift))  # NaN where it is smaller than any number
    return float(nct.sf(edge, degrees, shift) + wrong_side)


def _smallest_gain(error: float, degrees: int) -> float:
    from scipy.optimize import brentq

    return float(brentq(lambda gain: _power(gain, error, degrees) - POWER, 0.0, 30 * error))


@dataclass(frozen=True)
class Explanation:
    """What must hold for a pair's gain to be the slot walk alone: accesses per transaction (kernbench: per second).

    ``forward`` is the gain in percent that ``accesses`` accesses a transaction (a second) would bring.
    """

    pair: Pair
    slots: int
    cold: float
    equal_exits: bool
    needed: Interval
    accesses: float
    forward: Interval


def explanation(
    pair: Pair,
    evidence: Evidence,
    fit: Fit,
    *,
    slots: int,
    cold: float,
    equal_exits: bool = False,
    accesses: float = 20.0,
) -> Explanation:
    """Accesses that would explain a pair at a number of slots, with warm (0) or cold (1) first searches.

    The clock of 2011 is not published: the assumption ``clock_not_stated`` turns time into cycles, with its
    uncertainty. Gains are drawn from the pooled t distribution of the runs. With ``equal_exits`` a violation and
    a misconfiguration are taken to cost the same.
    """
    rng = np.random.default_rng([SEED, 2011, 2])
    symbols = {"slots": slots} if pair.ept else {"slots": slots, "guest_levels": _guest_levels(pair)}
    mode = "ept" if pair.ept else "shadow"
    saved = saving_draws(Scenario(mode=mode, counts=symbols, mix={"cold_search_fraction": cold}), fit, equal_exits)
    hertz = clock_draws(evidence, len(saved))
    found = statistics(pair)
    scale = (found.pooled[1] - found.gain) / _t_quantile(len(pair.before) + len(pair.after) - 2)
    gain = found.gain + scale * rng.standard_t(len(pair.before) + len(pair.after) - 2, len(saved))
    base = _base_seconds(pair)
    cycles = np.clip(1 - np.exp(-gain), 0, None) * base * hertz
    # Where an access saves nothing, no number of them explains a gain.
    per_base = np.where(saved > 0, cycles / np.where(saved > 0, saved, 1.0), np.inf)
    if pair.quantity == KERNBENCH:
        per_base = per_base / base
    forward = 100 * accesses * saved / (hertz if pair.quantity == KERNBENCH else base * hertz)
    return Explanation(pair, slots, cold, equal_exits, interval(per_base), accesses, interval(forward))


def _t_quantile(degrees: int) -> float:
    from scipy.stats import t

    return float(t.ppf(0.5 + LEVEL / 2, degrees))


def _base_seconds(pair: Pair) -> float:
    """Seconds of one transaction, or of the build, before the change."""
    if pair.quantity == KERNBENCH:
        return float(np.mean(pair.before))
    return float(np.mean(1 / np.array(pair.before)))


def saving_draws(scenario: Scenario, fit: Fit, equal_exits: bool = False) -> Array:
    """Draws of the cycles that an MMIO access saves, (draws,); with ``equal_exits`` all kinds of exit cost the same."""
    terms, _ = quantity_terms(SAVING, scenario)
    counts = by_parameter(terms, scenario, fit)
    if equal_exits:
        counts = {name: count for name, count in counts.items() if not name.startswith("vm_exit_")}
    return weighted_costs(fit, counts)


def clock_draws(evidence: Evidence, count: int) -> Array:
    """Draws of a clock that no source states, in Hz: the assumption with its factor."""
    clock = evidence.assumptions["clock_not_stated"]
    unit = np.random.default_rng([SEED, 2011]).standard_normal(count)
    return np.asarray(clock.value * np.exp(unit * math.log(clock.factor or 1.0) / 1.96))


def _guest_levels(pair: Pair) -> int:
    """The first posting is of an x86_64 host (4 levels assumed), the second of an x86_32 one (PAE assumed)."""
    return 3 if pair.source.endswith("v2") else 4
