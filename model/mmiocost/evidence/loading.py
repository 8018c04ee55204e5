"""The whole evidence in memory: packaged rows, the probe's cells and the user's folders, checked and hashed.

Comes in: folders of the user, each with an ``observations.csv``. Goes out: one frozen :class:`Evidence`, or
InvalidInput with all that is wrong with a file. Loads no library beyond the standard one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from mmiocost.errors import InvalidInput, Problem

from .digest import ALONE, DESCRIPTOR, Folders, evidence_hash, user_tables
from .observations import Rules, read_user_file, to_observations
from .package import Package, open_package
from .probe_cells import probe_observations
from .records import Assumption, Observation, Prior, Quantity, Source, State
from .schema import Cell
from .tables import Report, Row

_Record = TypeVar("_Record")


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was measured, and what is known about it.

    ``hash`` names the content of every file that went in. ``own`` are those of the observations that the user
    added; ``alone``, that no others are fitted. ``notices`` are lines for a person: columns of the user's files
    that nothing reads.
    """

    observations: tuple[Observation, ...]
    own: tuple[Observation, ...]
    alone: bool
    quantities: Mapping[str, Quantity]
    states: Mapping[tuple[str, str], State]
    sources: Mapping[str, Source]
    priors: Mapping[str, Prior]
    assumptions: Mapping[str, Assumption]
    notices: tuple[str, ...]
    hash: str

    def table(self, name: str) -> list[dict[str, Cell]]:
        """Rows of any packaged table by resource name; raises InvalidInput for an unknown or changed one."""
        return [row.cells for row in open_package().rows(name)]


def load(extra: Sequence[Path] = ()) -> Evidence:
    """The packaged evidence with the user's folders on top; ``extra`` is a sequence as of :class:`Folders`.

    With the mark ALONE in it only the user's rows are fitted: a packaged row that would be is a check, and priors
    stand as assumptions that cite no source. Every packaged file is held against its checksum and every row against
    its schema. Raises InvalidInput with all problems of the first file that has any.
    """
    folders = Folders.of(extra)
    package = open_package()
    quantities = _by("quantity", _records(package, "quantities", _quantity))
    rules = Rules(quantities, for_fit=True)
    packaged = _packaged_observations(package, rules)
    states = {(state.machine, state.state): state for state in _records(package, "states", _state)}
    sources = package.sources()
    _check_references(packaged, quantities, states, sources)
    added, notices = _user_observations(package, rules, folders.paths, {row.id for row in packaged})
    priors = _records(package, "priors", _plain(Prior))
    if folders.alone:
        _check_alone(added)
        packaged = [_checked_only(row) for row in packaged]
        priors = [replace(prior, source="") for prior in priors]
    return Evidence(
        observations=(*packaged, *added),
        own=tuple(added),
        alone=folders.alone,
        quantities=quantities,
        states=states | _stateless(package, added, states),
        sources=sources | _named_by_user(added, sources),
        priors=_by("event", priors),
        assumptions=_by("name", _records(package, "assumptions", _plain(Assumption))),
        notices=tuple(notices),
        hash=evidence_hash(extra),
    )


def read_observations(path: Path) -> tuple[Observation, ...]:
    """The observations of one CSV file of the user, to be held against the model rather than fitted.

    Raises InvalidInput with all problems of the file. Rows need no machine or state here.
    """
    package = open_package()
    quantities = _by("quantity", _records(package, "quantities", _quantity))
    return tuple(read_user_file(Path(path), package, Rules(quantities, for_fit=False))[0])


def read_measurements(path: Path) -> tuple[tuple[Observation, ...], tuple[str, ...]]:
    """The rows of one CSV file as its cells are, and lines for a person about columns that nothing reads.

    A quantity may be unknown and a unit of another dimension: a score says so of the row. Raises InvalidInput with
    all problems of the file where it is missing or damaged, or a cell is none that the schema allows.
    """
    rows, notices = read_user_file(Path(path), open_package(), None)
    return tuple(rows), tuple(notices)


def checked_user_file(path: Path) -> tuple[tuple[Observation, ...], tuple[str, ...]]:
    """The rows of one CSV file as they may enter a fit, and lines for a person about columns that nothing reads.

    Raises InvalidInput with all problems of the file.
    """
    package = open_package()
    quantities = _by("quantity", _records(package, "quantities", _quantity))
    rows, notices = read_user_file(Path(path), package, Rules(quantities, for_fit=True))
    return tuple(rows), tuple(notices)


