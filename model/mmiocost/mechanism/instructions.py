"""Exits without a memory access: hypercall, CPUID, model-specific registers, ports; and the emulator alone."""

from __future__ import annotations

from collections.abc import Callable

from .accesses import Instruction
from .emulator import decode
from .world import World


def execute(world: World, instruction: Instruction) -> str:
    """The guest executes an intercepted instruction, or KVM one instruction in the emulator."""
    if instruction.way == "emulation":
        decode(world, bytes_supplied=False)
    else:
        world.exit("instruction", _HANDLED_BY[instruction.way])
        _WORK.get(instruction.way, _nothing)(world, instruction)
    return instruction.way


def _nothing(world: World, instruction: Instruction) -> None:
    """handle_vmcall: the exit is all."""


def _cpuid(world: World, instruction: Instruction) -> None:
    world.count("cpuid_search", "kvm_emulate_cpuid")


def _msr_read(world: World, instruction: Instruction) -> None:
    world.count("msr_access", "kvm_get_msr")


def _msr_write(world: World, instruction: Instruction) -> None:
    world.count("msr_access", "kvm_set_msr")
    if instruction.timer_msr:
        world.count("timer_program", "start_apic_timer")


def _pio_write(world: World, instruction: Instruction) -> None:
    """handle_io, OUT: the port handler, no emulator."""
    world.count("pio_dispatch", "kvm_fast_pio_out")
    _serve_port(world, instruction)


def _pio_read(world: World, instruction: Instruction) -> None:
    """handle_io, IN: the emulator, or from 4.10 (SVM) and 4.17 (VMX) on the port handler.

    Instruction bytes that the processor supplies go to the fault handlers only, so the emulator fetches here.
    """
    if world.host.fast_pio_in:
        world.count("pio_dispatch", "kvm_fast_pio_in")
        _serve_port(world, instruction)
        return
    decode(world, bytes_supplied=False)
    if not _serve_port(world, instruction):
        world.count("emulate_resume", "x86_emulate_instruction", "the IN that user space has served")


def _serve_port(world: World, instruction: Instruction) -> bool:
    """kernel_pio: True if a device on the port bus has answered, else user space does."""
    if world.port_bus.access(instruction.port, world.count, instruction.way == "pio_write"):
        return True
    world.exit_to_userspace()
    timer = instruction.pm_timer and instruction.way == "pio_read"
    world.count("pm_timer_read" if timer else "device_model", "user space")
    return False


_HANDLED_BY = {
    "hypercall": "handle_vmcall",
    "cpuid": "handle_cpuid",
    "msr_read": "handle_rdmsr",
    "msr_write": "handle_wrmsr",
    "pio_write": "handle_io",
    "pio_read": "handle_io",
}
_WORK: dict[str, Callable[[World, Instruction], None]] = {
    "cpuid": _cpuid,
    "msr_read": _msr_read,
    "msr_write": _msr_write,
    "pio_write": _pio_write,
    "pio_read": _pio_read,
}
