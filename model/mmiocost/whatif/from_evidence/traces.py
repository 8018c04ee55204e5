"""What one trace says of a scenario: accesses by class and page, faults, and the events of shadow paging.

"A" in the rules is the set of MMIO pairs. Rates are those of one vCPU: of all that was recorded, over the number of
threads that ran a vCPU. Everything is summed by DuckDB from the Parquet files of the import.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...evidence.importers.folder import Import
from . import generation
from .asking import asked
from .derived import TRACE, Bound, Derived, File
from .estimates import PARTS, Estimate, rate, share

MOSTLY = 0.95  # of all accesses: on how many pages do they fall?
_OF = f"coalesce(least({PARTS - 1}, greatest(0, floor((%s - ?)::double * {PARTS} / ?))), 0)::int"
_PAIRS = f"""
select {_OF % "start"} as part, count(*) filter (class like 'mmio%') as accesses,
       count(*) filter (class like 'mmio%' and served = 'user') as user,
       count(*) filter (class like 'mmio%' and rw = 'write') as stores,
       count(*) filter (class = 'mmio_stale') as stale, count(*) filter (class = 'mmio_cached') as cached,
       count(*) filter (class = 'mmio_slow') as slow, count(*) filter (class = 'fault') as faults
from read_parquet(?) group by part order by part"""
_OTHERS = f"""
select {_OF % "time"} as part, event, count(*) as lines, count(*) filter (valid = 1) as flagged
from read_parquet(?) group by part, event"""
_REASONS = "select distinct reason, class like 'mmio%' as mmio from read_parquet(?)"
_PAGES = """
select count(*) as accesses from read_parquet(?) where class like 'mmio%' and gpa is not null
group by gpa // 4096 order by accesses desc"""
# Of one machine where the process is known or no vCPU number comes twice; else each thread stands for itself.
_GENERATIONS = f"""
with seen as (select * from read_parquet(?) where gen is not null),
     threads as (select count(distinct tid) > count(distinct vcpu) as several from seen)
select coalesce(tgid, case when several then -tid else 0 end) as machine, {_OF % "time"} as part,
       arg_min(gen, line) as first, arg_max(gen, line) as last, min(time) as begin, max(time) as end,
       count(distinct tid) as threads
from seen, threads group by machine, part order by machine, part"""
#: Events of the shadow MMU that count by their number: symbol, event, what it is, and on which side the rate lies.
_SHADOW: tuple[tuple[str, str, bool, str, Bound | None], ...] = (
    ("fill_rate", "kvm_mmu_get_page", True, "kvm_mmu_get_page lines of new indirect pages", None),
    ("unsync_rate", "kvm_mmu_unsync_page", False, "kvm_mmu_unsync_page lines", None),
    ("unlink_rate", "kvm_mmu_prepare_zap_page", False, "kvm_mmu_prepare_zap_page lines: zapped, not zapped under a"
     " walker", "upper"),
)  # fmt: skip


@dataclass(frozen=True)
class Trace:
    """The import of a trace."""

    item: Import
    release: str | None

    @property
    def file(self) -> File:
        """What is said of a value's source."""
        lossy = bool(self.item.entry.get("lost") or self.item.entry.get("lost_markers"))
        return File(str(self.item.entry["file"]), self.item.id, TRACE, lossy)

    @cached_property
    def seconds(self) -> float:
        """From the first event to the last; 0 where times are ticks or there are none."""
        return float(self.item.entry["facts"].get("window_s", 0.0))

    @cached_property
    def threads(self) -> int:
        """Threads that ran a vCPU."""
        found = self._ask("select count(distinct tid) as n from read_parquet(?)", self._paths("pairs"))
        return int(found[0]["n"]) if found else 0

    @cached_property
    def pairs(self) -> dict[str, list[int]]:
        """Pairs by part of the recording, for each kind that is counted."""
        return _by_part(self._rows(_PAIRS, self._paths("pairs")))

    @cached_property
    def others(self) -> dict[str, tuple[list[int], list[int]]]:
        """By event: lines in each part, and those with a flag (a new page, a #PF injected)."""
        found: dict[str, tuple[list[int], list[int]]] = {}
        for row in self._rows(_OTHERS, self._others):
            lines, flagged = found.setdefault(row["event"], ([0] * PARTS, [0] * PARTS))
            lines[row["part"]], flagged[row["part"]] = row["lines"], row["flagged"]
        return found

    def pages(self) -> list[int]:
        """Accesses of each page of A, the most used first."""
        return [row["accesses"] for row in self._ask(_PAGES, self._paths("pairs"))]

    def reasons(self) -> list[dict[str, Any]]:
        """Reasons of exits, and whether MMIO came with them."""
        return self._ask(_REASONS, self._paths("pairs"))

    def sightings(self) -> list[generation.Sightings]:
        """Generation numbers of each machine in the trace."""
        if self._cut is None:
            return []
        return generation.sightings(self._ask(_GENERATIONS, self._others, after=self._cut), PARTS, self.release)

    def levels(self) -> int:
        """Highest level of a guest page-table entry that was walked; 0 where none was recorded."""
        sql = "select max(level) as top from read_parquet(?) where event = 'kvm_mmu_paging_element'"
        found = self._ask(sql, self._others)
        return int(found[0]["top"] or 0) if found else 0

    @cached_property
    def _cut(self) -> tuple[int, int] | None:
        """First time and length of the recording, both in the unit of its times."""
        sql = "select min(time) as begin, max(time) - min(time) as span from read_parquet(?, union_by_name=true)"
        found = self._ask(sql, self._paths("events"))
        return (found[0]["begin"], max(1, found[0]["span"])) if found and found[0]["span"] is not None else None

    @cached_property
    def _others(self) -> list[str]:
        return [path for path in self._paths("events") if path.endswith("others.parquet")]

    def _paths(self, table: str) -> list[str]:
        return [str(path) for path in self.item.tables(table)]

    def _rows(self, sql: str, paths: list[str]) -> list[dict[str, Any]]:
        """Rows of a query by part of the recording."""
        return [] if self._cut is None else self._ask(sql, paths, before=self._cut)

    def _ask(
        self, sql: str, paths: list[str], before: tuple[int, ...] = (), after: tuple[int, ...] = ()
    ) -> list[dict[str, Any]]:
        return asked(self.item, sql, paths, before, after)


