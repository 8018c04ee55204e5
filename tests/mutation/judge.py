"""Whether a fault is noticed: the faulty side counted against the other side, scenario by scenario."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal, NamedTuple

from .drawn import ALL_PATHS, Point, more_points, points
from .faults import Fault
from .reach import SEQUENCE, reached, reaching
from .rooms import faulty
from .sides import Counts, check_shapes, counted, differing, expressions, run
from .stories import NUMBERS, STORIES, Told, tell

SEARCHED_STORIES = 200
SEARCHED = 2000  # scenarios that a fault has to survive beyond those that all faults are tried on
_FEW = 3
_SECONDS = 1.0  # of processor time for one path or run; without a fault they take milliseconds


class Verdict(NamedTuple):
    """How a fault fared: ``path`` and ``event`` say where it was noticed first, ``place`` in which scenario.

    ``searched`` is the number of further scenarios that a survivor was tried on; a fault is ``found`` if only
    that search noticed it.
    """

    outcome: Literal["killed", "raised", "timeout", "found", "survived"]
    path: str = ""
    place: int = 0
    event: str = ""
    searched: int = 0


class _TimeUpError(BaseException):
    """A run took too long. No Exception, so that nothing takes it for an answer."""


@contextmanager
def limited() -> Iterator[None]:
    """Raise after so much processor time; a busy machine makes no difference."""
    signal.signal(signal.SIGVTALRM, _time_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _time_up(*_: object) -> None:
    raise _TimeUpError


def disagreements(paths: Iterable[str] = ALL_PATHS) -> list[str]:
    """Where the two sides differ without any fault, one line for each path and event."""
    found = []
    for path in paths:
        for point, row in zip(points(path), expected(path), strict=True):
            found += [f"{path}: {event}" for event in differing(run(path, point), row)]
    return sorted(set(found))


@cache
def expected(path: str) -> tuple[Counts, ...]:
    """What both sides count in the scenarios of a path."""
    return tuple(counted(expressions(path), points(path)))


def prepare(machine: bool = True) -> None:
    """Work out, without a fault, all that verdicts are reached by."""
    for path in ALL_PATHS:
        _sound(path), expected(path)
    for number in NUMBERS if machine else ():
        told(number)
    if machine:
        reached()


def judge(fault: Fault) -> Verdict:
    """Try a fault on all scenarios that reach it, and if none of them notices it on :data:`SEARCHED` others."""
    return (_judge_equation if fault.module.startswith("equations.") else _judge_machine)(fault)


def _first(tried: Iterable[tuple[str, int, Any]]) -> Verdict | None:
    """The first difference among ``(path, place, run)``, where a run gives the events that differ."""
    for path, place, differs in tried:
        try:
            with limited():
                events = differs()
        except Exception as error:
            return Verdict("raised", path, place, type(error).__name__)
        except _TimeUpError:
            return Verdict("timeout", path, place)
        if events:
            return Verdict("killed", path, place, events[0])
    return None


def again(fault: Fault, verdict: Verdict) -> Verdict:
    """A verdict reached anew, on the scenario that noticed the fault; a survivor is tried on a few of each path."""
    if verdict.outcome == "survived":
        trials = [(place, path) for path in ALL_PATHS for place in range(_FEW)] + [(n, SEQUENCE) for n in range(_FEW)]
    else:
        trials = [(verdict.place, verdict.path)]
    if fault.module.startswith("equations."):
        wanted = {path: expected(path) for _, path in trials if path in ALL_PATHS}
        for path in wanted:
            _sound(path)
        with faulty(fault):
            found = _first([("", 0, check_shapes)]) or _first(
                (path, 0, lambda path=path: _equation(path, points(path), wanted[path])) for path in wanted
            )
    else:
        rows = [told(place) if path == SEQUENCE else expected(path)[place] for place, path in trials]
        with faulty(fault):
            found = _first(
                (path, place, _trial(path, place, row)) for (place, path), row in zip(trials, rows, strict=True)
            )
    return found or verdict._replace(outcome="survived")


# --- equations: a fault may change the expressions of a path; where it does, they are evaluated -------------


@cache
def _sound(path: str) -> dict[str, Any]:
    return expressions(path)


def _changed(path: str) -> dict[str, Any]:
    """Expressions of a path that are not those without the fault."""
    found, sound = expressions(path), _sound(path)
    return {event: found.get(event, 0) for event in found.keys() | sound.keys() if found.get(event) != sound.get(event)}


def _judge_equation(fault: Fault) -> Verdict:
    prepare(machine=False)
    with faulty(fault):
        noticed = _first([("", 0, check_shapes)]) or _first(
            (path, 0, lambda path=path: _equation(path, points(path), expected(path))) for path in ALL_PATHS
        )
        if noticed:
            return noticed
        changed = [path for path in ALL_PATHS if _changed(path)] or ALL_PATHS
    number = -(-SEARCHED // len(changed))
    others = {path: _machine_counts(path, number) for path in changed}
    with faulty(fault):
        noticed = _first([("", 0, check_shapes)]) or _first(
            (path, 0, lambda path=path: _equation(path, more_points(path, number), others[path])) for path in changed
        )
    return noticed._replace(outcome="found") if noticed else Verdict("survived", searched=number * len(changed))


def _equation(path: str, scenarios: tuple[Point, ...], rows: tuple[Counts, ...]) -> list[str]:
    changed = _changed(path)
    if not changed:
        return []
    wanted = ({event: row[event] for event in changed if event in row} for row in rows)
    return [
        event for found, row in zip(counted(changed, scenarios), wanted, strict=True) for event in differing(found, row)
    ]


@cache
def _machine_counts(path: str, number: int) -> tuple[Counts, ...]:
    return tuple(run(path, point) for point in more_points(path, number))


# --- machine: a fault matters to the scenarios whose runs come past its statement --------------------------


def _judge_machine(fault: Fault) -> Verdict:
    trials = reaching(fault)
    wanted = [told(place) if path == SEQUENCE else expected(path)[place] for place, path in trials]
    with faulty(fault):
        noticed = _first(
            (path, place, _trial(path, place, row)) for (place, path), row in zip(trials, wanted, strict=True)
        )
    if noticed:
        return noticed
    through = sorted({path for _, path in trials} - {SEQUENCE}) or list(ALL_PATHS)
    number = -(-SEARCHED // len(through))
    others = {path: _closed_forms(path, number) for path in through}
    stories = {place: told(place) for place in range(STORIES, STORIES + SEARCHED_STORIES)}
    with faulty(fault):
        noticed = _first(
            (
                path,
                place,
                lambda path=path, point=point, place=place: list(differing(run(path, point), others[path][place])),
            )
            for path in through
            for place, point in enumerate(more_points(path, number))
        ) or _first((SEQUENCE, place, _trial(SEQUENCE, place, row)) for place, row in stories.items())
    return noticed._replace(outcome="found") if noticed else Verdict("survived", searched=number * len(through))


def _trial(path: str, place: int, row: Any) -> Callable[[], list[str]]:
    """A run of the machine that gives the events in which it differs from the right ones."""
    if path == SEQUENCE:
        return lambda: _parted(tell(place), row)
    return lambda: list(differing(run(path, points(path)[place]), row))


def _parted(found: Told, wanted: Told) -> list[str]:
    for (path, counts), (right_path, right) in zip(found, wanted, strict=True):
        if path != right_path or counts != right:
            return [*differing(counts, right), f"path {path} instead of {right_path}"]
    return []


@cache
def told(number: int) -> Told:
    """What the sound machine counts in a sequence."""
    return tell(number)


@cache
def _closed_forms(path: str, number: int) -> tuple[Counts, ...]:
    return tuple(counted(expressions(path), more_points(path, number)))
