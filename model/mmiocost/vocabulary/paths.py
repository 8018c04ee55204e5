"""Every path: one way that an access or a fault is served, in one kernel generation and paging mode."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from ..errors import InvalidInput, nearest_name
from .generations import GENERATIONS


class Path(NamedTuple):
    """A path: ``mode`` is None for building blocks and "any" where all paging modes count alike."""

    name: str
    generation: str
    mode: str | None
    way: str
    summary: str


_SUMMARY = {
    "mmio": "MMIO access before the series: exit, slot search that finds nothing, emulation",
    "mmio_first": "MMIO access to a page that has no MMIO spte yet",
    "mmio_hit": "MMIO access that finds a valid MMIO spte",
    "mmio_stale": "MMIO access that finds an MMIO spte of an older generation",
    "mmio_uncached": "MMIO access with mmio_caching off: an ordinary fault every time",
    "fast_mmio": "store to a wildcard ioeventfd on the fast MMIO bus: no emulation",
    "guest_fault": "guest page fault that exits and is injected back into the guest",
    "guest_fault_bypassed": "guest page fault that bypass_guest_pf=1 leaves to the CPU",
    "ram_fill": "page fault on RAM that fills the shadow page table",
    "ram_fill_checked": "the same with MMIO sptes beside bypass_guest_pf=1: first shown not to be MMIO",
    "bypass_switch": "bypass_guest_pf switched at run time: every shadow page is torn down",
    "access": "Avi Kivity's unified lockless loop",
    "slot_update": "memslot update that zaps all shadow pages",
    "slot_update_wrap": "memslot update on which the MMIO generation wraps around",
    "hypercall": "VMCALL",
    "cpuid": "CPUID",
    "msr_read": "RDMSR",
    "msr_write": "WRMSR, without the fast path",
    "pio_write": "OUT to a port",
    "pio_read": "IN from a port",
    "emulation": "the emulator alone, without an exit",
    "hit": "{block} that finds its entry",
    "miss": "{block} that finds nothing",
    "guest_walk": "walk of the guest's page tables",
}
_BLOCK = {"slot": "one memslot search", "bus": "one search of the MMIO bus"}
_INSTRUCTIONS = ("hypercall", "cpuid", "msr_read", "msr_write", "pio_write", "pio_read", "emulation")
_MODES = ("ept", "shadow", "nonpaging")
_EPT_ONLY = ("v315", "v40", "v414", "v56", "v517")


def _names() -> list[str]:
    names = [f"v30.{mode}.mmio" for mode in _MODES]
    names += [f"v30.shadow.{way}" for way in ("guest_fault", "guest_fault_bypassed", "ram_fill")]
    for gen in ("v31", "v36", "v311"):
        ways = ("mmio_first", "mmio_hit") + (("mmio_stale",) if gen == "v311" else ())
        names += [f"{gen}.{mode}.{way}" for mode in _MODES for way in ways]
        names += [f"{gen}.shadow.guest_fault", f"{gen}.shadow.ram_fill"]
    names += ["v31.any.slot_update", "v311.any.slot_update_wrap"]
    names += [f"{gen}.ept.{way}" for gen in _EPT_ONLY for way in ("mmio_first", "mmio_hit", "mmio_stale", "fast_mmio")]
    names += [f"v517.{mode}.mmio_uncached" for mode in _MODES]
    names += ["proto.shadow.ram_fill_checked", "proto.shadow.bypass_switch"]
    names += ["unified.shadow.access", "unified.ept.access"]
    for item in GENERATIONS:
        names += [f"{item.id}.any.{way}" for way in _INSTRUCTIONS]
        names += [f"{item.id}.{block}.{way}" for block in _BLOCK for way in ("hit", "miss")]
        names.append(f"{item.id}.guest_walk")
    return names


def _path(name: str) -> Path:
    gen, *middle, way = name.split(".")
    block = middle[0] if middle and middle[0] in _BLOCK else None
    mode = middle[0] if middle and block is None else None
    summary = _SUMMARY[way].format(block=_BLOCK.get(block or "", ""))
    return Path(name, gen, mode, way, summary)


PATHS: tuple[Path, ...] = tuple(_path(name) for name in _names())


@cache
def _by_name() -> dict[str, Path]:
    return {path.name: path for path in PATHS}


def path_named(name: str, where: str = "") -> Path:
    """The path of that name. Raises InvalidInput that gives the nearest name."""
    known = _by_name()
    if name not in known:
        raise InvalidInput.one(where, "path", name, "unknown path", nearest_name(name, known))
    return known[name]
