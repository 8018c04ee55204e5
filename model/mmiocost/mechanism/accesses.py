"""What a guest or its administrator does to a VM: one of these is one run of the machine."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from .slots import SlotBlock


class Access(NamedTuple):
    """A load or store of the guest at a virtual address."""

    gva: int
    write: bool = True


class Instruction(NamedTuple):
    """An instruction that exits whatever memory holds, or (``emulation``) is emulated without an exit."""

    way: Literal["hypercall", "cpuid", "msr_read", "msr_write", "pio_write", "pio_read", "emulation"]
    port: int = 0
    pm_timer: bool = False
    timer_msr: bool = False


class SlotUpdate(NamedTuple):
    """KVM_SET_USER_MEMORY_REGION: create ``new``, delete or move ``old``, or change its flags."""

    kind: Literal["create", "delete", "move", "flags"]
    old: SlotBlock | None = None
    new: SlotBlock | None = None


class SetBypass(NamedTuple):
    """``bypass_guest_pf`` is switched at run time."""

    on: bool


class SetMmioCaching(NamedTuple):
    """MMIO sptes are switched on or off at run time."""

    on: bool


class SlotLookup(NamedTuple):
    """One search among the memslots, alone."""

    gfn: int


class BusLookup(NamedTuple):
    """One search of the MMIO bus, alone."""

    address: int


class WalkOnly(NamedTuple):
    """One walk of the guest's page tables, alone."""

    gva: int
    write: bool = True


Action: TypeAlias = Access | Instruction | SlotUpdate | SetBypass | SetMmioCaching | SlotLookup | BusLookup | WalkOnly
