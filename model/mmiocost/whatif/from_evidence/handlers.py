"""The path of the model behind a class of exits, and what the model says of the time in the handler.

A pair lasts from one tracepoint to the other: it leaves out the hardware's exit and entry and contains the tracing,
user space as it really is and time off the CPU. A path's cost is a round trip. So the two are not pooled: of the cost
the exit and entry are taken off (``vm_exit_*``, part of which lies within the pair), and what is left over is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...errors import InvalidInput
from ...fitting.fit import Fit
from ...fitting.intervals import Interval, interval
from ...fitting.prediction import weighted_costs
from ..clock import Clock
from ..scenario import Scenario
from ..terms import by_parameter, quantity_terms

_BY_REASON = {"VMCALL": "hypercall", "VMMCALL": "hypercall", "CPUID": "cpuid", "MSR_READ": "msr_read",
              "MSR_WRITE": "msr_write"}  # fmt: skip
_WAYS = {"mmio_fast": "fast_mmio", "mmio_stale": "mmio_stale", "mmio_cached": "mmio_hit"}
_SLOW = {"first": "mmio_first", "uncached": "mmio_uncached"}
_EXIT, _DEVICE = "vm_exit_", "device_model"


@dataclass(frozen=True)
class Handler:
    """What the model says of a class of exits, in ns with 95 % intervals: the round trip, and without the exit."""

    path: str
    round_trip: Interval
    without_exit: Interval


def path_of(row: Mapping[str, Any], generation: str, mode: str) -> tuple[str, dict[str, int]] | None:
    """Path and symbols of a class of exits; None where the model has none.

    ``row`` has ``class``, ``slow_case``, ``served``, ``reason`` and ``rw`` as in the pairs of an import.
    """
    way = _way(row)
    if way is None:
        return None
    if row["class"] in _WAYS or row["class"] == "mmio_slow":
        served = {"is_write": int(row["rw"] == "write"), "userspace": int(row["served"] == "user")}
        if way == "fast_mmio":
            return f"{generation}.ept.fast_mmio", {}
        return (f"v30.{mode}.mmio" if way == "mmio" else f"{generation}.{mode}.{way}"), served
    return f"{generation}.any.{way}", {}


def _way(row: Mapping[str, Any]) -> str | None:
    if row["class"] in _WAYS:
        return _WAYS[row["class"]]
    if row["class"] == "mmio_slow":
        return "mmio" if row["slow_case"] == "before" else _SLOW.get(row["slow_case"])
    if row["class"] == "pio":
        return {"read": "pio_read", "write": "pio_write"}.get(row["rw"])
    return _BY_REASON.get(row["reason"]) if row["class"] == "other" else None


def handler(path: str, counts: Mapping[str, int], scenario: Scenario, fit: Fit, clock: Clock) -> Handler | None:
    """Cost of a path on the scenario's machine with and without its exit; None where the model has no such path.

    An access that user space serves pays for a plain register of its device model too.
    """
    asked = replace(scenario, counts={**scenario.counts, **counts})
    try:
        terms, _ = quantity_terms(f"cost:{path}", asked)
    except InvalidInput:
        return None
    if counts.get("userspace"):
        terms = {**terms, _DEVICE: 1}
    rest = {name: count for name, count in terms.items() if not name.startswith(_EXIT)}
    return Handler(path, _in_ns(terms, asked, fit, clock), _in_ns(rest, asked, fit, clock))


def _in_ns(terms: Mapping[str, Any], scenario: Scenario, fit: Fit, clock: Clock) -> Interval:
    machine, state = fit.locate(scenario.machine)
    draws = weighted_costs(fit, by_parameter(terms, scenario, fit), machine, state)
    return interval(draws * clock.ns_per_cycle(len(draws)))
