"""One run of the probe from start to end: host, VMs, microbenchmarks, and an import of the user's evidence folder."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

from ...errors import MmioCostError
from ..importers import folder
from . import campaign, host, microbenchmarks, raw
from .kept import Measured, Run, keep, take_up
from .plan import FULL, QUICK, Plan

QUICK_S, FULL_S = 20.0, 120.0
_MICRO_SHARE, _MICRO_S = 0.25, 6.0  # of the budget, but no more seconds, before the VMs
_SEED = 20260101
_OVERHEAD_S = 3.0  # what ending the VMs, summing up and writing take of the budget

Watch = Callable[[str], None]


def measure(
    to: Path,
    quick: bool = False,
    budget_s: float | None = None,
    machine: str | None = None,
    watch: Watch = lambda _: None,
) -> Measured:
    """Measure this host for at most ``budget_s`` seconds and put the result into the evidence folder ``to``.

    ``watch`` is called with the name of the experiment as it goes on. Ctrl-C and SIGTERM end the run early; what is
    measured by then is kept, and what a run that was killed had measured is taken up first. Where no VM runs, the
    microbenchmarks alone are kept and the run's ``unavailable`` is set. Raises InvalidInput where the folder can't be
    written.
    """
    budget = budget_s or (QUICK_S if quick else FULL_S)
    start = time.monotonic()
    end = start + max(budget - _OVERHEAD_S, 0.5 * budget)
    take_up(Path(to))
    run = Run(host.facts(), machine)
    with folder.staged(Path(to)) as staging, raw.RawRows(staging) as rows, _stoppable():
        run.note(staging)
        try:
            look = _look(run)
            run.note(staging)
            _benchmark(run, start + min(_MICRO_SHARE * budget, _MICRO_S), watch)
            if look is not None:
                _probe(run, rows, QUICK if quick else FULL, look, end, watch)
        except KeyboardInterrupt:
            run.interrupted = True
        with _unstoppable():
            return keep(run, rows.timings, rows.counters, staging)


def _look(run: Run) -> dict[str, Any] | None:
    """Facts that KVM tells; slots allowed and why there are no tracepoints. None where no VM runs."""
    try:
        look = campaign.first_look()
    except MmioCostError as error:
        run.refused.append(str(error))
        run.unavailable = True
        return None
    known = {name: look[name] for name in ("capabilities", "ioctl_floor_ns", "stats_names", "tsc_khz")}
    run.facts |= {**known, "clock_hz": 1000.0 * look["tsc_khz"]}
    run.refused += [look["untraced"]] if look["untraced"] else []
    run.refused += [f"{name} is missing" for name, value in look["capabilities"].items() if not value]
    return look


def _probe(run: Run, rows: raw.RawRows, plan: Plan, look: Mapping[str, Any], end: float, watch: Watch) -> None:
    with campaign.Campaign(plan, rows, end - time.monotonic(), _SEED, watch) as going:
        try:
            going.run(look["max_slots"], traced=not look["untraced"])
        finally:
            run.refused += [f"{vm}: {why}" for vm, why in going.refused.items()]
            run.repeats = going.repeats


def _benchmark(run: Run, end: float, watch: Watch) -> None:
    values: microbenchmarks.Times = {}
    try:
        microbenchmarks.measure(values, end, Random(_SEED), watch)
    except ImportError:
        run.refused.append("microbenchmarks: need numba")
    finally:
        run.benchmarks = microbenchmarks.cells(values, run.facts.get("clock_hz"))


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does; where signals can't be set (no main thread) nothing changes."""
    with _handling({signal.SIGTERM: signal.default_int_handler}):
        yield


@contextmanager
def _unstoppable() -> Iterator[None]:
    """What has been measured is written down whatever comes."""
    with _handling(dict.fromkeys((signal.SIGTERM, signal.SIGINT), signal.SIG_IGN)):
        yield


@contextmanager
def _handling(handlers: Mapping[signal.Signals, Any]) -> Iterator[None]:
    before: dict[signal.Signals, Any] = {}
    try:
        with suppress(ValueError):  # not in the main thread
            before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
