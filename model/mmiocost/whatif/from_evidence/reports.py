"""What ``perf kvm stat`` says of a scenario: sums by exit reason and by MMIO address, without a time line.

Without parts there is no scatter: intervals are those of Poisson and of the binomial alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...evidence.importers.folder import Import
from .asking import table
from .derived import REPORT, Derived, File
from .estimates import Estimate, rate, share

FORMAT = "perf-kvm-stat"
_MMIO, _EXITS = "MMIO Access", "VM-EXIT"


def file_of(item: Import) -> File:
    """What is said of a value's source."""
    return File(str(item.entry["file"]), item.id, REPORT, bool(item.entry.get("lost")))


def reasons(item: Import) -> list[str]:
    """Reasons of exits in a report."""
    return [row["name"] for row in table(item, "kvm_stat") if row["event"] == _EXITS]


def derive(item: Import, vcpus: int | None) -> Iterator[Derived]:
    """All that a report gives; ``vcpus`` is the number of vCPUs where the folder knows it."""
    rows, file = table(item, "kvm_stat"), file_of(item)
    seconds = item.entry["facts"].get("window_s")
    accesses = [row for row in rows if row["event"] == _MMIO]
    threads, said = _threads(rows, vcpus)
    if accesses:
        yield from _by_address(accesses, file)
        if seconds:
            count = sum(row["samples"] for row in accesses)
            rule = f"{count} samples of all addresses in {seconds:g} s on {said}; the fast bus is not seen"
            yield file.rate("mmio_rate", rate([count], seconds * threads), rule, vcpus=threads)
    misconfigured = sum(row["samples"] for row in rows if row["event"] == _EXITS and row["name"] == "EPT_MISCONFIG")
    if misconfigured and seconds:
        rule = f"{misconfigured} exits EPT_MISCONFIG in {seconds:g} s on {said}; first touches are left out"
        yield file.rate("mmio_rate", rate([misconfigured], seconds * threads), rule, "lower", threads)


def _threads(rows: list[dict[str, Any]], vcpus: int | None) -> tuple[int, str]:
    """How many vCPUs a report is about: those that its blocks name, else what the folder knows, else it is open."""
    named = {_single(str(row["scope"] or "")) for row in rows}
    found = len(named) if "" not in named else vcpus
    if found:
        return found, f"{found} vCPU{'s' if found > 1 else ''}"
    return 1, "the whole machine, whose vCPUs nothing counts"


def _single(scope: str) -> str:
    """The vCPU that a block is about; empty where it is about all."""
    return scope.rpartition("VCPU ")[2] if "VCPU " in scope else ""


def _by_address(rows: list[dict[str, Any]], file: File) -> Iterator[Derived]:
    pages, stores, count = set(), 0, 0
    for row in rows:
        address, _, way = row["name"].partition(":")
        try:
            pages.add(int(address, 16) // 4096)
        except ValueError:
            continue
        count += row["samples"]
        stores += row["samples"] if way == "W" else 0
    if not count:
        return
    number = Estimate(len(pages), len(pages), None)
    yield file.rate("mmio_pages", number, "distinct pages of the addresses; the fast bus is not seen", "lower")
    yield file.share("is_write", share([stores], [count]), f"{stores} of {count} samples were stores")
