"""Which measurement to take next: candidates by how much less a decision is expected to regret once they are in.

The expected regret of a decision is what the better design would save over the one taken, on average over the
draws; a measurement is worth the part of it that it takes away (the expected value of sample information). Data
are simulated from every draw, a rule learnt from half of the draws says from the data which design to take, and
the other half tells what the rule is worth: regression on the data as in Strong, Oakley, Brennan and Breeze,
Medical Decision Making 35 (2015), with the halves exchanged so that no rule is judged by the draws it was learnt
from. What is found is therefore never more than the measurement is worth, up to the error of the sample.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..evidence import Folders
from ..evidence.measurements import Measurement, measurements
from ..fitting.design import Array
from ..fitting.fit import SEED
from ..fitting.intervals import interval
from ..fitting.store import current_fit
from .clock import clock_of
from .decision import Sample, decision, sample
from .readings import Column, columns, measured_facts
from .rules import basis, learnt, tamed, threshold
from .scenario import Scenario

COPIES = 16  # machines and facts behind each draw of the fit
OTHERS = 16  # points over which facts that a measurement does not give are averaged


@dataclass(frozen=True)
class Candidate:
    """A measurement on a kind of machine, and what it is expected to do to the decision.

    ``expected_narrowing`` is the fall of the expected regret, in the unit of the plan, with the interval that the
    size of the sample leaves; ``width_left`` the share of the difference's own interval that would stay.
    """

    measurement: str
    machine: str
    expected_narrowing: float
    narrowing_low: float
    narrowing_high: float
    expected_regret_after: float
    width_left: float
    meaning: str
    tool: str
    recipe: str


@dataclass(frozen=True)
class Plan:
    """Candidates, best first, for a decision between two designs.

    ``choice`` is the design to take by present knowledge, ``probability`` that of its being the better one. The
    interval of the expected regret is what the size of the sample leaves;
    ``open_facts`` are the symbols that the scenario leaves open; ``not_possible`` the measurements that say nothing
    in this scenario.
    """

    question: str
    designs: tuple[str, str]
    choice: str
    probability: float
    expected_regret_now: float
    regret_low: float
    regret_high: float
    unit: str
    machine: str
    open_facts: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    not_possible: tuple[str, ...]
    notes: tuple[str, ...]
    evidence: str


def plan(question: str, scenario: Scenario | None = None, *, evidence: Sequence[os.PathLike[str]] = ()) -> Plan:
    """Rank the measurements of ``data/measurements.csv`` for ``fast-mmio``, ``bypass-guest-pf`` or ``unified-loop``.

    Facts of the workload that the scenario does not set are taken as unknown over their ranges. Raises InvalidInput.
    """
    scenario = scenario or Scenario()
    folders = [Path(folder) for folder in evidence]
    asked, fit = decision(question, scenario), current_fit(folders)
    here = World(sample(asked, fit, COPIES), clock_of(scenario, None, folders).hertz)
    found, silent = [], []
    for item in measurements():
        rows = [candidate for machine in item.machines if (candidate := here.candidate(item, machine))]
        found += rows
        if not rows:
            silent.append(item.name)
    found.sort(key=lambda item: (-item.expected_narrowing, item.width_left))
    second = bool(here.saved.mean() > 0)
    return Plan(
        asked.question, asked.designs, asked.designs[second],
        float(np.mean((here.saved > 0) == second)), *here.regret, asked.unit, scenario.machine,
        tuple(fact.name for fact in asked.facts), tuple(found), tuple(silent),
        (*scenario.notes, *Folders.of(folders).notes), fit.evidence,
    )  # fmt: skip


class World:
    """The sample that all candidates are judged on: draws of costs and facts, and what the second design saves."""

    def __init__(self, drawn: Sample, hertz: float) -> None:
        asked, fit = drawn.decision, drawn.fit
        self.sample, self.hertz = drawn, hertz
        self.values = asked.values(self.sample.unit)
        self.saved: Array = self.sample.total(asked.counts(self.values, fit))
        second = float(self.saved.mean() > 0)
        self.regret = self._mean(np.maximum(self.saved, 0) - self.saved * second)

    def candidate(self, measurement: Measurement, machine: str) -> Candidate | None:
        """What a measurement on a kind of machine is worth; None where it says nothing here."""
        found = self.columns(measurement, machine)
        if not found:
            return None
        rng = np.random.default_rng([SEED, 6])
        expected, chosen = self.judged(found, [column.drawn(rng) for column in found])
        gain = self.saved * (chosen.astype(float) - float(self.saved.mean() > 0))
        value, low, high = self._mean(gain)
        return Candidate(
            measurement.name, machine, value, low, high, max(self.regret[0] - value, 0.0),
            self._width_left(expected), measurement.meaning, measurement.tool, measurement.recipe,
        )  # fmt: skip

    def _mean(self, values: Array) -> tuple[float, float, float]:
        """Mean of values (points,) that is not negative, with the 95 % interval that the sample leaves."""
        draws = values.reshape(self.sample.copies, -1).mean(axis=0)  # copies of one draw are not independent
        mean, half = max(float(draws.mean()), 0.0), 1.96 * float(draws.std(ddof=1)) / math.sqrt(len(draws))
        return mean, max(mean - half, 0.0), mean + half

    def columns(self, measurement: Measurement, machine: str) -> tuple[Column, ...]:
        """The readings of a measurement that say something here."""
        return columns(measurement, machine, self.sample, self.values, self.saved, self.hertz)

    def judged(self, found: Sequence[Column], data: Sequence[Array]) -> tuple[Array, Any]:
        """What the second design is expected to save in the light of the data, and where it is taken, (points,) each.

        Each half of the draws is judged by the rule of the other.
        """
        features, scale = self.features(found, data)
        target = tamed(self.saved / scale)
        half = self.sample.draw % 2
        expected, chosen = np.empty(self.sample.points), np.empty(self.sample.points, dtype=bool)
        for part in (0, 1):
            own, other = half == part, half != part
            rule = learnt(features[other], target[other])
            cut = threshold(rule(features[other]), self.saved[other], self.sample.draw[other])
            expected[own] = rule(features[own])
            chosen[own] = expected[own] > cut
        return expected * scale, chosen

    def features(self, found: Sequence[Column], data: Sequence[Array]) -> tuple[Array, Array]:
        """Columns that a rule may use, (points, columns), and a size by which the saving is divided, (points,).

        The size is known from the data, so dividing by it changes no sign; it keeps a few large machines or rates
        from ruling the regression.
        """
        costs = [value for column, value in zip(found, data, strict=True) if column.kind == "cost"]
        shown: list[Array] = []
        scale = np.ones(self.sample.points)
        if costs:
            size = np.mean(costs, axis=0)
            shown = [size, *(np.exp(value - size) for value in costs[1:])]
            scale = np.exp(size - size.mean())
        shown += [value for column, value in zip(found, data, strict=True) if column.kind == "fact"]
        shown += [_tame(value) for column, value in zip(found, data, strict=True) if column.kind == "difference"]
        facts = measured_facts(found, data)
        if facts:
            best, gross = self._guess(facts)
            shown.append(best / gross)
            scale = scale * gross
        return basis(shown), scale

    def _guess(self, facts: dict[str, Array]) -> tuple[Array, Array]:
        """The saving at the facts as read, on average over the others, and the same with all its terms positive."""
        asked, fit = self.sample.decision, self.sample.fit
        others = asked.values(_spread_points(len(asked.facts)))
        best, gross = np.zeros((2, self.sample.points))
        for place in range(OTHERS):
            counts = asked.counts({name: value[place] for name, value in others.items()} | facts, fit)
            costs = self.sample.costs(tuple(counts)).mean(axis=0)
            for count, cost in zip(counts.values(), costs, strict=True):
                best += count * cost
                gross += np.abs(count) * cost
        return best, gross

    def _width_left(self, expected: Array) -> float:
        """Width of the interval of what the data leave open, over that of the saving now."""
        now, left = _width(self.saved), _width(self.saved - expected)
        return min(left / now, 1.0) if now else 0.0


def _spread_points(facts: int) -> Array:
    """Coordinates (facts, OTHERS) that fill the ranges evenly."""
    from scipy.stats import qmc

    return np.asarray(qmc.Sobol(facts, rng=np.random.default_rng([SEED, 8])).random(OTHERS).T)


def _width(values: Array) -> float:
    found = interval(values)
    assert found.low is not None and found.high is not None  # costs are finite
    return found.high - found.low


def _tame(value: Array) -> Array:
    return np.asarray(np.arcsinh(value / max(float(np.median(np.abs(value))), 1e-300)))
