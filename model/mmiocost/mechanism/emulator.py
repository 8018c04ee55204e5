"""The instruction emulator: fetch and decode, the operand's address, dispatch to a device or to user space."""

from __future__ import annotations

from .accesses import Access
from .guest_walk import walk_addr
from .mmio_spte import vcpu_match_mmio_gpa, vcpu_match_mmio_gva
from .world import World


def emulate_access(world: World, access: Access, gfn: int) -> None:
    """x86_emulate_instruction for a load or store of MMIO; ``gfn`` is that of the exit."""
    decode(world, bytes_supplied=world.host.decode_assist)
    operand = _operand_before_series if not world.since("v31") else _operand
    operand(world, access, gfn)
    dispatch(world, access, gfn)


def decode(world: World, bytes_supplied: bool) -> None:
    """x86_decode_insn: one run of the emulator; it fetches the bytes unless the processor has supplied them."""
    world.count("emulate_instruction", "x86_emulate_instruction")
    if world.host.emulation_mitigated:
        world.count("emulation_mitigation", "x86_emulate_instruction")
    if not bytes_supplied:
        _fetch(world)


def _fetch(world: World) -> None:
    """kvm_fetch_guest_virt: walk to the instruction and copy its bytes."""
    world.count("instruction_fetch", "kvm_fetch_guest_virt")
    walk = walk_addr(world, world.code_gva, write=False)
    assert walk.gfn is not None, "the processor has just fetched from here"
    world.find_slot(walk.gfn, "kvm_fetch_guest_virt", "the instruction's page")


def _operand_before_series(world: World, access: Access, gfn: int) -> None:
    """emulator_write_emulated, emulator_read_emulated up to 3.0: try RAM first, then take it for MMIO."""
    walk_addr(world, access.gva, access.write)
    if access.write:
        world.find_slot(gfn, "kvm_write_guest", "no slot, so MMIO")
    else:
        walk_addr(world, access.gva, write=False)  # kvm_read_guest_virt walks by itself
        world.find_slot(gfn, "kvm_read_guest", "no slot, so MMIO")


def _operand(world: World, access: Access, gfn: int) -> None:
    """vcpu_mmio_gva_to_gpa; from 4.11 under EPT the exit's gpa is taken instead (vcpu_is_mmio_gpa)."""
    if world.mode == "ept" and world.since("v414"):
        vcpu_match_mmio_gpa(world, gfn, "vcpu_is_mmio_gpa")
    elif not vcpu_match_mmio_gva(world, access.gva, "vcpu_mmio_gva_to_gpa"):
        walk_addr(world, access.gva, access.write)
        vcpu_match_mmio_gpa(world, gfn, "vcpu_mmio_gva_to_gpa")


def dispatch(world: World, access: Access, gfn: int) -> None:
    """vcpu_mmio_write, vcpu_mmio_read: a device on the bus, or user space; a load then resumes the emulator."""
    if world.mmio_bus.access(gfn << 12 | access.gva & 0xFFF, world.count, access.write):
        return
    world.exit_to_userspace()
    if not access.write:
        world.count("emulate_resume", "x86_emulate_instruction", "the load that user space has served")
