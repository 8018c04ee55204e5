"""Scenario symbols: one table each for the counts of one access (integers) and for mixes (means and rates)."""

from __future__ import annotations

from typing import NamedTuple


class Symbol(NamedTuple):
    """An integer symbol of the counts. Domain and default are rules (``admissible``); here is their text."""

    name: str
    letter: str
    meaning: str
    domain: str
    default: str
    source: str = "model/mechanism.md"
    unit: str = "1"


class MixSymbol(NamedTuple):
    """A symbol of a mix of accesses: a mean, share or rate with a closed domain [low, high].

    ``range`` is what a sensitivity study varies it over; ``default`` is None where it is derived.
    """

    name: str
    letter: str
    unit: str
    low: float
    high: float
    default: float | None
    range: tuple[float, float]
    meaning: str
    source: str = "scenario"


# fmt: off
SYMBOLS: tuple[Symbol, ...] = (
    Symbol("slots", "n", "memslot entries that a full scan examines, private ones included", "≥ 1", "4"),
    Symbol("ram_slot", "i", "rank of the slot that holds guest page tables, code and data", "1…slots", "1"),
    Symbol("mmio_gap", "g", "where the MMIO gfn falls: slots whose base lies above it (binary) or at or below it (tree); unused by linear scans", "0…slots", "slots"),
    Symbol("slot_cache_warm", "q", "the slot cache holds the RAM slot when the path starts; unused by linear scans", "0, 1; binary search: 0 only if slots ≥ 2", "1"),
    Symbol("guest_levels", "L", "guest page-table levels: 0 paging off, 2 32-bit, 3 PAE, 4 and 5 long mode", "nonpaging 0; shadow 2, 3, 4 (v517 also 5); else 0, 2, 3, 4 (from v414 also 5)", "4; nonpaging 0"),
    Symbol("leaf_level", "e", "level at which the guest walk of the data address ends (2: large page)", "1 (guest_levels 0, and ram_fill); 1…2 (2, 3); 1…3 (4, 5)", "1"),
    Symbol("code_leaf_level", "e_c", "the same for the address of the instruction", "1; 1…2; 1…3 by guest_levels", "1"),
    Symbol("is_write", "w", "store (1) or load (0)", "0, 1", "1"),
    Symbol("fault_level", "f", "level of the guest entry at which KVM's walk of a guest fault ends", "1…top(guest_levels); 1 if 0", "1"),
    Symbol("nested_levels", "L₁₂", "levels of L1's tables that translate L2 addresses; guest_walk only", "0, 2…5", "0"),
    Symbol("ad_updates", "α", "compare-exchanges on accessed and dirty bits by the first walk of the data address", "0…levels read; up to v36 0…levels read + is_write", "0"),
    Symbol("shadow_levels", "ℓ", "levels of the shadow or EPT hierarchy", "shadow, nonpaging: by guest_levels; else 3, 4 (from v414 also 5)", "shadow, nonpaging: by guest_levels; else 4"),
    Symbol("missing_levels", "x", "shadow pages absent: those at levels 1…x", "0…walked levels − 1", "0"),
    Symbol("prefetch_index", "j", "gfn mod 8: place in the group of entries that KVM looks at after an install", "0…7", "0"),
    Symbol("fast_bus_devices", "d_f", "devices on the fast MMIO bus", "≥ 0; fast_mmio ≥ 1", "0; fast_mmio 1"),
    Symbol("decode_assist", "δ", "the CPU supplied the instruction bytes (SVM), so the host is AMD", "0, 1; ept: 1 only if fast_bus_devices = 0", "0"),
    Symbol("spte_accessed_bit", "ζ", "EPT or NPT entries have an accessed bit", "0, 1; ept with decode_assist 1: 1", "from v311 1; before 0, but 1 in ept with decode_assist 1"),
    Symbol("mmio_cached", "c", "the vCPU's MMIO cache holds this page when the exit happens; mmio_hit only", "0, 1", "1"),
    Symbol("userspace", "u", "served by user space", "0, 1", "0"),
    Symbol("is_ioeventfd", "y", "the in-kernel device is an ioeventfd", "0, 1; 0 for a load and on pio_read", "0"),
    Symbol("bus_devices", "d", "devices on the MMIO bus (pio_*: on the port bus)", "≥ 1", "4"),
    Symbol("bus_position", "b", "position of the device that answers: registration order (linear), address order (sorted)", "1…bus_devices", "1"),
    Symbol("bus_gap", "γ", "devices with a lower address, when none answers (sorted bus)", "0…bus_devices", "bus_devices"),
    Symbol("fast_bus_position", "b_f", "as bus_position on the fast MMIO bus; fast_mmio only", "1…max(1, fast_bus_devices)", "1"),
    Symbol("fast_bus_gap", "γ_f", "as bus_gap on the fast MMIO bus; hit and stale only", "0…fast_bus_devices", "0"),
    Symbol("host_hypervisor", "v", "the host is itself a guest; fast_mmio from v414 only", "0, 1", "0"),
    Symbol("bypass", "β", "bypass_guest_pf", "0, 1 on v30.shadow.* and proto.*; 1 on guest_fault_bypassed; else 0", "0; guest_fault_bypassed 1"),
    Symbol("guest_pte_bits", "bits", "width of a guest page-table entry", "32 if guest_levels = 2, else 64", "by guest_levels", unit="bit"),
    Symbol("shadow_pages", "P", "shadow pages in existence", "≥ 0", "0"),
    Symbol("sync", "sync", "unified loop: the shadow page is in step with the guest's", "0, 1", "1"),
    Symbol("is_mmio", "μ", "unified loop: the access is MMIO", "0, 1", "1"),
    Symbol("retries", "ρ", "unified loop: builds undone before the re-fetch", "≥ 0", "0"),
    Symbol("unlinked_levels", "x_u", "unified loop: levels lost at each such retry", "1…walked levels − 1", "1"),
    Symbol("fast_pio_in", "φ_in", "IN is served without the emulator; pio_read only", "0, 1", "from v414 1; before 0"),
    Symbol("pm_timer", "τ", "the port is the ACPI timer; pio_read with userspace 1 only", "0, 1", "0"),
    Symbol("timer_msr", "τ_msr", "the register is a timer; msr_write only", "0, 1", "0"),
    Symbol("exit_mitigated", "m_x", "the host's state has mitigations on exit and entry", "0, 1", "0"),
    Symbol("userspace_mitigated", "m_u", "the host's state has mitigations on the way to user space", "0, 1", "0"),
    Symbol("emulation_mitigated", "m_e", "the host's state has mitigations in the emulator", "0, 1", "0"),
)
# fmt: on

