"""Coverage by simulation: effects drawn from the model, data from them, the model fitted again.

Comes in: the rows of the evidence, of which machines, counts and standard deviations are kept. Goes out: ranks of
the true costs among the draws of the fits. The scatter of the truth is plausible and not known to the fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..equations.lowering import kernel
from ..evidence import Prior
from ..vocabulary import resolve
from .calibration import rank, refit
from .design import Array, Design, Hyper, build
from .fit import MEDIAN_MACHINE, Fit
from .mixture import GRID
from .parameters import parameter_counts
from .prediction import weighted_costs
from .rows import Row
from .solve import DEGREES

SEED = 20110610
DRAWS = 79  # of each fit, so that its 80 places for a truth divide into the parts of every level
TRUTH = Hyper(0.35, 0.6, 0.2)

MEDIAN_COSTS = ("vm_exit_instruction", "emulate_instruction", "userspace_exit", "guest_pte_read")
NEW_MACHINE_PATH = "v517.ept.mmio_hit"
KNOWN_MACHINE = ("skylake-8160", "a-6.8-off-host", "mmio.write_userspace")
NEW_MEASUREMENT = "new measurement"


@dataclass(frozen=True)
class Variant:
    """How the truth is drawn and what the fits know of it.

    ``machine_effects``: "normal", or "t4" for a t distribution with 4 degrees of freedom scaled to the same
    variance. ``scatter``: "grid" where the fits weigh the grid, "known" where they are told the truth's.
    """

    name: str
    machine_effects: str
    scatter: str


VARIANTS = (
    Variant("as fitted", "normal", "grid"),
    Variant("heavy-tailed machines", "t4", "grid"),
    Variant("scatter known", "normal", "known"),
)


@dataclass(frozen=True)
class World:
    """What every simulation shares: the design that is fitted, and the one that data are drawn from.

    ``whole`` holds the asked costs as rows behind the others.
    """

    fitted: Design
    whole: Design
    asked: tuple[Row, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the asked costs, in the order of the ranks."""
        return tuple(row.id for row in self.asked)


def world(rows: Sequence[Row], priors: Mapping[str, Prior]) -> World:
    """The ground of all simulations; ``rows`` hold one of KNOWN_MACHINE."""
    asked = _asked(rows)
    return World(build(rows, priors), build([*rows, *asked], priors), asked)


def _asked(rows: Sequence[Row]) -> tuple[Row, ...]:
    known = next(row for row in rows if (row.machine, row.state, row.quantity) == KNOWN_MACHINE)
    median = (
        replace(known, id=f"{name}, {MEDIAN_MACHINE}", machine=MEDIAN_MACHINE, state="", counts={name: 1.0})
        for name in MEDIAN_COSTS
    )
    new = replace(known, id=f"{NEW_MACHINE_PATH}, new machine", machine="", state="", counts=access_counts(1))
    means = (new, replace(known, id=f"{known.path}, {known.machine}/{known.state}"))
    return (*median, *means, *(replace(row, id=f"{row.id}, {NEW_MEASUREMENT}") for row in means))


def access_counts(userspace: int) -> dict[str, float]:
    """Counts of one emulated MMIO access on a host without mitigations, served by user space or in the kernel."""
    terms = kernel(NEW_MACHINE_PATH)(resolve(NEW_MACHINE_PATH, {"userspace": userspace}))
    return parameter_counts(dict(terms), {})


def ranks(here: World, variant: Variant, number: int, draws: int = DRAWS, grid: Sequence[Hyper] | None = None) -> Array:
    """Ranks of the asked costs, (asked,), in simulation ``number`` of a variant. ``grid`` overrules the variant's."""
    known: tuple[Hyper, ...] = (TRUTH,) if variant.scatter == "known" else GRID
    rng = np.random.default_rng([SEED, number, int(variant.machine_effects == "t4")])
    truth, data = _drawn(here, variant, rng)
    fit = refit(replace(here.fitted, target=data), draws, rng, known if grid is None else grid)
    asked = zip(here.asked, truth, strict=True)
    return np.array([rank(_cost(fit, row, number) + _error(row, draws, rng), true) for row, true in asked])


def _cost(fit: Fit, row: Row, number: int) -> Array:
    """Draws of the log of an asked mean, (draws,).

    The draws of a new machine's effects hang on its name: with one name they would be the same in all simulations.
    """
    return np.log(weighted_costs(fit, row.counts, row.machine or f"new machine {number}", row.state))


def _error(row: Row, count: int, rng: np.random.Generator) -> Array:
    """Errors of the log of an asked cost, (count,): 0 but for a new measurement of it."""
    sd = row.sd if row.id.endswith(NEW_MEASUREMENT) else 0.0
    return np.asarray(sd * rng.standard_t(DEGREES, count))


def _drawn(here: World, variant: Variant, rng: np.random.Generator) -> tuple[Array, Array]:
    """True logs of the asked costs, (asked,), and new data, (rows,), with errors as the fit takes them."""
    value = np.log(_measurable(here.whole, variant, rng))
    rows = len(here.fitted.sd)
    errors = np.concatenate([_error(row, 1, rng) for row in here.asked])
    return value[rows:] + errors, value[:rows] + here.whole.sd[:rows] * rng.standard_t(DEGREES, rows)


def _measurable(design: Design, variant: Variant, rng: np.random.Generator) -> Array:
    """True values of all rows, (rows,).

    Effects that make a difference of costs negative are drawn again: the evidence has its logarithm.
    """
    while True:
        costs = np.exp(design.offset + design.effects @ _effects(design, variant, rng))
        value = design.counts @ costs
        if (value > 0).all():
            return value / np.where(design.per.any(axis=1), design.per @ costs, 1.0)


def _effects(design: Design, variant: Variant, rng: np.random.Generator) -> Array:
    unit = rng.standard_normal(len(design.keys))
    if variant.machine_effects == "t4":
        machine = np.array([key[0] in ("c", "d") for key in design.keys])
        unit[machine] = rng.standard_t(4, int(machine.sum())) / np.sqrt(2)  # the variance of t with 4 degrees is 2
    unit[[key[0] in ("c", "d", "s") and key[1] == MEDIAN_MACHINE for key in design.keys]] = 0.0
    return unit * np.sqrt(design.prior_variance(TRUTH))
