"""Primitive events: what is counted on a path. A count is exact; what one event costs is measured."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple


class Event(NamedTuple):
    """One primitive event: its name, what one count of it is, the kernel function, and the part that does it."""

    name: str
    meaning: str
    where: str
    part: str


# fmt: off
EVENTS: tuple[Event, ...] = (
    Event("vm_exit_ept_violation", "one exit with an EPT violation (NPT: nested page fault without the reserved bit) and the entry that follows", "handle_ept_violation", "CPU"),
    Event("vm_exit_ept_misconfig", "one exit with an EPT misconfiguration (NPT: nested page fault with the reserved bit) and the entry that follows", "handle_ept_misconfig", "CPU"),
    Event("vm_exit_page_fault", "one exit with an intercepted guest #PF under shadow paging and the entry that follows", "handle_exception", "CPU"),
    Event("vm_exit_instruction", "one exit for an intercepted instruction and the entry that follows, with run loop, dispatch, a trivial handler and the advance past the instruction; the anchor of all vm_exit_*", "handle_vmcall, handle_io", "CPU"),
    Event("slot_search", "one look-up of a gfn among the memslots, however it ends", "gfn_to_memslot, kvm_vcpu_gfn_to_memslot", "memslots"),
    Event("slot_compare", "one memslot entry examined; testing the cached slot is one", "search_memslots, try_get_memslot", "memslots"),
    Event("guest_pte_read", "one guest page-table entry read by a walk; its slot search is counted apart", "walk_addr_generic", "guest page tables"),
    Event("guest_pte_update", "one compare-exchange that sets accessed or dirty bits of a guest entry", "cmpxchg_gpte", "guest page tables"),
    Event("gpte_recheck", "one re-read of a guest entry after its table was write-protected", "gpte_changed", "guest page tables"),
    Event("prefetch_chunk_read", "one 256-byte copy of guest entries while a shadow page is filled", "prefetch_page", "guest page tables"),
    Event("prefetch_pte_scan", "one entry of such a copy tested and its shadow entry written", "prefetch_page", "KVM MMU"),
    Event("shadow_pte_read", "one shadow or EPT entry read while descending, locked or not", "for_each_shadow_entry, for_each_shadow_entry_lockless", "KVM MMU"),
    Event("rcu_read_section", "one bracket of a lockless walk, entered and left", "walk_shadow_page_lockless_begin", "KVM MMU"),
    Event("mmu_lock_acquire", "one acquisition of mmu_lock (its read side under the TDP MMU)", "fault handlers", "KVM MMU"),
    Event("shadow_page_alloc", "one shadow or EPT page allocated and its 512 entries initialised", "kvm_mmu_get_page", "KVM MMU"),
    Event("spte_install", "one present entry written: a link to a lower page or a RAM mapping", "mmu_set_spte, link_shadow_page", "KVM MMU"),
    Event("mmio_spte_install", "one MMIO spte written", "mark_mmio_spte", "KVM MMU"),
    Event("shadow_page_zap", "one shadow page torn down", "kvm_mmu_prepare_zap_page", "KVM MMU"),
    Event("zap_all", "one request to tear down all shadow pages", "kvm_mmu_zap_all", "KVM MMU"),
    Event("generation_check", "one comparison of an MMIO spte's generation with the current one", "check_mmio_spte", "KVM MMU"),
    Event("mmio_cache_check", "one test of the vCPU's one-entry MMIO cache, by gva or by gpa", "vcpu_match_mmio_gva, vcpu_match_mmio_gpa", "KVM MMU"),
    Event("instruction_fetch", "one fetch of instruction bytes by the emulator; its walk and searches are counted apart", "kvm_fetch_guest_virt", "emulator"),
    Event("emulate_instruction", "one run of the emulator with decoding", "x86_emulate_instruction", "emulator"),
    Event("emulate_resume", "one run of the emulator without decoding, to complete a load or IN that user space served", "x86_emulate_instruction, EMULTYPE_NO_DECODE", "emulator"),
    Event("skip_instruction", "one advance past an instruction whose operands are not emulated", "kvm_skip_emulated_instruction", "emulator"),
    Event("io_bus_compare", "one device tested on the MMIO bus, or for a port on the port bus", "kvm_io_bus_write, kvm_io_bus_read", "I/O buses"),
    Event("fast_bus_compare", "one device tested on the fast MMIO bus", "kvm_io_bus_write, KVM_FAST_MMIO_BUS", "I/O buses"),
    Event("ioeventfd_signal", "one eventfd signalled", "ioeventfd_write", "I/O buses"),
    Event("userspace_exit", "one return from KVM_RUN and the next call", "kvm_arch_vcpu_ioctl_run", "user space"),
    Event("guest_fault_inject", "one #PF queued for the guest by KVM", "inject_page_fault", "KVM MMU"),
    Event("guest_fault_native", "one #PF that the CPU delivers to the guest without an exit; costs 0 by definition", "bypass_guest_pf", "CPU"),
    Event("tlb_flush", "one flush request that waits for all vCPUs", "kvm_flush_remote_tlbs", "KVM MMU"),
    Event("cpuid_search", "one CPUID leaf looked up", "kvm_emulate_cpuid", "exit handler"),
    Event("msr_access", "one model-specific register found and read or written", "kvm_get_msr, kvm_set_msr", "exit handler"),
    Event("timer_program", "one timer set anew by such a write", "local APIC timer", "exit handler"),
    Event("pio_dispatch", "one run of the port handler that needs no emulator", "kvm_fast_pio_out, kvm_fast_pio_in", "I/O buses"),
    Event("device_model", "work of the user-space device model for an unassigned port or a plain register", "user space", "user space"),
    Event("pm_timer_read", "the same for a read of the ACPI timer, in place of device_model", "user space", "user space"),
    Event("exit_mitigation", "one barrier or detour that the host's mitigations add to an exit and entry", "host's state", "CPU"),
    Event("userspace_mitigation", "one barrier that they add on the way to user space", "host's state", "user space"),
    Event("emulation_mitigation", "what they add to one run of the emulator with decoding", "host's state", "emulator"),
)
# fmt: on


# The guest pays it on bare hardware too, so it costs nothing here.
FREE = "guest_fault_native"
# A cost parameter beside the events: what one slot_compare costs more when its entry is out of the cache.
COLD_COMPARE = "slot_compare_cold"


@cache
def event_names() -> tuple[str, ...]:
    """Names of all events, in the order of the table."""
    return tuple(event.name for event in EVENTS)
