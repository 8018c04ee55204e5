"""What KVM's counters say of a scenario: ``kvm_stat`` by interval, and two dumps of debugfs or of QEMU's statistics.

A counter knows neither an address nor which accesses belong together, so most of this is a bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest

from ...evidence.importers.folder import Import
from .asking import table
from .derived import COUNTER, Bound, Derived, File
from .estimates import rate, share

LOG, BATCH, DEBUGFS, STATISTICS = "kvm-stat-log", "kvm-stat-batch", "kvm-debugfs", "kvm-stats"
_DUMPS = (DEBUGFS, STATISTICS)
_USER, _MISCONFIG = "mmio_exits", "kvm_exit(EPT_MISCONFIG)"
_TAKEN, _SPTE = "pf_taken", "pf_mmio_spte_created"
#: Counter, symbol, why it is no more than a bound.
_UPPER = (
    ("mmu_cache_miss", "fill_rate", "direct pages are counted too"),
    ("mmu_shadow_zapped", "unlink_rate", "zapped, not zapped under a walker"),
)


@dataclass(frozen=True)
class Counts:
    """Changes of counters in a number of seconds: by name, one number a record (of dumps, one in all).

    ``vcpus`` is None where the file does not tell.
    """

    file: File
    seconds: float
    by_name: dict[str, list[int]]
    vcpus: int | None


def gathered(items: Sequence[Import]) -> Iterator[Counts]:
    """Changes of counters of each log, and of each two dumps of one format that follow each other."""
    for item in items:
        seconds = item.entry["facts"].get("window_s")
        if item.entry["format"] in (LOG, BATCH) and seconds:
            by_name: dict[str, list[int]] = {}
            for row in table(item, "counters"):
                by_name.setdefault(row["name"], []).append(max(0, row["delta"]))
            yield Counts(_file(item), seconds, by_name, None)
    for form in _DUMPS:
        dumps = [item for item in items if item.entry["format"] == form]
        for first, last in pairwise(dumps):
            yield from _between(first, last)


def _file(item: Import) -> File:
    return File(str(item.entry["file"]), item.id, COUNTER)


def _between(first: Import, last: Import) -> Iterator[Counts]:
    """What counters of virtual machines in both dumps gained from one to the other, whichever was imported first."""
    seconds = last.entry["facts"].get("window_s")
    before, after = _values(first), _values(last)
    machines = {key[0] for key in before} & {key[0] for key in after}
    if not seconds or not machines:
        return
    keys = [key for key in before if key in after and key[0] in machines]
    changes = {key: after[key] - before[key] for key in keys}
    sign = -1 if sum(changes.values()) < 0 else 1
    by_name: dict[str, list[int]] = {}
    for (_, _, name), change in changes.items():
        by_name[name] = [by_name.get(name, [0])[0] + max(0, sign * change)]
    vcpus = {key[:2] for key in keys if key[1]}
    yield Counts(_file(last), seconds, by_name, len(vcpus) or None)


def _values(item: Import) -> dict[tuple[str, str, str], int]:
    """Counters by machine, vCPU and name: of the machines where they are told apart, else of the whole host."""
    if item.entry["format"] == STATISTICS:
        rows = [{"vm": "", "vcpu": "", "gauge": False, **row} for row in table(item, "statistics")]
    else:
        rows = table(item, "counters")
    found = {(row["vm"], row["vcpu"], row["name"]): row["value"]
             for row in rows if not row["gauge"] and row["value"] is not None}  # fmt: skip
    told_apart = {key: value for key, value in found.items() if key[0]}
    return told_apart or found


def derive(counts: Counts, vcpus: int | None, shadow: bool) -> Iterator[Derived]:
    """All that counters give; ``vcpus`` is the folder's number, ``shadow`` whether it shows shadow paging."""
    threads = counts.vcpus or vcpus
    window = counts.seconds * (threads or 1)
    whose = f"{counts.seconds:g} s on " + (f"{threads} vCPUs" if threads else "a host whose vCPUs nothing counts")
    yield from _accesses(counts, window, whose)
    if shadow:
        yield from _faults(counts, window, whose)
    for name, symbol, why in _UPPER:
        if name in counts.by_name:
            yield _rate(counts, symbol, [name], window, f"{name} in {whose}: {why}", "upper")


def _rate(counts: Counts, symbol: str, names: Sequence[str], window: float, rule: str, bound: Bound | None) -> Derived:
    parts = [sum(values) for values in zip_longest(*(counts.by_name[name] for name in names), fillvalue=0)]
    vcpus = round(window / counts.seconds)
    return counts.file.rate(symbol, rate(parts, window), f"{sum(parts)} {rule}", bound, vcpus)


def _accesses(counts: Counts, window: float, whose: str) -> Iterator[Derived]:
    known = counts.by_name
    accesses, user = known.get(_MISCONFIG, []), known.get(_USER, [])
    if sum(accesses):
        yield _rate(counts, "mmio_rate", [_MISCONFIG], window, f"exits EPT_MISCONFIG in {whose}; first touches are"
                    " left out", "lower")  # fmt: skip
        if len(user) == len(accesses) and sum(user) <= sum(accesses):
            rule = f"{sum(user)} mmio_exits of {sum(accesses)} exits EPT_MISCONFIG"
            yield counts.file.share("userspace_fraction", share(user, accesses), rule)
    elif sum(user):
        rule = f"mmio_exits in {whose}: those of user space only"
        yield _rate(counts, "mmio_rate", [_USER], window, rule, "lower")


def _faults(counts: Counts, window: float, whose: str) -> Iterator[Derived]:
    known = counts.by_name
    if _TAKEN in known and _SPTE in known:
        parts = [max(0, taken - first) for taken, first in zip(known[_TAKEN], known[_SPTE], strict=False)]
        rule = f"{sum(parts)} pf_taken without pf_mmio_spte_created in {whose}"
        yield counts.file.rate("fault_rate", rate(parts, window), rule, "lower")
    elif "pf_fixed" in known and "pf_guest" in known:
        yield _rate(counts, "fault_rate", ["pf_fixed", "pf_guest"], window, f"pf_fixed + pf_guest in {whose}", "lower")
    guest, fixed = known.get("pf_guest", []), known.get("pf_fixed", [])
    if len(guest) == len(fixed) and any(guest):
        both = [one + other for one, other in zip(guest, fixed, strict=True)]
        rule = f"{sum(guest)} pf_guest of {sum(both)} with pf_fixed; holds with bypass_guest_pf=0 only"
        yield counts.file.share("true_fault_fraction", share(guest, both), rule)
