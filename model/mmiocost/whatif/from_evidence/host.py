"""What the evidence says of the host: paging mode, kernel generation, mitigations and clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...errors import InvalidInput
from ...evidence.importers.folder import Import
from ...vocabulary import generation_of_kernel
from . import reports
from .asking import table
from .counters import BATCH, LOG
from .derived import COUNTER, NOTE, REPORT, Derived, File
from .estimates import Estimate
from .traces import Trace

_NESTED = ("EPT_MISCONFIG", "EPT_VIOLATION", "NPF")
_OF_GUESTS = ("kernbench", "netperf")
_FAULTS = ("EXCEPTION_NMI", "EXCP_PF")


def mode_of_trace(trace: Trace) -> Iterator[Derived]:
    """``ept`` where exits of nested paging are seen, ``shadow`` where MMIO comes as a page fault."""
    found = trace.reasons()
    nested = sorted({row["reason"] for row in found if row["reason"] in _NESTED})
    faults = sorted({row["reason"] for row in found if row["reason"] in _FAULTS and row["mmio"]})
    yield from _mode(trace.file, nested, faults)


def mode_of_report(item: Import) -> Iterator[Derived]:
    """``ept`` where a report or counters name exits of nested paging; they can't tell MMIO from other faults."""
    form = item.entry["format"]
    if form == reports.FORMAT:
        yield from _mode(reports.file_of(item), sorted({*reports.reasons(item)} & {*_NESTED}), [])
    elif form in (LOG, BATCH):
        seen = {row["name"] for row in table(item, "counters") if row["delta"]}
        names = sorted(name for name in _NESTED if f"kvm_exit({name})" in seen)
        yield from _mode(File(str(item.entry["file"]), item.id, COUNTER), names, [])


def _mode(file: File, nested: list[str], faults: list[str]) -> Iterator[Derived]:
    if nested:
        yield file.text("mode", "ept", f"exits {', '.join(nested)}")
    elif faults:
        yield file.text("mode", "shadow", f"MMIO under {', '.join(faults)}; nonpaging can't be told from shadow")


def facts(item: Import) -> Iterator[Derived]:
    """What an import's facts say: generation by version number, mitigations, clock, and the parameter ept or npt."""
    said: dict[str, Any] = item.entry["facts"]
    kind = NOTE if item.entry["format"] == "host" else REPORT
    file = File(str(item.entry["file"]), item.id, kind)
    if (release := release_of(item)) is not None:
        try:
            found = generation_of_kernel(release)
            rule = f"release {release} by version number: distribution kernels carry backports"
            yield file.text("generation", found.id, rule)
        except InvalidInput:
            pass
    if said.get("mitigations"):
        yield _mitigations(file, said["mitigations"])
    if said.get("clock_hz"):
        hertz = float(said["clock_hz"])
        yield file.share("clock_hz", Estimate(hertz, hertz, hertz), "as stated; predict takes it as --clock-hz")
    switched = [said[name] for name in ("ept", "npt") if name in said]
    if switched:
        mode = "ept" if any(switched) else "shadow"
        yield file.text("mode", mode, "module parameter ept or npt")


def _mitigations(file: File, states: dict[str, str]) -> Derived:
    """``all`` if the kernel mitigates anything; the model knows no half measures."""
    on = sorted(name for name, state in states.items() if str(state).startswith("Mitigation"))
    rule = f"mitigated: {', '.join(on)}" if on else "no vulnerability is mitigated"
    return file.text("mitigations", "all" if on else "none", rule)


def release_of(item: Import) -> str | None:
    """The release of the host's kernel that an import states; a workload's log has that of the guest it ran in."""
    known = item.entry["options"] if item.entry["format"] in _OF_GUESTS else item.entry["facts"]
    found = known.get("kernel", known.get("release"))
    return None if found is None else str(found)
