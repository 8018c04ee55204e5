"""The joint fit as its draws: what every later room asks for costs and intervals.

A :class:`Fit` holds draws of the effects; the log costs of any machine are sums of them. Effects that no row
informs (a new machine's, an event never measured there) are drawn from the prior, the same ones on every call.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import InvalidInput, nearest_name
from ..evidence import Evidence, Prior
from .design import Array, Key, build, effect_keys, log_median
from .mixture import GRID, Mixture, fit_mixture
from .parameters import check_priors, is_relative
from .rows import Row, fit_rows
from .sampling import draw

DRAWS = 1000
SEED = 20110609
LEVEL = 0.95
NOT_INFORMED = 0.9  # a posterior this wide, in units of the prior's, was not moved by any row
IDENTIFIED = 0.5
MEDIAN_MACHINE = "median machine"
POPULATION = "population"
_SCATTER = {"c": 0, "d": 1, "s": 2}
_COMMON = ("a", "k")  # effects that a median machine has too: those of a cost, and of a kind of exit


@dataclass(frozen=True)
class Fit:
    """Draws of a joint fit.

    ``effects``: (draws, keys) in log; ``scatter``: (draws, 3) the hyperparameters behind each draw; ``states``:
    settings of every known (machine, state); ``sources``: for each parameter the sources of its rows.
    """

    keys: tuple[Key, ...]
    effects: Array
    scatter: Array
    priors: Mapping[str, Prior]
    states: Mapping[tuple[str, str], Mapping[str, int]]
    sources: Mapping[str, tuple[str, ...]]
    evidence: str

    @cached_property
    def _place(self) -> dict[Key, int]:
        return {key: place for place, key in enumerate(self.keys)}

    def machines(self) -> tuple[str, ...]:
        """Machines of the evidence."""
        return tuple(dict.fromkeys(machine for machine, _ in self.states))

    def locate(self, name: str) -> tuple[str, str]:
        """(machine, state) of a name such as ``skylake-8160`` or ``skylake-8160/a-6.8-default``.

        The state is empty for a machine in no particular state; the population is ("", ""). Raises InvalidInput
        for an unknown name.
        """
        if name == POPULATION:
            return "", ""
        machine, _, state = name.partition("/")
        known = [POPULATION, *self.machines(), *("/".join(item) for item in self.states)]
        if name not in known:
            raise InvalidInput.one("", "machine", name, "unknown machine", nearest_name(name, known))
        return machine, state

    def log_costs(self, parameters: Sequence[str], machine: str = "", state: str = "") -> Array:
        """Draws of log cost in cycles, (draws, parameters), of a machine in a state.

        Without a machine they are those of one not yet measured; with MEDIAN_MACHINE, of the median one.
        """
        found = np.empty((len(self.effects), len(parameters)))
        for column, parameter in enumerate(parameters):
            keys = effect_keys(parameter, machine, state, self.priors)
            if machine == MEDIAN_MACHINE:
                keys = [key for key in keys if key[0] in _COMMON]
            found[:, column] = log_median(parameter, self.priors) + sum(self._effect(key) for key in keys)
        return found

    def _effect(self, key: Key) -> Array:
        place = self._place.get(key)
        if place is not None:
            return np.asarray(self.effects[:, place], dtype=float)
        rng = np.random.default_rng([SEED, zlib.crc32("|".join(key).encode())])
        unit = rng.standard_normal(len(self.effects))
        return unit * self._prior_sd(key)

    def _prior_sd(self, key: Key) -> Array | float:
        return self.priors[key[1]].log_sd if key[0] in _COMMON else self.scatter[:, _SCATTER[key[0]]]

    def width_left(self, parameter: str, machine: str = "", state: str = "") -> float:
        """Posterior standard deviation of a log cost over its prior's: 1 where no row says anything.

        For another kind of exit it is that of its factor on the anchor; for a new machine that of the median.
        """
        keys = effect_keys(parameter, machine, state, self.priors)
        if is_relative(self.priors[parameter]) or not machine or machine == MEDIAN_MACHINE:
            keys = keys[:1]
        if all(key not in self._place for key in keys):
            return 1.0
        posterior = float(np.std(sum(self._effect(key) for key in keys)))
        prior = np.sqrt(sum(np.mean(np.square(self._prior_sd(key))) for key in keys))
        return posterior / float(prior)

    def prior_bounded(self, parameters: Sequence[str], machine: str = "", state: str = "") -> tuple[str, ...]:
        """Those parameters that no row informs on this machine."""
        return tuple(name for name in parameters if self.width_left(name, machine, state) > NOT_INFORMED)


def fit_evidence(evidence: Evidence, count: int = DRAWS) -> tuple[Fit, Mixture, tuple[Row, ...]]:
    """The joint fit of all rows whose use is fit. Raises InvalidInput where a parameter has no prior."""
    check_priors(evidence)
    rows = fit_rows(evidence)
    mixture = fit_mixture(build(rows, evidence.priors), GRID)
    effects, scatter = draw(mixture, count, np.random.default_rng(SEED))
    states = {(row.machine, row.state): evidence.states.get((row.machine, row.state)) for row in rows}
    return (
        Fit(
            mixture.design.keys,
            effects,
            scatter,
            evidence.priors,
            {key: state.settings if state else {} for key, state in states.items()},
            _sources(rows, evidence),
            evidence.hash,
        ),
        mixture,
        rows,
    )


def _sources(rows: Sequence[Row], evidence: Evidence) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {
        name: {prior.source: None} if prior.source else {} for name, prior in evidence.priors.items()
    }
    for row in rows:
        for parameter in (*row.counts, *row.per):
            found[parameter][row.source] = None
    return {name: tuple(sources) for name, sources in found.items()}
