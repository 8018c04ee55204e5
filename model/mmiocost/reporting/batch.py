"""Many scenarios through notebooks: a grid in, executed notebooks, one table of results and an index page out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .. import __version__
from ..errors import InvalidInput, Problem
from ..evidence import Folders, evidence_hash
from ..execution import NotebookRun, Task, run_tasks
from ..execution.batch import TIMEOUT_S, Workers
from ..execution.folder import folder_within, only_writer
from ..execution.names import steady_names
from ..execution.place import check_remote, is_remote
from ..execution.pool import WorkerPool
from ..execution.source import read_sources
from ..fitting.store import current_fit
from ..whatif.grid import Grid, Member, read_grid
from .batch_site import Pages
from .batch_table import Row, write_table
from .report import chosen_notebooks, default_out, report_inputs

#: What a warm kernel has done before its first scenario.
PRELOAD = ("mmiocost.reporting.views.scenario_results:warm",)


_local = partial(WorkerPool, preload=PRELOAD)


@dataclass(frozen=True)
class Batch:
    """A finished batch: one row a scenario and notebook, in the order of the grid; the files of its summary."""

    rows: tuple[Row, ...]
    index: Path
    table: Path

    @property
    def failed(self) -> tuple[NotebookRun, ...]:
        """Runs that did not go through."""
        return tuple(row.run for row in self.rows if row.run.status == "failed")

    def count(self, status: str) -> int:
        """Runs of one status."""
        return sum(row.run.status == status for row in self.rows)


def batch(
    grid_file: Path,
    out: Path | str,
    *,
    jobs: int | None = None,
    timeout: float = TIMEOUT_S,
    evidence: Sequence[Path] = (),
    workers: Callable[[int | None], AbstractContextManager[Workers]] = _local,
    on_plan: Callable[[Mapping[str, str]], None] = lambda reasons: None,
    on_progress: Callable[[NotebookRun], None] = lambda run: None,
) -> Batch:
    """Run every scenario of a grid through its notebooks, as far as that is not done; see ``execution.run_tasks``.

    ``out`` is a folder, or an address that papermill can write to (``s3://...``): executed notebooks then go there,
    the ledger, the table and the index page into the folder that :func:`local_folder` names. A notebook may run
    ``timeout`` seconds. Raises InvalidInput with all that is wrong with the grid before anything is run, and
    MmioCostError where another process writes into ``out``.
    """
    grid = read_grid(grid_file)
    notebooks = _notebooks(grid)
    current_fit(evidence)
    _check_machines(grid, evidence)
    given = {"evidence": Folders.of(evidence).plain()} if evidence else {}
    wanted = [(member, path) for member in grid.members for path in notebooks]
    names = steady_names([f"{member.name}.{path.stem}" for member, path in wanted])
    tasks = [
        Task(name, path, {**given, "scenario": member.document})
        for name, (member, path) in zip(names, wanted, strict=True)
    ]
    read_sources(tasks)
    folder = local_folder(out)
    if is_remote(str(out)):
        check_remote(str(out))
    about = {"version": __version__, "evidence": evidence_hash(evidence), "grid": grid_file.name}
    with only_writer(folder):
        pages = Pages(folder, about)

        def ended(run: NotebookRun) -> None:
            on_progress(run)
            pages.add(run)

        runs = run_tasks(
            tasks, folder, inputs=report_inputs(evidence), jobs=jobs, timeout=timeout, workers=workers,
            notebooks=str(out) if is_remote(str(out)) else folder_within(folder, "notebooks"),
            on_plan=on_plan, on_progress=ended,
        )  # fmt: skip
        rows = tuple(
            Row(member.name, path.stem, member.scenario, run) for (member, path), run in zip(wanted, runs, strict=True)
        )
        table = write_table(rows, folder, about)
        return Batch(rows, pages.finish(rows), table)


def local_folder(out: Path | str) -> Path:
    """Where ledger, table and index page of a batch are: ``out`` itself, or a folder named after a remote one."""
    if not is_remote(str(out)):
        return Path(out)
    return default_out().parent / "batch" / steady_names([str(out)])[0]


def _notebooks(grid: Grid) -> tuple[Path, ...]:
    """The grid's notebooks: files beside the grid, packaged ones by name, or paths."""
    beside = [grid.file.parent / name for name in grid.notebooks]
    found = chosen_notebooks(
        [str(path) if path.is_file() else name for path, name in zip(beside, grid.notebooks, strict=True)]
    )
    if len({path.stem for path in found}) < len(found):
        raise InvalidInput.one(
            str(grid.file), "notebooks", "", "must have different names: files are called after them"
        )
    return found


def _check_machines(grid: Grid, evidence: Sequence[Path]) -> None:
    """Refuse machines that the evidence does not have."""
    fit = current_fit(evidence)
    problems: dict[str, Problem] = {}
    for member in grid.members:
        try:
            fit.locate(member.scenario.machine)
        except InvalidInput as error:
            problems.setdefault(member.scenario.machine, _placed(error.problems[0], grid, member))
    if problems:
        raise InvalidInput(problems.values())


def _placed(problem: Problem, grid: Grid, member: Member) -> Problem:
    where = f"{grid.file}: {member.name}"
    return Problem(where, problem.field, problem.got, problem.allowed, problem.nearest)
