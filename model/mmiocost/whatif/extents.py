"""How far the evidence reaches: for each cost parameter and each extent, the smallest and largest value measured.

An extent is a size or depth, so that a scenario can lie beyond what was measured. A parameter is informed by the
rows of the fit that contain it, unless the fit says that they leave it at its prior, and by the rows of the source
that its prior cites. Of slots each kind of search has a range of its own, since each reaches other entries. A
parameter that no row informs has no range: it is assumed everywhere (``prior_bounded``), not extrapolated.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..cache import cache_dir, content_hash, files_hash, write_atomically
from ..equations.lowering import kernel
from ..fitting.fit import Fit
from ..fitting.rows import Row, fit_rows
from ..vocabulary import COLD_COMPARE, resolve
from .terms import search_kind

if TYPE_CHECKING:
    from ..evidence import Evidence, Observation

SLOTS, COMPARE = "slots", "slot_compare"
# fmt: off
#: Extents, each with values between which every count that depends on it differs.
EXTENTS: dict[str, tuple[int, ...]] = {
    SLOTS: (1, 2, 4, 9, 33, 130, 515), "guest_levels": (0, 2, 3, 4, 5), "nested_levels": (0, 2, 3, 4, 5),
    "shadow_levels": (3, 4, 5), "missing_levels": (0, 1, 2, 3), "bus_devices": (1, 2, 4, 9, 33, 130, 515),
    "fast_bus_devices": (0, 1, 2, 4, 9, 33, 130, 515),
}
# fmt: on
#: Sizes that differ from guest to guest: a row that does not state one says nothing of it. Depths have a usual value.
_UNKNOWN_UNLESS_STATED = (SLOTS, "bus_devices", "fast_bus_devices")
_USES = ("fit", "check", "bound")

#: ``parameter`` or, for slots, ``parameter:kind of search`` → extent → (smallest, largest).
Ranges = Mapping[str, Mapping[str, tuple[float, float]]]


def ranges(fit: Fit, evidence: Sequence[Path] = ()) -> Ranges:
    """The ranges of a fit's evidence, kept by its content. Raises InvalidInput where the evidence is damaged."""
    from ..evidence import load

    key = content_hash(fit.evidence, _code())
    if key not in _made:
        place = cache_dir() / f"extents-{key[:24]}.json"
        try:
            _made[key] = json.loads(place.read_bytes())
        except (OSError, ValueError):
            _made[key] = measured(load(evidence), _assumed(fit))
            with contextlib.suppress(OSError):  # without a cache the next process looks again
                write_atomically(place, json.dumps(_made[key]))
    return _made[key]


_made: dict[str, Ranges] = {}


@cache
def _code() -> str:
    package = Path(__file__).parent.parent
    rooms = (files_hash((package / room).glob("*.py")) for room in ("vocabulary", "equations", "fitting"))
    return content_hash(*rooms, Path(__file__).read_bytes())


def _assumed(fit: Fit) -> tuple[str, ...]:
    return tuple(name for name in fit.prior_bounded(list(fit.priors)) if not fit.priors[name].source)


def measured(evidence: Evidence, assumed: Sequence[str]) -> dict[str, dict[str, tuple[float, float]]]:
    """The ranges from the rows; ``assumed`` are the parameters that no row informs."""
    seen: dict[str, dict[str, set[float]]] = {}
    for row in fit_rows(evidence):
        for parameter, extent, value in _of_row(row):
            seen.setdefault(parameter, {}).setdefault(extent, set()).add(value)
    for observation in evidence.observations:
        for parameter, extent, value in _of_prior(observation, evidence):
            seen.setdefault(parameter, {}).setdefault(extent, set()).add(value)
    return {
        parameter: {extent: (min(values), max(values)) for extent, values in extents.items()}
        for parameter, extents in seen.items()
        if parameter.partition(":")[0] not in assumed
    }


def _of_row(row: Row) -> Iterator[tuple[str, str, float]]:
    """Parameter, extent and its value in a row of the fit, wherever the count hangs on the extent."""
    if not row.path:
        return
    full = {**resolve(row.path, row.scenario), "cold_search_fraction": 0}
    names = {name.partition(":")[0] for name in (*row.counts, *row.per)}
    stated = [extent for extent in EXTENTS if extent in row.scenario or extent not in _UNKNOWN_UNLESS_STATED]
    for extent, parameters in depends(row.path, full, stated).items():
        yield from ((key_of(name, extent, row.path), extent, full[extent]) for name in parameters & names)


def _of_prior(row: Observation, evidence: Evidence) -> Iterator[tuple[str, str, float]]:
    """The same of a row that the prior of a look-up's cost cites: it states its slots and the kind of search."""
    if row.slots is None or row.use not in _USES:
        return
    kind = next((kind for kind in ("linear", "binary", "tree") if kind in row.slot_lookup), None)
    for parameter in (COMPARE, COLD_COMPARE):
        if kind and evidence.priors[parameter].source == row.source_id:
            yield f"{parameter}:{kind}", SLOTS, float(row.slots)


def key_of(parameter: str, extent: str, name: str) -> str:
    """Name under which the range of a parameter in one extent is kept, for the counts of a kernel."""
    return f"{parameter}:{search_kind(name)}" if extent == SLOTS else parameter


def depends(name: str, full: Mapping[str, Any], extents: Sequence[str]) -> dict[str, set[str]]:
    """Which counts of a kernel hang on each of the extents, in a scenario."""
    lowered = kernel(name)
    found = {}
    for extent in extents:
        if extent in lowered.arguments:
            counts = lowered({**full, extent: np.array(EXTENTS[extent])})
            found[extent] = {item for item, count in counts.items() if np.ptp(np.asarray(count)) > 0}
    return found


@dataclass(frozen=True)
class Beyond:
    """An extent of a scenario outside ``low`` to ``high``, which the evidence on ``parameters`` covers."""

    extent: str
    value: float
    low: float
    high: float
    parameters: tuple[str, ...]

    def text(self) -> str:
        """One line for a person."""
        covered = f"{self.low:g} alone" if self.low == self.high else f"{self.low:g} to {self.high:g}"
        return f"{self.extent}={self.value:g}: the evidence on {', '.join(self.parameters)} covers {covered}"


def beyond(known: Ranges, name: str, full: Mapping[str, Any], counts: Mapping[str, Any]) -> tuple[Beyond, ...]:
    """Extents of a scenario outside the evidence that informs a parameter whose count hangs on them.

    ``counts`` are those of the kernel ``name`` in the scenario ``full``.
    """
    arguments = kernel(name).arguments
    used = [parameter for parameter, count in counts.items() if count != 0]
    far: dict[str, dict[str, tuple[float, float]]] = {}
    for extent in EXTENTS:
        if extent in arguments:
            limits = {item: known.get(key_of(item, extent, name), {}).get(extent) for item in used}
            left = {item: limit for item, limit in limits.items() if limit and not limit[0] <= full[extent] <= limit[1]}
            if left:
                far[extent] = left
    hanging = depends(name, full, list(far))
    found = []
    for extent, limits_left in far.items():
        there = [item for item in limits_left if item in hanging[extent]]
        if there:
            low, high = max(limits_left[item][0] for item in there), min(limits_left[item][1] for item in there)
            found.append(Beyond(extent, float(full[extent]), low, high, tuple(there)))
    return tuple(found)
