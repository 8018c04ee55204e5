"""What the payload of an event says, in each of the layouts that kernels and plugins have printed."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..reading import REASONS
from .exit_reasons import canonical, numbered

UNRECOGNISED, INCOMPLETE, TOO_LONG, CONTINUATION, BAD_NUMBER = REASONS
#: Events whose payload is read; every other event counts by its name alone.
EVENTS = (
    "kvm_exit", "kvm_entry", "kvm_mmio", "kvm_fast_mmio", "kvm_pio", "kvm_userspace_exit", "kvm_page_fault",
    "handle_mmio_page_fault", "mark_mmio_spte", "check_mmio_spte", "kvm_inj_exception", "kvm_mmu_get_page",
    "kvm_mmu_paging_element",
)  # fmt: skip
EXIT, ENTRY, MMIO, FAST_MMIO, PIO, USERSPACE, PAGE_FAULT, HANDLE, MARK, CHECK, INJECT, GET_PAGE, PAGING = range(13)
READ, WRITE, UNSATISFIED = 1, 2, 3
RW_NAMES = ("", "read", "write", "unsatisfied-read")


_LARGEST = (1 << 63) - 1
_DIRECT = 1 << 7  # in kvm_mmu_page_role, as of the kernels whose pages perf can't parse


class Event(NamedTuple):
    """What an event's payload says; -1 and None are what it does not say.

    ``number``: bytes of an access, port count, level of a paging element; ``rw``: READ, WRITE, UNSATISFIED or 0;
    ``flag``: an MMIO spte found valid (1) or out of date (0), an exit to user space for MMIO (1), a #PF injected (1),
    a new indirect shadow page (1).
    """

    vcpu: int = -1
    reason: str = ""
    printed: str = ""
    address: int = -1
    number: int = 0
    rw: int = 0
    value: int = -1
    error_code: int = -1
    gen: int = -1
    flag: int = -1


_REASON = re.compile(
    r"(?:vcpu (?P<vcpu>\d{1,9}) )?reason (?P<reason>\S.{0,63}?) rip (?P<rip>0x[0-9a-f]{1,16}) ?(?P<rest>.*)", re.ASCII
)
_INFO1 = re.compile(r"(?:\S{1,80}\+0x[0-9a-f]{1,16} )?info1? (?:0x)?([0-9a-f]{1,16})(?!\S)", re.ASCII)
_RAW_EXIT = re.compile(r"exit_reason=(?P<reason>0x[0-9a-fA-F]{1,8}|\d{1,10})\b(?P<rest>.*)", re.ASCII)
_ENTRY = re.compile(r"vcpu (\d{1,9})\b.*", re.ASCII)
_MMIO = re.compile(
    r"mmio (?P<rw>unsatisfied-read|read|write) len (?P<len>\d{1,5}) gpa 0x(?P<gpa>[0-9a-f]{1,16})"
    r" val 0x(?P<val>[0-9a-f]{1,16})\s*"
)
_FAST = re.compile(r"fast mmio at gpa 0x([0-9a-f]{1,16})\s*")
_PIO = re.compile(r"pio_(read|write) at 0x([0-9a-f]{1,8}) size (\d{1,3}) count (\d{1,9})\b.*", re.ASCII)
_PAGE_FAULT = re.compile(r".*?\baddress (?:0x)?([0-9a-f]{1,16}) error_code (?:0x)?([0-9a-f]{1,16})\b.*", re.ASCII)
_HANDLE = re.compile(r"addr:([0-9a-f]{1,16}) gfn ([0-9a-f]{1,16}) access .*")
_MARK = re.compile(r"sptep:[!-~]{1,18} gfn ([0-9a-f]{1,16}) access [0-9a-f]{1,8}(?: gen ([0-9a-f]{1,16}))?\s*")
_CHECK = re.compile(r"spte [!-~]{1,20} kvm_gen ([0-9a-f]{1,16}) spte-gen [0-9a-f]{1,16} valid ([01])\s*")
_LEVEL = re.compile(r".* level (\d{1,2})\b.*", re.ASCII)
_PAIR = re.compile(r"(\w{1,32})=(0x[0-9a-fA-F]{1,16}|\d{1,20})(?![\w.])", re.ASCII)
_FIELD = re.compile(r"(\w{1,16}) (?:0x)?([0-9a-f]{1,16})(?!\S)", re.ASCII)


def payload(event: str, text: str, isa: str | None = None) -> Event | str:
    """What an event says, or the reason why its line is skipped (``incomplete`` or ``bad_number``)."""
    if event not in EVENTS:
        return Event()
    if text.startswith("[FAILED TO PARSE]") or _RAW_EXIT.fullmatch(text) is not None:
        return _from_pairs(event, text, isa)
    return _READERS[EVENTS.index(event)](text, isa)


def _exit(text: str, isa: str | None) -> Event | str:
    match = _REASON.fullmatch(text)
    if match is None:
        return INCOMPLETE
    printed = match["reason"]
    name = canonical(printed, isa)
    return Event(
        vcpu=-1 if match["vcpu"] is None else int(match["vcpu"]),
        reason=name,
        printed=printed,
        error_code=_error_code(name, match["rest"]),
    )


def _error_code(name: str, rest: str) -> int:
    """The error code where the exit has one: SVM's exit info 1, VMX's where the interruption info says so."""
    if name in ("NPF", "EXCP_PF"):
        match = _INFO1.match(rest)
        return -1 if match is None else _bounded(int(match[1], 16))
    fields = dict(_FIELD.findall(rest))
    if name != "EXCEPTION_NMI" or not int(fields.get("intr_info", "0"), 16) & 0x800:
        return -1
    return _bounded(int(fields.get("error_code", "0"), 16))


def _bounded(number: int) -> int:
    return min(number, _LARGEST)


def _entry(text: str, isa: str | None) -> Event | str:
    match = _ENTRY.fullmatch(text)
    return INCOMPLETE if match is None else Event(vcpu=int(match[1]))


def _mmio(text: str, isa: str | None) -> Event | str:
    match = _MMIO.fullmatch(text)
    if match is None:
        return INCOMPLETE
    return Event(
        address=_bounded(int(match["gpa"], 16)),
        number=int(match["len"]),
        rw=RW_NAMES.index(match["rw"]),
        value=_bounded(int(match["val"], 16)),
    )


def _fast(text: str, isa: str | None) -> Event | str:
    match = _FAST.fullmatch(text)
    return INCOMPLETE if match is None else Event(address=_bounded(int(match[1], 16)), rw=WRITE)


def _pio(text: str, isa: str | None) -> Event | str:
    match = _PIO.fullmatch(text)
    if match is None:
        return INCOMPLETE
    return Event(address=int(match[2], 16), number=int(match[3]), rw=RW_NAMES.index(match[1]))


def _userspace(text: str, isa: str | None) -> Event | str:
    said = text.strip()
    return Event(flag=int(said.startswith("reason KVM_EXIT_MMIO"))) if said.startswith("reason ") else INCOMPLETE


def _page_fault(text: str, isa: str | None) -> Event | str:
    match = _PAGE_FAULT.fullmatch(text)
    return INCOMPLETE if match is None else Event(error_code=_bounded(int(match[2], 16)))


def _handle(text: str, isa: str | None) -> Event | str:
    match = _HANDLE.fullmatch(text)
    return INCOMPLETE if match is None else Event()


def _mark(text: str, isa: str | None) -> Event | str:
    match = _MARK.fullmatch(text)
    return INCOMPLETE if match is None else Event(gen=-1 if match[2] is None else _bounded(int(match[2], 16)))


def _check(text: str, isa: str | None) -> Event | str:
    match = _CHECK.fullmatch(text)
    return INCOMPLETE if match is None else Event(gen=_bounded(int(match[1], 16)), flag=int(match[2]))


def _inject(text: str, isa: str | None) -> Event | str:
    return Event(flag=int("#PF" in text))


def _get_page(text: str, isa: str | None) -> Event | str:
    return Event(flag=int(text.rstrip().endswith("new") and "direct" not in text))


def _paging(text: str, isa: str | None) -> Event | str:
    match = _LEVEL.fullmatch(text)
    return INCOMPLETE if match is None else Event(number=int(match[1]))


_READERS = (
    _exit,
    _entry,
    _mmio,
    _fast,
    _pio,
    _userspace,
    _page_fault,
    _handle,
    _mark,
    _check,
    _inject,
    _get_page,
    _paging,
)


def _from_pairs(event: str, text: str, isa: str | None) -> Event | str:
    """Fields of a payload printed as ``field=value`` pairs, raw or because the tool could not do better."""
    found = {name: _bounded(int(value, 0)) for name, value in _PAIR.findall(text) if not _octal(value)}
    number = EVENTS.index(event)
    if number == EXIT:
        if "exit_reason" not in found:
            return INCOMPLETE
        known = {1: "vmx", 2: "svm"}.get(found.get("isa", 0), isa)
        name = numbered(found["exit_reason"], known)
        code = "info1" if name in ("NPF", "EXCP_PF") else "error_code"
        relevant = code == "info1" or (name == "EXCEPTION_NMI" and found.get("intr_info", 0) & 0x800)
        return Event(
            found.get("vcpu_id", -1),
            name,
            str(found["exit_reason"]),
            error_code=found.get(code, -1) if relevant else -1,
        )
    if number == ENTRY:
        return Event(vcpu=found["vcpu_id"]) if "vcpu_id" in found else INCOMPLETE
    if number == MMIO:
        if not {"type", "len", "gpa", "val"} <= found.keys():
            return INCOMPLETE
        rw = {0: UNSATISFIED, 1: READ, 2: WRITE}.get(found["type"])
        return BAD_NUMBER if rw is None else Event(address=found["gpa"], number=found["len"], rw=rw, value=found["val"])
    if number == GET_PAGE:
        return Event(flag=int(found.get("created", 0) == 1 and not found.get("role", 0) & _DIRECT))
    return Event(error_code=found.get("error_code", -1), gen=found.get("gen", -1))


def _octal(value: str) -> bool:
    return len(value) > 1 and value[0] == "0" and value[1] not in "xX"
