"""Whether ``plan`` ranks well: measurements simulated from known truths, and decisions taken after real refits.

In every replicate a host and its workload are drawn; the best and the last measurement of the plan and one chosen
at random are simulated; the evidence is fitted again with the costs that they give, and the draws are weighted by
the facts and differences. The design of the lower expected cost is taken, and the truth says what that regrets.
Nothing here uses the rules by which the plan ranked. :mod:`.plan_validation` runs all of it and keeps the result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from .. import __version__
from ..evidence import Evidence, evidence_hash, load
from ..evidence.measurements import Measurement, measurements
from ..fitting.calibration import DIGITS, refit
from ..fitting.design import Hyper, build
from ..fitting.fit import Fit
from ..fitting.mixture import GRID, fit_mixture
from ..fitting.rows import Row, fit_rows
from ..fitting.solve import DEGREES
from ..fitting.store import current_fit
from .decision import Decision, decision, sample
from .next_measurement import Plan, World, plan
from .plan_result import Checked, PlanStudy, code_hash
from .readings import Column
from .scenario import Scenario

SEED = 20110611
REPLICATES = 200
DRAWS = 80  # of each refit
COPIES = 4  # facts behind each draw
LIKELY = 0.01  # points of the grid that the evidence gives less weight are left out of the refits

_QUIET = {
    "mmio_rate": 2e4, "mmio_pages": 1.0, "zapping_rate": 0.0, "accesses_per_transaction": 20.0,
    "cycles_per_transaction": 3.5e6,
}  # fmt: skip
#: Decisions that are not clear beforehand, a population's machine each.
STUDIES: tuple[tuple[str, Scenario], ...] = (
    ("fast-mmio", Scenario(counts={"slots": 2}, mix=_QUIET)),
    ("bypass-guest-pf", Scenario(
        mode="shadow", counts={"slots": 8}, mix={"fault_rate": 1e4, "unsync_rate": 0.0, "true_fault_fraction": 0.286},
    )),
    ("unified-loop", Scenario(counts={"slots": 8}, mix={"unlink_rate": 0.0})),
)  # fmt: skip

Say = Callable[[str], None]


@dataclass(frozen=True)
class Ground:
    """What every replicate of a study shares: the fit that truths come from, and how to fit again."""

    asked: Decision
    fit: Fit
    evidence: Evidence
    rows: tuple[Row, ...]
    grid: tuple[Hyper, ...]
    ranked: Plan
    known: dict[str, Measurement]
    hertz: float

    @property
    def candidates(self) -> tuple[tuple[str, str], ...]:
        """(measurement, machine) of all candidates, best first."""
        return tuple((item.measurement, item.machine) for item in self.ranked.candidates)


def check(replicates: int = REPLICATES, say: Say = lambda line: None) -> Checked:
    """All studies; ``say`` is told of the progress. Raises InvalidInput where the evidence is damaged."""
    found = [study(ground(question, scenario), replicates, say) for question, scenario in STUDIES]
    made = datetime.now(UTC).isoformat(timespec="seconds")
    return Checked(made, __version__, evidence_hash(), code_hash(), SEED, DRAWS, tuple(found))


def ground(question: str, scenario: Scenario) -> Ground:
    """The ground of a study."""
    evidence = load()
    rows = fit_rows(evidence)
    mixture = fit_mixture(build(rows, evidence.priors), GRID)
    grid = tuple(point for point, weight in zip(GRID, mixture.weights, strict=True) if weight > LIKELY)
    hertz = evidence.assumptions["clock_not_stated"].value
    return Ground(
        decision(question, scenario), current_fit(), evidence, rows, grid, plan(question, scenario),
        {item.name: item for item in measurements()}, hertz,
    )  # fmt: skip


def study(here: Ground, replicates: int, say: Say = lambda line: None) -> PlanStudy:
    """Regrets in all replicates of one decision; replicate number i is the same however many there are."""
    found = []
    for number in range(replicates):
        found.append(regrets(here, number))
        if (number + 1) % 20 == 0 or number + 1 == replicates:
            say(f"{here.asked.question}: {number + 1} of {replicates} replicates")
    rounded = np.round(np.array(found), DIGITS).T
    scenario = here.asked.scenario
    first, last = here.ranked.candidates[0], here.ranked.candidates[-1]
    return PlanStudy(
        here.asked.question, {"mode": scenario.mode, **scenario.counts, **scenario.mix}, here.ranked.unit,
        f"{first.measurement}, {first.machine}", f"{last.measurement}, {last.machine}",
        round(here.ranked.expected_regret_now, DIGITS), round(first.expected_narrowing, DIGITS),
        *(tuple(row.tolist()) for row in rounded),
    )  # fmt: skip


def regrets(here: Ground, number: int) -> tuple[float, float, float, float]:
    """Regret of the decision now, and after the best, a random and the last measurement, in one replicate."""
    rng = np.random.default_rng([SEED, number])
    truth = World(sample(here.asked, here.fit, 1, SEED + number, f"host {number}"), here.hertz)
    place = int(rng.integers(truth.sample.points))
    saved = float(truth.saved[place])
    names = here.candidates
    chosen = (names[0], names[int(rng.integers(len(names)))], names[-1])
    now = here.ranked.choice == here.asked.designs[1]
    after = [_takes_second(here, truth, place, name, rng) for name in chosen]
    best = max(saved, 0.0)
    first, random, last = (best - saved * second for second in after)
    return best - saved * now, first, random, last


def _takes_second(here: Ground, truth: World, place: int, name: tuple[str, str], rng: np.random.Generator) -> bool:
    """Whether the second design is taken once a measurement is in that the truth at a place would give."""
    measurement, machine = here.known[name[0]], name[1]
    data = [(column, *_read(column, place, rng)) for column in truth.columns(measurement, machine)]
    rows = [
        replace(
            here.rows[0], id=f"simulated {number}", machine=truth.sample.located(machine)[0], state="",
            counts=column.counts, per={}, log_value=value, sd=sd,
        )
        for number, (column, value, sd) in enumerate(data)
        if column.kind == "cost"
    ]  # fmt: skip
    fit = refit(build([*here.rows, *rows], here.evidence.priors), DRAWS, rng, here.grid) if rows else here.fit
    drawn = sample(here.asked, fit, COPIES, int(rng.integers(2**31)), truth.sample.host)
    after = World(drawn, here.hertz)
    weight = np.zeros(drawn.points)
    for column, (known, value, _) in zip(after.columns(measurement, machine), data, strict=True):
        if known.kind != "cost":
            weight -= ((value - column.exact) / column.sd) ** 2 / 2 + np.log(column.sd)
    weight = np.exp(weight - weight.max())
    return bool((weight * after.saved).sum() > 0)


def _read(column: Column, place: int, rng: np.random.Generator) -> tuple[float, float]:
    """One reading with its error, and the standard deviation that is known of it."""
    sd = float(np.broadcast_to(column.sd, len(column.exact))[place])
    error = rng.standard_t(DEGREES) if column.kind == "cost" else rng.standard_normal()
    return float(column.exact[place]) + sd * float(error), sd
