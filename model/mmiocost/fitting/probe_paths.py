"""Which path of the model an access of the probe takes, or why none.

On a host without ``mmio_caching`` every MMIO access is the uncached path. With it the first access to a page is
``mmio_first``, a later one ``mmio_hit``, and the first after a memslot update ``mmio_stale``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidInput
from ..evidence import Quantity
from ..evidence.probe import raw
from ..evidence.probe.counts import Key
from ..evidence.probe.operations import OPERATIONS
from ..evidence.probe.seen import INTERPRETED, Seen
from ..vocabulary import generation_of_kernel, path_named

INTERRUPTS = 0.02  # exits a turn that host interrupts may add (0.006 in the recorded run, more on a busy host)
_BUMP_STORES = 4
_STAYS_AWAY = ("move", "delete")  # updates that zap: RAM faults of the loop itself come on top
_EMULATED_OUT = "pio.write_eventfd_emulated"


@dataclass(frozen=True)
class NotChecked:
    """A setting of a run that no path of the model stands for, and why."""

    probe: str
    mode: str
    cpl: int
    why: str


@dataclass(frozen=True)
class Case:
    """Accesses of one setting: the mix of paths that they take (path and its share) in a scenario."""

    key: Key
    step: str
    mix: tuple[tuple[str, float], ...]
    scenario: Mapping[str, int]
    extra: Mapping[str, int]

    def value(self, name: str) -> Any:
        """A column of the setting, of raw.SETTING."""
        return self.key[raw.SETTING.index(name)]


def case_of(
    key: Key, saw: Seen, facts: Mapping[str, Any], quantities: Mapping[str, Quantity]
) -> Case | NotChecked | None:
    """What a setting is an observation of; None for settings that are no access (the empty loop, other guests)."""
    experiment, probe, _, mode, cpl, levels, page, slots, _, operation, step = key
    if probe == "loop" or operation in _STAYS_AWAY or step == "update":
        return None
    probe = probe or "mmio_store_any"
    why = _why_not(probe, mode, cpl, saw, str(facts.get("release", "")))
    if why:
        return NotChecked(probe, mode, cpl, why)
    gen = generation_of_kernel(str(facts["release"])).id
    walk = {"guest_levels": levels}
    if levels and page > 4096:
        walk |= {"leaf_level": 2, "code_leaf_level": 2}
    if OPERATIONS[probe].body in ("store", "load"):
        paths = _mmio_paths(probe, gen, mode, saw, experiment, operation, step)
        scenario = {**walk, **_access(probe), "slots": max(1, slots or 1)}
        case = Case(key, step, paths, scenario, {})
    else:
        case = _port_case(key, probe, gen, saw, walk, quantities)
    return case if all(_exists(path) for path, _ in case.mix) else NotChecked(
        probe, mode, cpl, f"the model has no path {case.mix[0][0]}"
    )  # fmt: skip


def _why_not(probe: str, mode: str, cpl: int, saw: Seen, release: str) -> str:
    if saw.runs(mode, cpl) == INTERPRETED:
        return "interpreted: the loop around the access is emulated too"
    if mode == "real":
        return "real mode is served in part by an emulator for other reasons"
    if probe == "guest_pf":
        return "a guest fault with its handler's return is no path of this generation"
    emulated = saw.emulated(probe, mode, cpl)
    if probe == "cpuid" and emulated:
        return "this host emulates CPUID"
    if probe == "cpuid" and (saw.exits(probe, mode, cpl) or 0.0) <= INTERRUPTS:
        return "no counter moves: KVM does not see the instruction"
    if probe.startswith("pio") and emulated and probe not in ("pio_out_any", "pio_out_match"):
        return "this host emulates port accesses, the path does not"
    try:
        generation_of_kernel(release)
    except InvalidInput:
        return "the release of the host's kernel is not known"
    return "" if saw.caching is not None else "whether MMIO entries are cached is not known"


def _mmio_paths(
    probe: str, gen: str, mode: str, saw: Seen, experiment: str, operation: str, step: str
) -> tuple[tuple[str, float], ...]:
    """Paths of an access with their shares in the run."""
    paging = "ept" if saw.tdp else "nonpaging" if mode == "flat32" else "shadow"
    name = f"{gen}.{paging}."
    if not saw.caching:
        return ((f"{name}mmio_uncached", 1.0),)
    if experiment == "mmio_pages" and step.startswith("1"):
        return ((f"{name}mmio_first", 1.0),)
    if experiment == "generation_bump" and step.startswith("first") and operation != "none":
        return ((f"{name}mmio_stale", 1 / _BUMP_STORES), (f"{name}mmio_hit", 1 - 1 / _BUMP_STORES))
    fast = probe == "mmio_store_len0" and saw.tdp and saw.isa == "vmx"
    return ((f"{name}{'fast_mmio' if fast else 'mmio_hit'}", 1.0),)


def _access(probe: str) -> dict[str, int]:
    write, user = OPERATIONS[probe].body == "store", OPERATIONS[probe].served == "userspace"
    return {"is_write": int(write), "userspace": int(user), "is_ioeventfd": int(write and not user)}


def _port_case(
    key: Key, probe: str, gen: str, saw: Seen, walk: Mapping[str, int], quantities: Mapping[str, Quantity]
) -> Case:
    mode, cpl = key[3], key[4]
    way = {"out": "pio_write", "in": "pio_read", "cpuid": "cpuid"}[OPERATIONS[probe].body]
    user = OPERATIONS[probe].served == "userspace"
    served = {} if way == "cpuid" else {"userspace": int(user)}
    if way == "pio_write":
        served["is_ioeventfd"] = int(not user)
    # The counts of an emulated OUT are the quantity's, for 4 KiB pages and four levels.
    extra = quantities[_EMULATED_OUT].extra_events if saw.emulated(probe, mode, cpl) else {}
    return Case(key, "", ((f"{gen}.any.{way}", 1.0),), {**served, "guest_levels": walk["guest_levels"]}, extra)


def _exists(path: str) -> bool:
    try:
        return bool(path_named(path))
    except InvalidInput:
        return False