_ANY = float("inf")
# fmt: off
MIX_SYMBOLS: tuple[MixSymbol, ...] = (
    MixSymbol("mmio_rate", "r_m", "1/s", 1e-6, _ANY, 20000.0, (1e2, 1e6), "guest MMIO accesses"),
    MixSymbol("mmio_pages", "k", "1", 1, _ANY, 1.0, (1, 64), "distinct MMIO pages touched, equally often in random order"),
    MixSymbol("userspace_fraction", "ū", "1", 0, 1, None, (0, 1), "share of MMIO accesses served in user space; derived from userspace unless set"),
    MixSymbol("cold_search_fraction", "χ", "1", 0, 1, 0.0, (0, 1), "share of accesses whose first slot search that finds nothing meets its entries out of the cache", "model/statistics.md"),
    MixSymbol("hit_fraction", "h", "1", 0, 1, None, (0, 1), "accesses that find a valid MMIO spte; derived from the update rates unless set"),
    MixSymbol("generation_rate", "λ_g", "1/s", 0, _ANY, None, (1e-3, 1e3), "memslot updates; at least zapping_rate, which is the default"),
    MixSymbol("zapping_rate", "λ_z", "1/s", 0, _ANY, 0.0, (1e-3, 1e2), "those memslot updates that zap shadow pages"),
    MixSymbol("address_spaces", "AS", "1", 1, 2, 1.0, (1, 2), "address spaces of the VM (2 with SMM)"),
    MixSymbol("fault_rate", "r_f", "1/s", 0, _ANY, 10000.0, (1e2, 1e6), "guest page faults on RAM seen by hardware"),
    MixSymbol("true_fault_fraction", "p", "1", 0, 1, 0.286, (0, 1), "share of faults whose guest entry is not present", "kvmstat_sample_doc"),
    MixSymbol("notrap_fraction", "ν", "1", 0, 1, 1.0, (0, 1), "of these, faults on entries that bypass_guest_pf could mark; the default is the best case for the switch"),
    MixSymbol("fill_rate", "r_s", "1/s", 0, _ANY, 500.0, (1, 1e5), "indirect shadow pages created"),
    MixSymbol("unsync_rate", "r_x", "1/s", 0, _ANY, 0.0, (1, 1e5), "shadow pages made unsync"),
    MixSymbol("unlink_rate", "λ_u", "1/s", 0, _ANY, 0.0, (1, 1e5), "shadow pages unlinked while others walk"),
    MixSymbol("unlink_hit_fraction", "φ", "1", 0, 1, 1.0, (0, 1), "share of these that undo the build of one chain; no kernel counter gives it, and the default is the worst case for the unified loop"),
    MixSymbol("build_window", "t_b", "s", 0, 1, 1e-6, (1e-7, 1e-4), "unified loop: time from the link of what was built to the fetch that finds it; the default is an assumption"),
    MixSymbol("mmio_faults_on", "on", "1", 0, 1, 1.0, (0, 1), "MMIO sptes stand beside bypass_guest_pf=1 (1), or are off (0)"),
    MixSymbol("accesses_per_transaction", "a_t", "1", 0, _ANY, 20.0, (0.1, 1e3), "MMIO accesses of one workload transaction"),
    MixSymbol("cycles_per_transaction", "C_t", "cycle", 1, _ANY, None, (1e4, 1e8), "cycles of one transaction before the change; required by speedup"),
)
# fmt: on
