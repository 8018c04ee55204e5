"""Exits without a memory access: the instructions that most published cost tables measure."""

from __future__ import annotations

from typing import Any

from ..vocabulary import Generation
from .exits import bus_search, fetch
from .symbols import symbol
from .tally import Tally, tally

_EXIT = tally(vm_exit_instruction=1)
_u = symbol("userspace")


def hypercall(gen: Generation, mode: Any) -> Tally:
    """VMCALL with a trivial handler: the anchor."""
    return _EXIT


def cpuid(gen: Generation, mode: Any) -> Tally:
    """CPUID."""
    return _EXIT + tally(cpuid_search=1)


def msr_read(gen: Generation, mode: Any) -> Tally:
    """RDMSR."""
    return _EXIT + tally(msr_access=1)


def msr_write(gen: Generation, mode: Any) -> Tally:
    """WRMSR through the whole run loop."""
    return _EXIT + tally(msr_access=1, timer_program=symbol("timer_msr"))


def _served(gen: Generation, timer: Any) -> Tally:
    """The port bus, then user space with a plain register or the ACPI timer."""
    outside = tally(userspace_exit=1, pm_timer_read=timer, device_model=1 - timer).times(_u)
    return bus_search(gen) + outside


def pio_write(gen: Generation, mode: Any) -> Tally:
    """OUT: the port handler, no emulator."""
    signalled = tally(pio_dispatch=1, ioeventfd_signal=(1 - _u) * symbol("is_ioeventfd"))
    return _EXIT + signalled + _served(gen, timer=0)


def pio_read(gen: Generation, mode: Any) -> Tally:
    """IN: the port handler where the kernel has the fast way, else the emulator, run again after user space."""
    fast = symbol("fast_pio_in")
    slow = (tally(emulate_instruction=1, emulate_resume=_u) + fetch(by_cpu=0)).times(1 - fast)
    return _EXIT + tally(pio_dispatch=fast) + slow + _served(gen, timer=symbol("pm_timer"))


def emulation(gen: Generation, mode: Any) -> Tally:
    """The emulator and its fetch alone."""
    return tally(emulate_instruction=1) + fetch(by_cpu=0)
