"""The tables of symbols and events."""

from __future__ import annotations

import math

import pytest
from scenarios import NAMES

from mmiocost.vocabulary import COLD_COMPARE, EVENTS, MIX_SYMBOLS, SYMBOLS, Event, MixSymbol, Symbol, event_names

# The specification's events, in its order.
EVENT_NAMES = [
    "vm_exit_ept_violation",
    "vm_exit_ept_misconfig",
    "vm_exit_page_fault",
    "slot_search",
    "slot_compare",
    "guest_pte_read",
    "guest_pte_update",
    "gpte_recheck",
    "prefetch_chunk_read",
    "prefetch_pte_scan",
    "shadow_pte_read",
    "rcu_read_section",
    "mmu_lock_acquire",
    "shadow_page_alloc",
    "spte_install",
    "mmio_spte_install",
    "shadow_page_zap",
    "zap_all",
    "generation_check",
    "mmio_cache_check",
    "instruction_fetch",
    "emulate_instruction",
    "emulate_resume",
    "skip_instruction",
    "io_bus_compare",
    "fast_bus_compare",
    "ioeventfd_signal",
    "userspace_exit",
    "guest_fault_inject",
    "guest_fault_native",
    "tlb_flush",
    "vm_exit_instruction",
    "cpuid_search",
    "msr_access",
    "timer_program",
    "pio_dispatch",
    "device_model",
    "pm_timer_read",
    "exit_mitigation",
    "userspace_mitigation",
    "emulation_mitigation",
]


def test_every_symbol_of_the_specification_is_there_and_no_other() -> None:
    assert sorted(symbol.name for symbol in SYMBOLS) == sorted(NAMES)


def test_every_event_of_the_specification_is_there_and_no_other() -> None:
    assert sorted(event_names()) == sorted(EVENT_NAMES)
    assert COLD_COMPARE not in event_names()


@pytest.mark.parametrize("symbol", [*SYMBOLS, *MIX_SYMBOLS], ids=lambda symbol: symbol.name)
def test_a_symbol_says_what_it_is(symbol: Symbol | MixSymbol) -> None:
    assert symbol.meaning and symbol.letter and symbol.unit


def test_names_and_letters_are_used_once() -> None:
    both = [*SYMBOLS, *MIX_SYMBOLS]
    assert len({symbol.name for symbol in both}) == len(both)
    assert len({symbol.letter for symbol in both}) == len(both)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_an_event_says_what_one_count_is_and_where(event: Event) -> None:
    assert event.meaning and event.where


@pytest.mark.parametrize("symbol", MIX_SYMBOLS, ids=lambda symbol: symbol.name)
def test_default_and_range_of_a_mean_lie_in_its_domain(symbol: MixSymbol) -> None:
    low, high = symbol.range
    assert symbol.low <= low < high <= symbol.high and math.isfinite(high)
    assert symbol.default is None or symbol.low <= symbol.default <= symbol.high
