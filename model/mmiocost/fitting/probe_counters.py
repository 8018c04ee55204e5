"""The model's event counts against KVM's own counters, for every access of a probe's run whose path is known.

Comes in: the counts of a run and its host's facts. Goes out: one row for each count that a counter can confirm, with
what the equations say, what the reference machine says and what KVM counted. It stands above all three: none of them
knows of the others. Counters that host interrupts disturb are held against a bound, all others must be equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..equations.lowering import kernel
from ..evidence import Quantity
from ..evidence.probe.counts import per_turn
from ..evidence.probe.operations import OPERATIONS
from ..evidence.probe.seen import Seen, seen
from ..mechanism import simulate
from ..vocabulary import resolve
from .probe_paths import INTERRUPTS, Case, NotChecked, case_of

EQUAL, BOUND = "equal", "within the bound"
_FAULTS = ("vm_exit_page_fault", "vm_exit_ept_violation")

Counts = Mapping[str, float]
#: A counter, the events that it counts, and the rule.
Claim = tuple[str, tuple[str, ...], str]


@dataclass(frozen=True)
class Checked:
    """One count: ``equations`` and ``machine`` are the model's, ``measured`` KVM's, all per access.

    ``rule`` is EQUAL, or BOUND where ``measured`` may be larger by INTERRUPTS.
    """

    probe: str
    mode: str
    guest_page_size: int
    step: str
    path: str
    events: str
    counter: str
    equations: float
    machine: float
    measured: float
    rule: str

    @property
    def holds(self) -> bool:
        """Whether both sides of the model say what KVM counted."""
        if self.rule == EQUAL:
            return self.equations == self.machine == self.measured
        return self.equations == self.machine and 0 <= self.measured - self.equations <= INTERRUPTS


def check(
    counts: Sequence[Mapping[str, Any]], facts: Mapping[str, Any], quantities: Mapping[str, Quantity]
) -> tuple[tuple[Checked, ...], tuple[NotChecked, ...]]:
    """Every count that a counter of the run can confirm, and the settings without a path.

    ``counts`` and ``facts`` as a :class:`evidence.probe.runs.ProbeRun` has them.
    """
    saw = seen(counts, facts)
    checked: list[Checked] = []
    left: list[NotChecked] = []
    for experiment in ("counters", "trace", "mmio_pages", "generation_bump"):
        for key, measured in per_turn(counts, experiment).items():
            case = case_of(key, saw, facts, quantities)
            if isinstance(case, NotChecked):
                left.append(case)
            elif case is not None:
                checked += _checked(case, experiment, measured, saw)
    return tuple(checked), tuple(dict.fromkeys(left))


def _checked(case: Case, experiment: str, measured: Counts, saw: Seen) -> Iterator[Checked]:
    if case.extra and case.value("guest_page_size") > 4096:
        return
    equations, machine = _mean(case, _by_equations), _mean(case, simulate)
    claims = _claims(case, experiment, saw, equations)
    for counter, events, rule in claims:
        found = measured.get(counter, 0.0)
        if counter == "exits":
            found = round(found - measured.get("irq_exits", 0.0), 9)
        yield Checked(
            str(case.value("probe") or "mmio_store_any"), str(case.value("mode")), int(case.value("guest_page_size")),
            " ".join(filter(None, (str(case.value("operation") or ""), case.step))),
            _path(case), " + ".join(events), counter,
            _sum(equations, events), _sum(machine, events), found, rule,
        )  # fmt: skip


def _path(case: Case) -> str:
    paths = ", ".join(path for path, _ in case.mix)
    return f"{paths}, emulated" if case.extra else paths


def _by_equations(path: str, scenario: Mapping[str, int]) -> dict[str, int]:
    return dict(kernel(path)({**resolve(path, scenario), "cold_search_fraction": 0}))


def _mean(case: Case, count: Any) -> dict[str, float]:
    """Events per access of a mix of paths, with what the observation adds."""
    found: dict[str, float] = dict(case.extra)
    for path, share in case.mix:
        for event, number in count(path, dict(case.scenario)).items():
            found[event] = found.get(event, 0.0) + share * number
    return found


def _sum(found: Counts, events: Sequence[str]) -> float:
    return float(sum(found.get(event, 0.0) for event in events))


def _claims(case: Case, experiment: str, saw: Seen, counted: Counts) -> list[Claim]:
    """Counter, the events that it counts, and the rule (model/mechanism.md, checks on a live host)."""
    mmio = OPERATIONS[str(case.value("probe") or "mmio_store_any")].body in ("store", "load")
    exits = tuple(event for event in counted if event.startswith("vm_exit_"))
    stale = ("vm_exit_ept_misconfig",) if any(path.endswith("mmio_stale") for path, _ in case.mix) else ()
    if experiment == "trace":
        found: list[Claim] = [
            ("kvm_emulate_insn", ("emulate_instruction",), EQUAL),
            ("kvm_userspace_exit", ("userspace_exit",), EQUAL),
        ]
        if case.value("mode") != "pae":  # where the tracepoint fires for the register entries too
            found.append(("kvm_mmu_paging_element", ("guest_pte_read",), EQUAL))
        if mmio and not saw.tdp:
            found.append(("vcpu_match_mmio", ("mmio_cache_check",), EQUAL))
        return found
    entries: list[Claim] = [("pf_mmio_spte_created", ("mmio_spte_install",), EQUAL)] if mmio else []
    if experiment != "counters":  # totals hold the end of each run too, which moves other counters
        handled: list[Claim] = [] if stale else [("pf_emulate", _FAULTS, EQUAL)]
        return [*entries, *handled]
    user: list[Claim] = [("mmio_exits", ("userspace_exit",), EQUAL)] if mmio else []
    return [
        ("insn_emulation", ("emulate_instruction",), EQUAL),
        ("pf_taken", (*_FAULTS, *stale), EQUAL),
        ("pf_guest", ("guest_fault_inject",), EQUAL),
        *([("mmu_cache_miss", ("shadow_page_alloc",), EQUAL)] if not saw.tdp else []),
        *entries, *user, ("exits", exits, BOUND),
    ]  # fmt: skip
