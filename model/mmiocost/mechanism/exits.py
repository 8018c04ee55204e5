"""What a load or store leads to: the CPU's own walk, the exit if there is one, and the handler of that exit.

Each handler gives the way of the path that was taken (``mmio_hit`` and so on), or None where the vocabulary
names no such path.
"""

from __future__ import annotations

from .accesses import Access
from .direct_paging import direct_page_fault
from .emulator import decode, emulate_access
from .guest_walk import processor_translates
from .mmio_spte import handle_mmio_page_fault
from .shadow_paging import shadow_page_fault
from .shadow_tables import Leaf, Mmio, NonPresent
from .world import World


def load_or_store(world: World, access: Access) -> str | None:
    """The guest accesses memory; the CPU walks EPT or the shadow tables and exits, or does not."""
    if world.mode == "ept":
        return _under_ept(world, access)
    return _under_shadow_paging(world, access)


def _under_ept(world: World, access: Access) -> str | None:
    gfn = processor_translates(world.paging, access.gva)
    entry = world.mmu.reached(gfn)
    if isinstance(entry, Leaf):
        return None
    if isinstance(entry, Mmio):
        return _handle_ept_misconfig(world, access, gfn)
    world.exit("ept_violation", "handle_ept_violation")
    return _page_fault_direct(world, access, gfn, reserved=False)


def _handle_ept_misconfig(world: World, access: Access, gfn: int) -> str | None:
    """handle_ept_misconfig (NPT: npf_interception): the fast MMIO bus from 3.16, then the MMIO spte."""
    world.exit("ept_misconfig", "handle_ept_misconfig")
    intel = not world.host.decode_assist
    address = gfn << 12 | access.gva & 0xFFF
    if world.since("v315") and intel and world.fast_bus.access(address, world.count, event="fast_bus_compare"):
        _skip_instruction(world)
        return "fast_mmio"
    return _reserved_bit_fault(world, access, gfn)


def _skip_instruction(world: World) -> None:
    """kvm_skip_emulated_instruction; where the host is a guest itself the length is not trusted (from 4.16)."""
    if world.host.hypervisor and world.since("v414"):
        decode(world, bytes_supplied=False)
    world.count("skip_instruction", "kvm_skip_emulated_instruction")


def _reserved_bit_fault(world: World, access: Access, gfn: int) -> str | None:
    """kvm_mmu_page_fault with PFERR_RSVD under direct entries."""
    if handle_mmio_page_fault(world, access.gva, gfn) == "emulate":
        emulate_access(world, access, gfn)
        return "mmio_hit"
    return _page_fault_direct(world, access, gfn, reserved=True)


def _page_fault_direct(world: World, access: Access, gfn: int, reserved: bool) -> str | None:
    fixed = direct_page_fault(world, access.gva, gfn, reserved)
    if fixed == "ram":
        return None
    emulate_access(world, access, gfn)
    return _way(world, fixed, reserved)


def _way(world: World, fixed: str, reserved: bool) -> str | None:
    """Of an MMIO access that was not a hit. Without MMIO sptes the kernels between 3.0 and 5.17 have no path."""
    if fixed == "uncached" and world.since("v31"):
        return "mmio_uncached" if world.since("v517") else None
    if fixed == "uncached":
        return "mmio"
    return "mmio_stale" if reserved else "mmio_first"


def _under_shadow_paging(world: World, access: Access) -> str | None:
    """The CPU walks the shadow tables by gva; PFEC_MASK and PFEC_MATCH decide whether its #PF exits."""
    entry = world.mmu.reached(access.gva >> 12)
    if isinstance(entry, Leaf) and (entry.writable or not access.write):
        return None
    reserved = isinstance(entry, Mmio) or (isinstance(entry, NonPresent) and entry.traps)
    present = reserved or isinstance(entry, Leaf)
    if world.mmu.trap.traps and not present:
        world.count("guest_fault_native", "bypass_guest_pf", "the guest takes its own fault")
        return "guest_fault_bypassed"
    world.exit("page_fault", "handle_exception")
    gfn = access.gva >> 12
    if world.mode == "nonpaging":
        return (
            _reserved_bit_fault(world, access, gfn)
            if reserved and world.since("v31")
            else (_page_fault_direct(world, access, gfn, reserved=False))
        )
    return _page_fault_shadow(world, access, isinstance(entry, Mmio), reserved and world.since("v31"))


def _page_fault_shadow(world: World, access: Access, mmio: bool, reserved: bool) -> str | None:
    """kvm_mmu_page_fault under shadow paging: with PFERR_RSVD it may be MMIO, and that is looked at first."""
    gfn = processor_translates(world.paging, access.gva) if mmio else 0
    if reserved and handle_mmio_page_fault(world, access.gva, gfn) == "emulate":
        emulate_access(world, access, gfn)
        return "mmio_hit"
    fixed = shadow_page_fault(world, access)
    checked = reserved and not mmio  # a trapping entry under bypass_guest_pf has reserved bits too
    if fixed in ("mmio", "uncached"):
        emulate_access(world, access, processor_translates(world.paging, access.gva))
        return None if checked else _way(world, fixed, mmio)
    if fixed == "guest":
        return None if checked else "guest_fault"
    return "ram_fill_checked" if checked else "ram_fill"
