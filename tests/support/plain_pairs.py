"""Exits paired and named by the rules of the trace formats, one event after the other: slow, and from the rules alone.

Shares no code with the importer, which is held against it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

NESTED = ("NPF", "EXCP_PF", "EXCEPTION_NMI")
SLOW_REASONS = ("EPT_VIOLATION", *NESTED)
#: Canonical reason by what the traces here print.
REASONS = {
    "EPT_MISCONFIG": "EPT_MISCONFIG", "EPT_VIOLATION": "EPT_VIOLATION", "EXCEPTION_NMI": "EXCEPTION_NMI",
    "npf": "NPF", "PF excp": "EXCP_PF", "EXIT_NPF": "NPF", "hlt": "HLT", "APIC_ACCESS": "APIC_ACCESS",
    "PENDING_INTERRUPT": "INTERRUPT_WINDOW", "INVALID_STATE FAILED_VMENTRY": "INVALID_STATE FAILED_VMENTRY",
}  # fmt: skip
MARKER = "marker"


@dataclass(frozen=True)
class Said:
    """An event: what its line says. A marker has the CPU (-1: all) and the number lost (-1: unknown) in ``what``."""

    event: str
    tid: int = 0
    cpu: int = 0
    time: int = 0
    what: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Open:
    time: int
    line: int
    cpu: int
    reason: str
    code: int
    events: list[Said] = field(default_factory=list)


@dataclass
class Found:
    """Pairs in the order of their ends, and the counts of the JSON."""

    pairs: list[dict[str, Any]] = field(default_factory=list)
    unpaired_exits: int = 0
    unpaired_entries: int = 0
    negative_pairs: int = 0
    out_of_order_events: int = 0
    lost: int = 0
    lost_markers: int = 0


def pairs_of(events: list[Said]) -> Found:
    """Pair events in the order of their lines; the first is line 1."""
    found, opened = Found(), dict[int, _Open]()
    last_cpu, last_time, vcpus = dict[int, int](), dict[int, int](), dict[int, int]()
    for line, said in enumerate(events, start=1):
        if said.event == MARKER:
            found.lost_markers += 1
            found.lost += max(said.what["lost"], 0)
            for tid in [tid for tid in opened if said.what["cpu"] in (-1, last_cpu[tid])]:
                del opened[tid]
                found.unpaired_exits += 1
            continue
        tid = said.tid
        found.out_of_order_events += said.time < last_time.get(tid, said.time)
        last_cpu[tid], last_time[tid] = said.cpu, said.time
        if "vcpu" in said.what:
            vcpus[tid] = said.what["vcpu"]
        if said.event == "kvm_exit":
            found.unpaired_exits += tid in opened
            reason = REASONS[said.what["reason"]]
            opened[tid] = _Open(said.time, line, said.cpu, reason, said.what.get("code", 0))
        elif said.event == "kvm_entry":
            start = opened.pop(tid, None)
            if start is None:
                found.unpaired_entries += 1
            elif said.time < start.time:
                found.negative_pairs += 1
            else:
                found.pairs.append(_pair(start, said, line, vcpus[tid]))
        elif tid in opened:
            opened[tid].events.append(said)
    found.unpaired_exits += len(opened)
    return found


def _pair(start: _Open, end: Said, line: int, vcpu: int) -> dict[str, Any]:
    named, case = _class(start)
    accesses = [said for said in start.events if said.event in ("kvm_mmio", "kvm_fast_mmio", "kvm_pio")]
    user = any(said.what.get("to") == "KVM_EXIT_MMIO" for said in start.events)
    served = ("user" if user else "kernel") if named.startswith("mmio_") else ""
    return {
        "tid": end.tid, "vcpu": vcpu, "reason": start.reason, "class": named, "slow_case": case, "served": served,
        "gpa": accesses[0].what["gpa"] if accesses else None, "rw": accesses[0].what["rw"] if accesses else "",
        "start": start.time, "duration": end.time - start.time, "migrated": int(start.cpu != end.cpu),
        "line_exit": start.line, "line_entry": line,
    }  # fmt: skip


def _class(start: _Open) -> tuple[str, str]:
    seen = {said.event for said in start.events}
    codes = [start.code, *(said.what["code"] for said in start.events if said.event == "kvm_page_fault")]
    reserved = start.reason == "EPT_MISCONFIG" or (start.reason in NESTED and any(code & 8 for code in codes))
    invalid = any(said.what.get("valid") == 0 for said in start.events)
    marked, handled = "mark_mmio_spte" in seen, "handle_mmio_page_fault" in seen
    slow = "first" if marked else "unknown"
    if "kvm_fast_mmio" in seen:
        return "mmio_fast", ""
    if "kvm_mmio" in seen:
        if invalid or (marked and reserved and not handled):
            return "mmio_stale", ""
        if marked:
            return "mmio_slow", slow
        if handled or reserved:
            return "mmio_cached", ""
        return ("mmio_slow", slow) if start.reason in SLOW_REASONS else ("mmio_other", "")
    if "kvm_pio" in seen:
        return "pio", ""
    if start.reason == "EPT_MISCONFIG":
        return "misconfig_bare", ""
    if "kvm_page_fault" in seen or start.reason in ("EPT_VIOLATION", "NPF"):
        return "fault", ""
    return "other", ""


def printed(said: Said) -> str:
    """The event as a line of an ftrace text."""
    if said.event == MARKER:
        number = "" if said.what["lost"] < 0 else f" {said.what['lost']}"
        return f"CPU:{said.what['cpu']} [LOST{number} EVENTS]" if said.what["cpu"] >= 0 else _all_lost(said)
    time = f"{said.time // 10**9:5}.{said.time % 10**9 // 1000:06}"
    head = f"{f'CPU {said.tid}/KVM':>16}-{said.tid:<7} [{said.cpu:03}] d..1. {time}"
    return f"{head}: {said.event}: {_payload(said.event, said.what)}"


def _all_lost(said: Said) -> str:
    return f"Processed 9 events and lost {max(said.what['lost'], 0)} chunks!"


def _payload(event: str, what: dict[str, Any]) -> str:
    if event == "kvm_exit":
        by_svm = what["reason"] in ("npf", "PF excp", "EXIT_NPF")
        info1, code = (what.get("code", 0), 0) if by_svm else (0, what.get("code", 0))
        interruption = 0x80000B0E if what["reason"] == "EXCEPTION_NMI" else 0
        numbers = f"info1 0x{info1:016x} info2 0x{0:016x} intr_info 0x{interruption:08x} error_code 0x{code:08x}"
        return f"vcpu {what['vcpu']} reason {what['reason']} rip 0xfff0 {numbers}"
    return {
        "kvm_entry": "vcpu {vcpu}, rip 0xfff0", "kvm_mmio": "mmio {rw} len 4 gpa 0x{gpa:x} val 0x0",
        "kvm_fast_mmio": "fast mmio at gpa 0x{gpa:x}", "kvm_pio": "pio_{rw} at 0x{gpa:x} size 1 count 1 val 0x0 ",
        "kvm_userspace_exit": "reason {to} (6)", "kvm_page_fault": "vcpu 0 rip 0x1 address 0x2 error_code 0x{code:x}",
        "handle_mmio_page_fault": "addr:feb91000 gfn feb91 access 7",
        "mark_mmio_spte": "sptep:00000000abc gfn feb91 access 7 gen 1f",
        "check_mmio_spte": "spte abc kvm_gen 1f spte-gen 1e valid {valid}", "kvm_msr": "msr_write 10 = 0x1",
    }[event].format(**what)  # fmt: skip
