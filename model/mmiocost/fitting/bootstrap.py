"""Bootstrap by source: fits of sources drawn with replacement, to cross-check intervals without a model of error.

Comes in: the rows and a fit of them. Goes out: for each asked cost the interval of the refits beside that of the
fit's draws. With few sources it is coarse: a refit that has lost every source of a cost shows its prior's median.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..evidence import Evidence, Prior
from .batch import Batch, Compact, solve_all
from .calibration import DIGITS
from .design import Array, Design, Hyper, Key, build, effect_keys, log_median
from .fit import LEVEL, MEDIAN_MACHINE, Fit, fit_evidence
from .intervals import Interval, interval
from .mixture import fit_mixture
from .prediction import weighted_costs
from .rows import Row
from .simulation import MEDIAN_COSTS, NEW_MACHINE_PATH, access_counts
from .solve import DEGREES, solve

REFITS = 1000
SEED = 20110611
FIRST = 10  # refits whose costs are kept one by one


@dataclass(frozen=True)
class Refits:
    """How often each source was ``drawn``, (refits, sources); ``unknowns`` (refits, keys) at each optimum, in log;
    ``objective`` (refits,) there.
    """

    design: Design
    drawn: Array
    unknowns: Array
    objective: Array

    def median_costs(self, counts: Mapping[str, float]) -> Array:
        """Sum of counted costs on the median machine in cycles, (refits,)."""
        priors, place = self.design.priors, {key: number for number, key in enumerate(self.design.keys)}
        found = np.zeros(len(self.unknowns))
        for parameter, count in counts.items():
            keys = effect_keys(parameter, MEDIAN_MACHINE, "", priors)
            moved = sum(self.unknowns[:, place[key]] for key in keys if key[0] == "a" and key in place)
            found += count * np.exp(log_median(parameter, priors) + moved)
        return found


@dataclass(frozen=True)
class CrossCheck:
    """A cost of the median machine in cycles: value and 95 % interval of the refits, and of the fit's draws.

    ``lost``: share of the refits in which a part of the cost that rows inform has lost all sources of its rows.
    ``first``: the cost in the first refits, to make a sample again.
    """

    cost: str
    low: float
    value: float
    high: float
    fit_low: float
    fit_value: float
    fit_high: float
    lost: float
    first: tuple[float, ...]

    @property
    def width_ratio(self) -> float:
        """Width of the refits' interval over that of the fit's, in logarithms."""
        return float(np.log(self.high / self.low) / np.log(self.fit_high / self.fit_low))


def multiplicities(rows: Sequence[Row], count: int, rng: np.random.Generator) -> tuple[Array, tuple[str, ...]]:
    """How often each source was drawn, (count, sources), and the names of the sources."""
    names = tuple(dict.fromkeys(row.source for row in rows))
    return rng.multinomial(len(names), [1 / len(names)] * len(names), size=count).astype(float), names


def resampled(rows: Sequence[Row], design: Design, hyper: Hyper, drawn: Array, degrees: float = DEGREES) -> Batch:
    """The refits of ``drawn``, (refits, sources) with sources in the order of ``rows``.

    A source that was drawn twice is another machine with the same rows. Two machines with the same rows have the
    same effects at the optimum, so that one with all its terms doubled, rows and effects alike, stands for both.
    """
    names = list(dict.fromkeys(row.source for row in rows))
    weight = drawn[:, [names.index(row.source) for row in rows]]
    deviation = np.sqrt(design.prior_variance(hyper)) / np.sqrt(_of_unknowns(rows, design.keys, weight))
    shape = weight.shape
    return Batch(
        Compact(design),
        deviation,
        np.zeros(deviation.shape),
        np.broadcast_to(design.target, shape),
        np.broadcast_to(design.sd, shape),
        weight,
        degrees,
    )


def _of_unknowns(rows: Sequence[Row], keys: Sequence[Key], weight: Array) -> Array:
    """How often each unknown's machine was drawn, (refits, unknowns); 1 where it was not or has none."""
    found = np.ones((len(weight), len(keys)))
    for place, key in enumerate(keys):
        if key[0] != "a":
            machine = key[2] if key[0] == "k" else key[1]
            lines = [line for line, row in enumerate(rows) if row.machine == machine]
            found[:, place] = np.maximum(weight[:, lines].max(axis=1), 1.0)
    return found


def refits(
    rows: Sequence[Row], priors: Mapping[str, Prior], hyper: Hyper, count: int = REFITS, degrees: float = DEGREES
) -> Refits:
    """Refits of sources drawn with replacement, each from the fit of all of them, at fixed scatter."""
    design = build(rows, priors)
    drawn, _ = multiplicities(rows, count, np.random.default_rng(SEED))
    batch = resampled(rows, design, hyper, drawn, degrees)
    start = solve(design, hyper, degrees=degrees).effects
    whitened, objective = solve_all(batch, start / batch.deviation)
    return Refits(design, drawn, whitened * batch.deviation, objective)


def asked() -> dict[str, dict[str, float]]:
    """Counts of the main costs and sums of the median machine, by name."""
    costs: dict[str, dict[str, float]] = {name: {name: 1.0} for name in MEDIAN_COSTS}
    for userspace, where in ((1, "to user space"), (0, "in the kernel")):
        costs[f"{NEW_MACHINE_PATH} {where}"] = access_counts(userspace)
    return {f"{name}, {MEDIAN_MACHINE}": counts for name, counts in costs.items()}


def cross_checks(evidence: Evidence, count: int = REFITS) -> tuple[CrossCheck, ...]:
    """The intervals of the asked costs from refits at the most probable scatter, and from the fit."""
    fit, mixture, rows = fit_evidence(evidence)
    found = refits(rows, evidence.priors, mixture.best().hyper, count)
    return tuple(_cross_check(name, counts, rows, fit, found) for name, counts in asked().items())


def first_refits(rows: Sequence[Row], priors: Mapping[str, Prior]) -> dict[str, tuple[float, ...]]:
    """The asked costs in the first few refits, which are the same however many there are."""
    hyper = fit_mixture(build(rows, priors)).best().hyper
    found = refits(rows, priors, hyper, FIRST)
    return {name: _first(found.median_costs(counts)) for name, counts in asked().items()}


def _cross_check(name: str, counts: Mapping[str, float], rows: Sequence[Row], fit: Fit, found: Refits) -> CrossCheck:
    costs = found.median_costs(counts)
    ours = _rounded(interval(costs, LEVEL))
    theirs = _rounded(interval(weighted_costs(fit, counts, MEDIAN_MACHINE), LEVEL))
    lost = round(float(np.mean(_lost(counts, rows, found.drawn))), DIGITS)
    return CrossCheck(name, ours[1], ours[0], ours[2], theirs[1], theirs[0], theirs[2], lost, _first(costs))


def _first(costs: Array) -> tuple[float, ...]:
    return tuple(np.round(costs[:FIRST], DIGITS).tolist())


def _rounded(found: Interval) -> list[float]:
    return [round(number or 0.0, DIGITS) for number in found]


def _lost(counts: Mapping[str, float], rows: Sequence[Row], drawn: Array) -> Array:
    """Whether a refit has no source left for some part of a cost, (refits,)."""
    names = list(dict.fromkeys(row.source for row in rows))
    lost = np.zeros(len(drawn), bool)
    for part in counts:
        own = [names.index(row.source) for row in rows if part in row.counts or part in row.per]
        if own:
            lost |= drawn[:, own].sum(axis=1) == 0
    return lost
