"""Blocks that every access ends with: instruction fetch, emulation, dispatch on the I/O buses; and exits."""

from __future__ import annotations

from typing import Any

from ..vocabulary import Generation
from .guest_walk import reads, walk
from .symbols import Bisection, Positive, TreeHit, symbol, walked
from .tally import Tally, tally

_u, _w, _y = symbol("userspace"), symbol("is_write"), symbol("is_ioeventfd")


def exit_of(mode: str, misconfig: bool = False) -> Tally:
    """The exit of a mode: under EPT a violation or a misconfiguration, else an intercepted #PF."""
    if mode != "ept":
        return tally(vm_exit_page_fault=1)
    return tally(vm_exit_ept_misconfig=1) if misconfig else tally(vm_exit_ept_violation=1)


def sorted_bus_hit(devices: Any, position: Any) -> Any:
    """Devices tested on a sorted bus: bsearch, a step back, and the write loop's own test of the entry."""
    return TreeHit(devices, position - 1) + Positive(position - 1) + 1


def bus_hit(gen: Generation) -> Any:
    """Devices tested until the one at ``bus_position`` answers."""
    position = symbol("bus_position")
    return position if gen.bus == "linear" else sorted_bus_hit(symbol("bus_devices"), position)


def bus_miss(gen: Generation) -> Any:
    """Devices tested when none answers."""
    devices = symbol("bus_devices")
    return devices if gen.bus == "linear" else Bisection(devices, symbol("bus_gap"))


def bus_search(gen: Generation) -> Tally:
    """The bus searched for an access that the kernel (u = 0) or user space (u = 1) serves."""
    return tally(io_bus_compare=(1 - _u) * bus_hit(gen) + _u * bus_miss(gen))


def dispatch(gen: Generation) -> Tally:
    """Bus, device or user space; a load that user space served is completed by a second emulator run."""
    served = tally(ioeventfd_signal=(1 - _u) * _y, userspace_exit=_u, emulate_resume=_u * (1 - _w))
    return bus_search(gen) + served


def fetch(by_cpu: Any = None) -> Tally:
    """Instruction bytes fetched: a walk of their address and one search, unless the CPU supplied them."""
    fetched = 1 - (symbol("decode_assist") if by_cpu is None else by_cpu)
    entries = reads(symbol("guest_levels"), symbol("code_leaf_level"))
    return (tally(hits=1, instruction_fetch=1) + walk(entries)).times(fetched)


def emulate(gen: Generation) -> Tally:
    """One run of the emulator on an MMIO access, its operand apart."""
    return tally(emulate_instruction=1) + fetch() + dispatch(gen)


def fast_bus_miss() -> Tally:
    """The fast MMIO bus searched in vain, as every misconfiguration does from 3.16 on."""
    return tally(fast_bus_compare=Bisection(symbol("fast_bus_devices"), symbol("fast_bus_gap")))


def levels() -> Any:
    """s: levels of the shadow or EPT hierarchy that a walk reads."""
    return walked(symbol("shadow_levels"))
