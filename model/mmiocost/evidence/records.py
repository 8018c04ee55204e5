"""What a row of the evidence is: frozen records, one class for each kind of table row.

A missing number is ``None``, a missing text is empty. Numbers are plain floats in the unit that the row names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Observation:
    """One measured value with all that its source says about it; columns as in ``data/observations.csv``.

    ``value`` and ``spread`` are in ``unit`` (``rel_sem_percent``: in percent of the value). ``clock_hz`` is the
    clock (1/s) that cycles refer to, where the source states it.
    """

    id: str
    quantity: str
    value: float
    spread: float | None
    spread_kind: str
    n_runs: int | None
    unit: str
    machine: str
    state: str
    cpu: str
    microarchitecture: str
    year: int | None
    clock_hz: float | None
    kernel: str
    generation: str
    virt_level: str
    slots: int | None
    slot_lookup: str
    guest_levels: int | None
    ept: int | None
    bypass_guest_pf: int | None
    served_by: str
    mmio_shortcut: str
    mitigations: str
    patch_state: str
    variant: str
    workload: str
    event: str
    comparison: str
    use: str
    use_why: str
    quality: str
    source_id: str
    locator: str
    note: str


def unstated() -> dict[str, str | None]:
    """The columns of an observation of which nothing is said: empty text, and None for numbers."""
    return {field.name: "" if field.type == "str" else None for field in fields(Observation)}


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a measured quantity is: the path it observes, under which scenario, with which extra events."""

    quantity: str
    unit: str
    kind: str
    path: str
    scenario: Mapping[str, int]
    extra_events: Mapping[str, int]
    share_of: str
    scored: bool
    why_not: str
    meaning: str


@dataclass(frozen=True, slots=True)
class State:
    """A state of a machine: each mitigation setting that is on (1) or off (0), and how we know."""

    machine: str
    state: str
    settings: Mapping[str, int]
    why: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where figures come from: ``path`` is an address, or ``mid:`` and a message id."""

    id: str
    title: str
    author: str
    date: str
    path: str
    obtained: str
    quality: str
    description: str


@dataclass(frozen=True, slots=True)
class Prior:
    """Prior of an event's cost: ``median`` in ``unit``, ``log_sd`` of its logarithm.

    ``unit`` is cycle, or the name of the event that the cost is a factor on. ``scope`` says what the width
    stands for: "machine", the median machine, with the scatter of machines on top; "any", every machine.
    """

    event: str
    median: float
    log_sd: float
    unit: str
    scope: str
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Assumption:
    """A value that no evidence gives, in ``unit``; ``factor`` is how far off it may be either way."""

    name: str
    value: float
    unit: str
    factor: float | None
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Resource:
    """A file of the evidence as the catalogue lists it; ``rows`` is None for a file that is no table."""

    name: str
    path: str
    title: str
    rows: int | None
    bytes: int
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check of one resource found; sound without ``problems``."""

    resource: str
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with the resource."""
        return not self.problems
