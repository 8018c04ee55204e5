"""The page of the words: the field's terms, and what the vocabulary says of events, generations, paths, symbols."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..vocabulary import EVENTS, GENERATIONS, MIX_SYMBOLS, PATHS, SYMBOLS, MixSymbol, Symbol
from .anchors import anchor
from .numbers import quantity_text, shown_unit

TERMS: tuple[tuple[str, str], ...] = (
    (
        "MMIO",
        "Memory-mapped I/O: a load or store to a guest-physical address that no memory stands behind, so that KVM"
        " or user space has to serve it.",
    ),
    ("PIO", "Port I/O: IN and OUT, which exit by themselves and need no page tables to be told apart."),
    (
        "gva, gpa, gfn",
        "Guest virtual address, guest physical address, and guest frame number: the physical address without its "
        "offset in the page.",
    ),
    (
        "memslot",
        "A range of guest-physical memory that user space has given to KVM. A gfn in no memslot is MMIO, and "
        "finding that out is a search.",
    ),
    (
        "memslot generation",
        "A number that each update of the memslots raises, so that an MMIO spte made before it is known to be stale.",
    ),
    ("TDP", "Two-dimensional paging: hardware walks the guest's tables and then the host's. EPT on Intel, NPT on AMD."),
    ("EPT violation", "The exit of an access that the EPT does not allow, for instance since the entry is not there."),
    (
        "EPT misconfiguration",
        "The exit of an access whose EPT entry holds a combination that the hardware does not accept. KVM writes "
        "such entries on purpose, as MMIO sptes.",
    ),
    (
        "shadow paging",
        "Paging without help of the hardware: KVM builds the page tables that the CPU walks from the guest's own.",
    ),
    ("spte", "An entry of the tables that KVM writes, be they shadow page tables or the EPT."),
    (
        "MMIO spte",
        "An spte that faults by design and says that its gfn is MMIO, so that no memslot has to be searched. This"
        " is fast MMIO in the series of 2011.",
    ),
    (
        "fast MMIO bus",
        "A later bus on which a store to an ioeventfd that accepts any value is signalled without the emulator "
        "(from 3.16).",
    ),
    ("ioeventfd", "An eventfd that KVM signals for a guest's store to an address, without a return to user space."),
    (
        "bypass_guest_pf",
        "A parameter of kvm_intel up to 3.0: entries that are not present in the guest were made so that the CPU "
        "delivers the fault to the guest without an exit.",
    ),
    ("mmu_lock", "The lock that guards KVM's page tables of one virtual machine."),
    ("unsync page", "A shadow page that the guest may write its table behind, brought into step at the next flush."),
    ("L0, L1, L2", "The host, its guest, and the guest of that guest."),
    ("emulator", "The part of KVM that decodes and carries out an instruction of the guest."),
    ("userspace exit", "A return from KVM_RUN, so that the device model in user space serves the access."),
    (
        "95 % interval",
        "Holds the true value in 95 of 100 cases that are like this one: a credible interval of the fit, whose "
        "coverage is checked by simulation. It is for a machine of the evidence, for one not yet measured, or for"
        " a new measurement.",
    ),
    (
        "prior",
        "What is assumed of an event's cost before measurements are looked at. A result that rests on it says so.",
    ),
    ("break-even", "The value of a symbol at which two designs cost the same."),
    ("regret", "What a choice costs more than the best one, in the mean over what is not known."),
    (
        "Sobol index",
        "The share of a result's variance that one input accounts for, alone (first) or with all others (total).",
    ),
)

SYMBOL_COLUMNS = ("Symbol", "Letter", "Unit", "Meaning", "Domain", "Default")


def glossary_body() -> str:
    """The page as trusted HTML; ids are ``term-…``, ``event-…``, ``generation-…`` and ``path-…``."""
    from .pages import render

    return render(
        "reference/glossary.html.j2",
        terms=[{"anchor": anchor("term", name), "name": name, "meaning": meaning} for name, meaning in TERMS],
        events=_anchored("event", EVENTS, lambda item: item.name),
        generations=_anchored("generation", GENERATIONS, lambda item: item.id),
        paths=_anchored("path", PATHS, lambda item: item.name),
        symbol_rows=[*counted_symbols(), *mixed_symbols()],
    )


def _anchored(kind: str, items: Iterable[Any], name: Any) -> list[dict[str, Any]]:
    return [{"anchor": anchor(kind, name(item)), "item": item} for item in items]


def counted_symbols() -> list[dict[str, str]]:
    """Symbols of one access as rows of the table."""
    return [_row(item, item.domain, item.default) for item in SYMBOLS]


def mixed_symbols() -> list[dict[str, str]]:
    """Symbols of a mix as rows of the table."""
    return [_row(item, _domain(item), _default(item)) for item in MIX_SYMBOLS]


def _row(item: Symbol | MixSymbol, domain: str, default: str) -> dict[str, str]:
    named = {"name": item.name, "letter": item.letter, "meaning": item.meaning, "unit": shown_unit(item.unit)}
    return {"anchor": anchor("symbol", item.name), "domain": domain, "default": default, **named}


def _domain(item: MixSymbol) -> str:
    low = quantity_text(item.low)
    return f"≥ {low}" if item.high == float("inf") else f"{low} to {quantity_text(item.high)}"


def _default(item: MixSymbol) -> str:
    return "none" if item.default is None else quantity_text(item.default)