def _packaged_observations(package: Package, rules: Rules) -> list[Observation]:
    report = Report(package.where("observations"))
    observations = to_observations(package.rows("observations"), rules, report)
    report.finish()
    return [*observations, *probe_observations(package)]


def _user_observations(
    package: Package, rules: Rules, extra: Sequence[Path], taken: set[str]
) -> tuple[list[Observation], list[str]]:
    added: list[Observation] = []
    notices: list[str] = []
    for number, folder in enumerate(extra, start=1):
        for table in user_tables(folder):
            observations, said = read_user_file(table, package, rules)
            added += [replace(row, id=_free(row.id, number, taken)) for row in observations]
            notices += said
    return added, notices


def _check_alone(added: Iterable[Observation]) -> None:
    if not any(row.use == "fit" for row in added):
        raise InvalidInput.one(str(ALONE), "", "", "needs at least one row to fit: your evidence has none")


def _checked_only(row: Observation) -> Observation:
    why = "the user's evidence is fitted alone"
    return replace(row, use="check", use_why=why) if row.use == "fit" else row


def _free(name: str, number: int, taken: set[str]) -> str:
    """The id itself, or with the number of the user's folder where another row has it already."""
    candidate, suffix = name, number
    while candidate in taken:
        candidate, suffix = f"{name}@{suffix}", suffix + 1
    taken.add(candidate)
    return candidate


def _check_references(
    rows: Iterable[Observation],
    quantities: Mapping[str, Quantity],
    states: Mapping[tuple[str, str], State],
    sources: Mapping[str, Source],
) -> None:
    """Every name that a packaged row uses must be explained by another table of the package."""
    problems: list[Problem] = []
    for row in rows:
        if row.quantity not in quantities:
            problems.append(Problem(row.id, "quantity", row.quantity, "must be in quantities.csv"))
        if row.machine and (row.machine, row.state) not in states:
            problems.append(Problem(row.id, "state", row.state, f"must be a state of {row.machine} in states.csv"))
        if row.source_id not in sources:
            problems.append(Problem(row.id, "source_id", row.source_id, f"must be a source of {DESCRIPTOR}"))
    if problems:
        raise InvalidInput(problems)


def _stateless(
    package: Package, added: Iterable[Observation], known: Mapping[tuple[str, str], State]
) -> dict[tuple[str, str], State]:
    """The states that only the user's rows name: a file of observations has no mitigation flags."""
    off = dict.fromkeys(_setting_names(package), 0)
    why = "user's evidence: no setting is stated, taken as none"
    keys = {(row.machine, row.state) for row in added} - set(known)
    return {key: State(*key, off, why) for key in sorted(keys)}


def _named_by_user(added: Iterable[Observation], known: Mapping[str, Source]) -> dict[str, Source]:
    return {
        row.source_id: Source(row.source_id, "user's evidence", "", "", "", "imported", row.quality, "")
        for row in added
        if row.source_id not in known
    }


def _records(package: Package, name: str, make: Callable[[Row, Report], _Record]) -> list[_Record]:
    report = Report(package.where(name))
    records = [make(row, report) for row in package.rows(name)]
    report.finish()
    return records


def _by(column: str, records: Iterable[_Record]) -> dict[str, _Record]:
    return {getattr(record, column): record for record in records}


def _plain(kind: Callable[..., _Record]) -> Callable[[Row, Report], _Record]:
    """Makes records whose fields are cells of the same name."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return lambda row, _: kind(**{name: row.cells[name] for name in names})


def _quantity(row: Row, report: Report) -> Quantity:
    cells: dict[str, Any] = dict(row.cells)
    cells["scored"] = cells["scored"] == "yes"
    cells["scenario"] = _counts(row, "scenario", "=", report)
    cells["extra_events"] = _counts(row, "extra_events", ":", report)
    return Quantity(**cells)


def _counts(row: Row, column: str, sign: str, report: Report) -> Mapping[str, int]:
    """``name<sign>count`` pairs, separated by blanks."""
    counts: dict[str, int] = {}
    for pair in str(row.cells[column]).split():
        name, _, count = pair.partition(sign)
        try:
            counts[name] = int(count)
        except ValueError:
            report.add(row.line, column, pair, f"must be name{sign}count")
    return counts


def _state(row: Row, _: Report) -> State:
    cells: dict[str, Any] = dict(row.cells)
    machine, state, why = cells.pop("machine"), cells.pop("state"), cells.pop("why")
    return State(machine, state, cells, why)


def _setting_names(package: Package) -> list[str]:
    return [name for name in package.schema("states").names if name not in ("machine", "state", "why")]
