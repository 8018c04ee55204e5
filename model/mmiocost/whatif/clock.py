"""The clock that turns cycles into time: given, the machine's own, or the assumption for one that is not stated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..evidence import load
from ..fitting.design import Array
from ..fitting.fit import POPULATION, SEED
from ..units import cycles_to_ns
from .scenario import Scenario


@dataclass(frozen=True)
class Clock:
    """A clock in Hz, known within ``factor`` either way (95 %; 1 where it is stated), and where it comes from."""

    hertz: float
    factor: float
    note: str

    def ns_per_cycle(self, count: int) -> Array:
        """Draws of the length of a cycle in ns, (count,)."""
        spread = math.log(self.factor) / 1.96
        draws = np.random.default_rng([SEED, 1]).standard_normal(count)
        return np.asarray(cycles_to_ns(1.0, self.hertz) * np.exp(spread * draws))


def clock_of(scenario: Scenario, clock_hz: float | None, evidence: Sequence[Path]) -> Clock:
    """The clock of a scenario: ``clock_hz``, else the one that the evidence states for its machine, else assumed."""
    if clock_hz is not None:
        return Clock(clock_hz, 1.0, f"ns at {clock_hz:.4g} Hz")
    known = load(evidence)
    machine = scenario.machine.partition("/")[0]
    for row in known.observations:
        if machine != POPULATION and row.machine == machine and row.clock_hz:
            return Clock(row.clock_hz, 1.0, f"ns at {row.clock_hz:.4g} Hz, the clock of {machine} in {row.source_id}")
    assumed = known.assumptions["clock_not_stated"]
    factor = assumed.factor or 1.0
    return Clock(assumed.value, factor, f"ns at an assumed clock of {assumed.value:.4g} Hz, within a factor {factor:g}")
