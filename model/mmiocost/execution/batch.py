"""Run notebooks side by side, each only if one of its inputs changed since its last good run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mmiocost.execution.folder import folder_within, only_writer, remove_leftovers
from mmiocost.execution.ledger import FOLDER, Entry, forget_format_1, inputs_of, read_entry, why_again, write_entry
from mmiocost.execution.names import unique_names
from mmiocost.execution.place import output_hash, output_path, write_output
from mmiocost.execution.pool import WorkerPool
from mmiocost.execution.results import NotebookRun, Status
from mmiocost.execution.source import NotebookSource, read_sources
from mmiocost.execution.task import Done, Job, Task

CELL_TIMEOUT_S = 600.0
TIMEOUT_S = 1800.0


class Workers(Protocol):
    """What executes jobs: processes of this machine (``pool``) or a cluster (``cluster``)."""

    def map(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Done]]:
        """Position and end of each job, as they finish."""


@dataclass(frozen=True)
class _Planned:
    """A task with its source, the hashes of its inputs, and why it is to be executed, empty if it is not."""

    task: Task
    source: NotebookSource
    inputs: Mapping[str, str]
    path: Path | str
    entry: Entry | None
    reason: str


def run_notebooks(
    notebooks: Sequence[Path],
    out: Path,
    *,
    parameters: Mapping[str, object],
    inputs: Mapping[str, str],
    jobs: int | None = None,
    on_progress: Callable[[NotebookRun], None] = lambda run: None,
    cell_timeout: float = CELL_TIMEOUT_S,
) -> list[NotebookRun]:
    """Execute ``notebooks`` into the folder ``out``, every one with all ``parameters``; see run_tasks.

    A second process that writes into ``out`` is refused with a MmioCostError.
    """
    names = unique_names(path.stem for path in notebooks)
    tasks = [Task(name, path, parameters) for name, path in zip(names, notebooks, strict=True)]
    read_sources(tasks)
    if not tasks:
        return []
    with only_writer(out):
        return run_tasks(tasks, out, inputs=inputs, jobs=jobs, on_progress=on_progress, cell_timeout=cell_timeout)


def run_tasks(
    tasks: Sequence[Task],
    out: Path,
    *,
    inputs: Mapping[str, str],
    notebooks: Path | str | None = None,
    jobs: int | None = None,
    workers: Callable[[int | None], AbstractContextManager[Workers]] = WorkerPool,
    on_progress: Callable[[NotebookRun], None] = lambda run: None,
    on_plan: Callable[[Mapping[str, str]], None] = lambda reasons: None,
    cell_timeout: float = CELL_TIMEOUT_S,
    timeout: float = TIMEOUT_S,
) -> list[NotebookRun]:
    """Execute the tasks that have to be, at most ``jobs`` at once (default: as many as the workers have place for).

    ``notebooks`` is a folder or an address that papermill can write to (default: ``out``); the ledger is in ``out``,
    of which the caller is the only writer (``folder.only_writer``). ``inputs`` are hashes of what the notebooks read
    besides themselves, by names that complete "... changed". A task is not executed again while they, its notebook,
    its parameters, Python and the packages, and the executed notebook are those of its last good run. ``on_plan``
    hears why each task is executed (empty if it is not) before the first one is, ``on_progress`` of each task that
    has ended. A cell may run ``cell_timeout`` seconds, a notebook ``timeout``.

    Returns one NotebookRun a task, in their order. A failing cell, a dead kernel and a timeout are failed runs, not
    exceptions. Raises InvalidInput, before any kernel starts, for a file that is no notebook and for a parameter that
    a notebook does not know.
    """
    place = out if notebooks is None else notebooks
    planned = list(_planned(tasks, out, place, inputs))
    on_plan({item.task.name: item.reason for item in planned})
    runs: dict[str, NotebookRun] = {}
    waiting = [item for item in planned if item.reason]
    for item in planned:
        if not item.reason and item.entry is not None:
            run = _run(item, item.entry, "unchanged")
            runs[run.name] = run
            on_progress(run)
    if waiting:
        with workers(jobs) as pool:
            limits = cell_timeout, timeout
            for number, done in pool.map([Job(i.source.content, i.task.parameters, *limits) for i in waiting]):
                run = _ended(out, waiting[number], done)
                runs[run.name] = run
                on_progress(run)
    return [runs[item.task.name] for item in planned]


def _planned(tasks: Sequence[Task], out: Path, place: Path | str, inputs: Mapping[str, str]) -> Iterator[_Planned]:
    sources = read_sources(tasks)
    for folder in (folder_within(out, FOLDER), *([place] if isinstance(place, Path) else [])):
        remove_leftovers(folder)
    forget_format_1(out)
    for task in tasks:
        source, path = sources[task.notebook], output_path(place, task.name)
        hashes, entry = inputs_of(source.content, task.parameters, inputs), read_entry(out, task.name)
        reason = why_again(entry, hashes, output_hash(path) if entry else "")
        yield _Planned(task, source, hashes, path, entry, reason)


def _ended(out: Path, item: _Planned, done: Done) -> NotebookRun:
    """Put the executed notebook into its place, and only then say in the ledger that it is there."""
    write_output(item.path, done.notebook or item.source.content)
    entry = Entry(item.inputs, output_hash(item.path), done.content, done.seconds, done.error, done.values)
    write_entry(out, item.task.name, entry)
    return _run(item, entry, "failed" if entry.error else "executed")


def _run(item: _Planned, entry: Entry, status: Status) -> NotebookRun:
    return NotebookRun(
        item.task.name, status, entry.seconds, item.path, entry.error, item.reason, entry.content, entry.values
    )
