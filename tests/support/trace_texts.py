"""Traces of any size, as perf script and ftrace print them on a kernel of today: several vCPUs under load.

A second of events is drawn and printed once; a longer trace repeats it second by second, so that gigabytes are made
faster than they are read. Every exit is paired within its second, but for one that starts outside.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator

SECOND = b"SSSSSSS"  # stands for the seconds of a time, seven columns wide
FIRST = 5_300
PID = 41_000
#: Reasons with weights, and the shortest and longest time in ns that each takes.
_REASONS = {
    "EPT_MISCONFIG": (36, 1_800, 30_000), "EPT_VIOLATION": (6, 2_000, 12_000), "MSR_WRITE": (22, 700, 2_500),
    "HLT": (8, 40_000, 900_000), "EXTERNAL_INTERRUPT": (12, 600, 2_500), "IO_INSTRUCTION": (6, 5_000, 14_000),
    "PREEMPTION_TIMER": (8, 500, 1_500), "CPUID": (2, 900, 1_600),
}  # fmt: skip
_PAGES = [0xFEB91000 + 0x1000 * page for page in range(24)]
Event = tuple[int, int, int, str, str]  # time in ns, vCPU, CPU, event, payload


def trace(form: str, size: int, seed: int = 1, vcpus: int = 4, events: int = 40_000) -> Iterator[bytes]:
    """Blocks of a trace of a ``form`` of "perf-script" or "ftrace" of at least so many bytes."""
    block = one_second(form, seed, vcpus, events)
    second, made = FIRST, 0
    while made < size:
        text = block.replace(SECOND, b"%7d" % second)
        yield text
        second, made = second + 1, made + len(text)


def one_second(form: str, seed: int, vcpus: int, events: int) -> bytes:
    """About so many events of one second, with SECOND for their second."""
    rng = random.Random(seed)
    threads = [_thread(rng, vcpu, events // vcpus) for vcpu in range(vcpus)]
    line = _perf_line if form == "perf-script" else _ftrace_line
    return "".join(line(event) for event in heapq.merge(*threads)).encode()


def _thread(rng: random.Random, vcpu: int, events: int) -> Iterator[Event]:
    """One vCPU's events, in order; it changes its CPU now and then."""
    time, cpu, made = rng.randrange(1_000), vcpu, 0
    gap = 900_000_000 // events
    names, weights = list(_REASONS), [weight for weight, _, _ in _REASONS.values()]
    while made < events and time < 999_000_000:
        reason = rng.choices(names, weights)[0]
        rip = 0xFFFFFFFF81000000 | rng.randrange(1 << 24)
        info = "info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000"
        inside = list(_inside(rng, reason))
        took = rng.randrange(*_REASONS[reason][1:])
        step = max(took // (len(inside) + 1), 1)
        yield time, vcpu, cpu, "kvm:kvm_exit", f"vcpu {vcpu} reason {reason} rip 0x{rip:x} {info} requests 0x{0:016x}"
        for event, payload in inside:
            time += step
            yield time, vcpu, cpu, event, payload
        time += step
        if rng.random() < 0.002:
            cpu = rng.randrange(2 * vcpu + 8)
        entry = f"vcpu {vcpu}, rip 0x{rip:x} intr_info 0x00000000 error_code 0x00000000"
        yield time, vcpu, cpu, "kvm:kvm_entry", entry
        made += len(inside) + 2
        time += rng.randrange(gap) + 300


def _inside(rng: random.Random, reason: str) -> Iterator[tuple[str, str]]:
    """What happens between an exit and the entry that ends it."""
    gpa = rng.choice(_PAGES) + 4 * rng.randrange(64)
    if reason == "EPT_MISCONFIG":
        if rng.random() < 0.3:
            yield "kvm:kvm_fast_mmio", f"fast mmio at gpa 0x{gpa:x}"
            return
        gen, spte = 0x10, rng.choice(("10", "10", "10", "e"))
        yield (
            "kvmmmu:check_mmio_spte",
            (f"spte fff00000{gpa >> 12:05x}611 kvm_gen {gen:x} spte-gen {spte} valid {int(spte == '10')}"),
        )
        yield "kvmmmu:handle_mmio_page_fault", f"addr:{gpa:x} gfn {gpa >> 12:x} access 7"
        yield from _access(rng, gpa)
    elif reason == "EPT_VIOLATION":
        yield (
            "kvm:kvm_page_fault",
            (f"vcpu 0 rip 0xffffffff8108e7a4 address 0x{gpa:016x} error_code 0x{rng.choice((0x181, 0x182)):x}"),
        )
        if rng.random() < 0.3:
            yield (
                "kvmmmu:mark_mmio_spte",
                f"sptep:00000000{rng.randrange(1 << 32):08x} gfn {gpa >> 12:x} access 7 gen 10",
            )
            yield from _access(rng, gpa)
    elif reason == "IO_INSTRUCTION":
        way = rng.choice(("read", "write"))
        yield "kvm:kvm_pio", f"pio_{way} at 0x{rng.choice((0x71, 0xB008, 0x3F8)):x} size 1 count 1 val 0x{gpa & 255:x} "
        yield "kvm:kvm_userspace_exit", "reason KVM_EXIT_IO (2)"
    elif reason == "MSR_WRITE":
        yield "kvm:kvm_msr", f"msr_write 6e0 = 0x{rng.randrange(1 << 48):x}"


def _access(rng: random.Random, gpa: int) -> Iterator[tuple[str, str]]:
    value = rng.randrange(1 << 32)
    if rng.random() < 0.5:
        yield "kvm:kvm_mmio", f"mmio write len 4 gpa 0x{gpa:x} val 0x{value:x}"
        if rng.random() < 0.6:
            yield "kvm:kvm_userspace_exit", "reason KVM_EXIT_MMIO (6)"
    else:
        yield "kvm:kvm_mmio", f"mmio unsatisfied-read len 4 gpa 0x{gpa:x} val 0x0"
        yield "kvm:kvm_userspace_exit", "reason KVM_EXIT_MMIO (6)"
        yield "kvm:kvm_mmio", f"mmio read len 4 gpa 0x{gpa:x} val 0x{value:x}"


def _perf_line(event: Event) -> str:
    time, vcpu, cpu, name, payload = event
    comm = f"CPU {vcpu}/KVM"
    return f"{comm:>16} {PID:5}/{PID + 10 + vcpu:<5} [{cpu:03}] {SECOND.decode()}.{time:09}: {name:>34}: {payload}\n"


def _ftrace_line(event: Event) -> str:
    time, vcpu, cpu, name, payload = event
    comm, flags = f"CPU {vcpu}/KVM", "d..1." if name in ("kvm:kvm_exit", "kvm:kvm_entry") else "....."
    stamp = f"{SECOND.decode()}.{time // 1000:06}"
    return f"{comm:>16}-{PID + 10 + vcpu:<7} [{cpu:03}] {flags} {stamp}: {name.partition(':')[2]}: {payload}\n"
