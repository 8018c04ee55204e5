"""What evidence there is, from where, and whether it is sound.

Comes in: the packaged evidence and the user's folders. Goes out: lists and plain dictionaries for the command
line, and one verdict a resource. The schemas are checked by frictionless here, and only here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmiocost.errors import InvalidInput, Problem, nearest_name
from mmiocost.startup import block_slow_imports

from .digest import DESCRIPTOR, USER_TABLE, Folders
from .loading import load
from .package import Package, open_package
from .records import Resource, Verdict
from .schema import Cell


def catalogue() -> list[Resource]:
    """Every file of the packaged evidence, in the order of its descriptor."""
    package = open_package()
    return [_resource(package, name) for name in package.resources]


def show(name: str, extra: Sequence[Path] = ()) -> dict[str, Any]:
    """One resource by name, one source by id with its observations, or one observation by id.

    Raises InvalidInput with the nearest name for what is none of them.
    """
    package = open_package()
    if name in package.resources:
        return {"kind": "resource", **package.resources[name]}
    evidence = load(extra)
    if name in evidence.sources:
        rows = [asdict(row) for row in evidence.observations if row.source_id == name]
        return {"kind": "source", **asdict(evidence.sources[name]), "observations": rows}
    for row in evidence.observations:
        if row.id == name:
            return {"kind": "observation", **asdict(row), "source": asdict(evidence.sources[row.source_id])}
    known = [*package.resources, *evidence.sources, *(row.id for row in evidence.observations)]
    allowed = "must be a resource, a source or an observation"
    raise InvalidInput.one("evidence", "id", name, allowed, nearest_name(name, known))


def verify(extra: Sequence[Path] = ()) -> list[Verdict]:
    """Check every resource: checksum, schema (by frictionless), units and cross references; then the user's files.

    Raises InvalidInput only where the descriptor itself cannot be read.
    """
    folders = Folders.of(extra)
    package = open_package()
    found = {name: _file_problems(package, name) for name in package.resources}
    if not any(found.values()):  # what cannot be read cannot be held against the rest
        _add_references(package, found)
    for name, problems in _schema_problems(package).items():
        found[name] += problems
    verdicts = [Verdict(name, tuple(problems)) for name, problems in found.items()]
    return [*verdicts, *(_user_verdict(folder) for folder in folders.paths)]


def _resource(package: Package, name: str) -> Resource:
    described = package.resource(name)
    rows = len(package.rows(name)) if "schema" in described else None
    ids = tuple(source["id"] for source in described["sources"])
    return Resource(name, described["path"], described["title"], rows, described["bytes"], ids)


def _file_problems(package: Package, name: str) -> list[str]:
    """Checksum and cells."""
    read: Callable[[str], Any] = package.rows if "schema" in package.resource(name) else package.read_bytes
    return [problem.line() for problem in _problems(lambda: read(name))]


def _problems(check: Callable[[], Any]) -> tuple[Problem, ...]:
    try:
        check()
    except InvalidInput as error:
        return error.problems
    return ()


def _schema_problems(package: Package) -> dict[str, list[str]]:
    block_slow_imports()
    from frictionless import FrictionlessException, validate

    try:
        report = validate(str(package.folder / DESCRIPTOR))
    except FrictionlessException as error:
        raise InvalidInput.one(DESCRIPTOR, "", "", f"must be a Data Package ({error})") from None
    if report.errors:
        raise InvalidInput.one(DESCRIPTOR, "", "", "; ".join(error.message for error in report.errors))
    return {task.name: [_frictionless_line(error) for error in task.errors] for task in report.tasks}


def _frictionless_line(error: Any) -> str:
    row = getattr(error, "row_number", None)
    return f"row {row}: {error.message}" if row else str(error.message)


def _add_references(package: Package, found: Mapping[str, list[str]]) -> None:
    """Rules beyond a single cell (units among them), and names that a table uses and no other table explains."""
    broken = _problems(load)
    for problem in broken:
        found[_resource_of(package, problem)].append(problem.line())
    known = {} if broken else load().states
    for name, problems in found.items():
        described = package.resource(name)
        stated = {source["id"] for source in described["sources"]}
        problems += [f"unknown source '{source}'" for source in sorted(stated - package.sources().keys())]
        for row in package.rows(name) if "schema" in described else ():
            problems += [f"line {row.line}: {what}" for what in _unexplained(row.cells, stated, known)]


def _resource_of(package: Package, problem: Problem) -> str:
    """The resource that a problem names; one that names a row is about the observations."""
    places = {package.where(name): name for name in package.resources}
    return places.get(problem.where.rpartition(":")[0], "observations")


def _unexplained(cells: Mapping[str, Cell], sources: Collection[str], states: Collection[Any]) -> Iterator[str]:
    if "source_id" in cells and cells["source_id"] not in sources:
        yield f"source '{cells['source_id']}' is not among the resource's sources"
    if states and cells.get("machine") and (cells["machine"], cells["state"]) not in states:
        yield f"state '{cells['state']}' of '{cells['machine']}' is not in states.csv"


def _user_verdict(folder: Path) -> Verdict:
    return Verdict(
        str(Path(folder) / USER_TABLE), tuple(problem.line() for problem in _problems(lambda: load([folder])))
    )