def _by_part(rows: Sequence[dict[str, Any]]) -> dict[str, list[int]]:
    found = {name: [0] * PARTS for name in (rows[0] if rows else {}) if name != "part"}
    for row in rows:
        for name, values in found.items():
            values[row["part"]] = row[name]
    return found


def derive(trace: Trace, shadow: bool) -> Iterator[Derived]:
    """All that a trace gives; ``shadow`` says whether the evidence shows shadow paging."""
    if trace.pairs and sum(trace.pairs["accesses"]):
        yield from _accesses(trace)
        yield from _stale(trace)
    if trace.seconds and trace.threads:
        yield from _updates(trace)
        yield from _shadow(trace, shadow)
    if levels := trace.levels():
        yield trace.file.share("guest_levels", Estimate(levels, levels, levels), "highest level of a paging element")


def _accesses(trace: Trace) -> Iterator[Derived]:
    file, parts = trace.file, trace.pairs
    accesses = parts["accesses"]
    count, pages = sum(accesses), trace.pages()
    if trace.seconds:
        found = rate(accesses, trace.seconds * trace.threads)
        said = f"{count} MMIO pairs in {trace.seconds:.6g} s on {_number(trace.threads, 'vCPU')}"
        yield file.rate("mmio_rate", found, said, vcpus=trace.threads)
    if pages:
        rule = (
            f"distinct pages; {_hot(pages)} of them take 95 % of the accesses, and more may come in a longer recording"
        )
        yield file.rate("mmio_pages", Estimate(len(pages), len(pages), None), rule, "lower")
    user, stores = sum(parts["user"]), sum(parts["stores"])
    yield file.share("userspace_fraction", share(parts["user"], accesses), f"{user} of {count} MMIO pairs went to user"
                     " space")  # fmt: skip
    yield file.share("is_write", share(parts["stores"], accesses), f"{stores} of {count} MMIO pairs were stores")


def _hot(pages: Sequence[int]) -> int:
    """Pages that take MOSTLY of all accesses together."""
    covered, total = 0, sum(pages)
    for number, accesses in enumerate(pages, start=1):
        covered += accesses
        if covered >= MOSTLY * total:
            return number
    return len(pages)


def _stale(trace: Trace) -> Iterator[Derived]:
    """Shares of entries found stale and valid: only where checks of entries were recorded."""
    if "check_mmio_spte" not in trace.others:
        return
    stale, cached, slow = (trace.pairs[name] for name in ("stale", "cached", "slow"))
    found = [one + other for one, other in zip(stale, cached, strict=True)]
    if sum(found):
        rule = f"{sum(stale)} of {sum(found)} accesses that found an entry found it stale"
        yield trace.file.share("stale_share", share(stale, found), rule)
    judged = [one + other for one, other in zip(found, slow, strict=True)]
    if sum(judged):
        rule = f"{sum(cached)} of {sum(judged)} accesses that the fast bus did not take found a valid entry"
        yield trace.file.share("hit_fraction", share(cached, judged), rule)


def _updates(trace: Trace) -> Iterator[Derived]:
    machines = trace.sightings()
    if machines:
        seen = max(machines, key=lambda item: item.seconds)
        found, rule = generation.updates(seen, trace.release)
        threads = trace.threads if len(machines) == 1 else seen.threads
        if len(machines) > 1:
            rule += f"; of the one of {len(machines)} machines that was seen longest"
        yield trace.file.rate("generation_rate", found.times(1 / threads), f"{rule}; on {_number(threads, 'vCPU')}")


def _shadow(trace: Trace, shadow: bool) -> Iterator[Derived]:
    file, window = trace.file, trace.seconds * trace.threads
    faults = trace.pairs.get("faults", [])
    if shadow and any(faults):
        yield file.rate("fault_rate", rate(faults, window), f"{sum(faults)} pairs with a page fault that were no MMIO;"
                        " with bypass_guest_pf=1 the guest takes others alone", "lower")  # fmt: skip
        injected = trace.others["kvm_inj_exception"][1] if "kvm_inj_exception" in trace.others else []
        if injected and sum(injected) <= sum(faults):
            rule = f"{sum(injected)} #PF injected on {sum(faults)} faults; holds with bypass_guest_pf=0 only"
            yield file.share("true_fault_fraction", share(injected, faults), rule)
    for symbol, event, flagged, rule, bound in _SHADOW:
        if event in trace.others:
            counts = trace.others[event][flagged]
            yield file.rate(symbol, rate(counts, window), f"{sum(counts)} {rule}", bound)


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
