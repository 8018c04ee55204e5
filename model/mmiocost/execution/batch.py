"""Run notebooks side by side, each only if one of its inputs changed since its last good run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmiocost.cache import write_atomically
from mmiocost.execution.ledger import Entry, inputs_of, output_hash, read_ledger, write_ledger
from mmiocost.execution.names import unique_names
from mmiocost.execution.pool import WorkerPool
from mmiocost.execution.results import CellError, NotebookRun
from mmiocost.execution.source import NotebookSource, read_sources

CELL_TIMEOUT_S = 600.0


@dataclass(frozen=True)
class _Task:
    name: str
    source: NotebookSource
    inputs: str
    path: Path


def run_notebooks(
    notebooks: Sequence[Path],
    out: Path,
    *,
    parameters: Mapping[str, object],
    inputs_hash: str,
    jobs: int | None = None,
    on_progress: Callable[[NotebookRun], None] | None = None,
    cell_timeout: float = CELL_TIMEOUT_S,
) -> list[NotebookRun]:
    """Execute ``notebooks`` into the folder ``out``, at most ``jobs`` at once (default: one a processor).

    Every notebook gets all ``parameters``. ``inputs_hash`` stands for what the notebooks read besides
    themselves (model code, evidence). One whose source, parameters, ``inputs_hash`` and environment are those
    of its last good run is not executed again. ``on_progress`` hears of each notebook when it is finished. A
    cell may run ``cell_timeout`` seconds.

    Returns one NotebookRun a notebook, in their order. A failing cell, a dead kernel and a timeout are failed
    runs, not exceptions. Raises InvalidInput, before any kernel starts, for a file that is no notebook and for
    a parameter that a notebook does not know.
    """
    sources = read_sources([Path(path) for path in notebooks], parameters)
    names = unique_names(source.path.stem for source in sources)
    tasks = [
        _Task(name, source, inputs_of(source.content, parameters, inputs_hash), out / f"{name}.ipynb")
        for name, source in zip(names, sources, strict=True)
    ]
    ledger = read_ledger(out)
    runs: dict[str, NotebookRun] = {}
    for run in _runs(tasks, ledger, parameters, _jobs(jobs), cell_timeout):
        runs[run.name] = run
        if run.status != "unchanged":
            _record(out, ledger, run, tasks[names.index(run.name)].inputs)
        if on_progress is not None:
            on_progress(run)
    return [runs[name] for name in names]


def _runs(
    tasks: list[_Task], ledger: Mapping[str, Entry], parameters: Mapping[str, object], jobs: int, timeout: float
) -> Iterator[NotebookRun]:
    changed = [task for task in tasks if not _is_current(task, ledger.get(task.name))]
    for task in tasks:
        if task not in changed:
            yield NotebookRun(task.name, "unchanged", ledger[task.name].seconds, task.path)
    if changed:
        yield from _execute(changed, parameters, min(jobs, len(changed)), timeout)


def _execute(tasks: list[_Task], parameters: Mapping[str, object], jobs: int, timeout: float) -> Iterator[NotebookRun]:
    with WorkerPool(jobs) as pool:
        messages = [_message(task, pool.folder, parameters, timeout) for task in tasks]
        for number, result in pool.map(messages):
            _publish(_made(pool.folder, tasks[number]), tasks[number])
            yield _run(tasks[number], result)


def _message(task: _Task, folder: Path, parameters: Mapping[str, object], timeout: float) -> dict[str, object]:
    """What a worker needs to know; it reads a copy, so that an edit in between cannot change what was hashed."""
    source = folder / f"{task.name}.source.ipynb"
    source.write_bytes(task.source.content)
    output = str(_made(folder, task))
    return {"source": str(source), "output": output, "parameters": dict(parameters), "timeout": timeout}


def _made(folder: Path, task: _Task) -> Path:
    return folder / f"{task.name}.ipynb"


def _run(task: _Task, result: Mapping[str, Any] | None) -> NotebookRun:
    if result is None:
        return NotebookRun(task.name, "failed", 0.0, task.path, _DEAD_WORKER)
    if result["error"] is None:
        return NotebookRun(task.name, "executed", result["seconds"], task.path)
    return NotebookRun(task.name, "failed", result["seconds"], task.path, CellError(**result["error"]))


_DEAD_WORKER = CellError(0, "", "WorkerDied", "the process that ran the notebook ended unexpectedly", "")


def _publish(executed: Path, task: _Task) -> None:
    """Put the executed notebook into its place; the plain source where nothing was executed."""
    write_atomically(task.path, executed.read_bytes() if executed.exists() else task.source.content)


def _is_current(task: _Task, entry: Entry | None) -> bool:
    return entry is not None and entry.inputs == task.inputs and entry.output == output_hash(task.path)


def _record(out: Path, ledger: dict[str, Entry], run: NotebookRun, inputs: str) -> None:
    """Note a good run at once, so that a killed report does not repeat it; forget a failed one."""
    ledger.pop(run.name, None)
    if run.status == "executed":
        ledger[run.name] = Entry(inputs, output_hash(run.path), run.seconds)
    write_ledger(out, ledger)


def _jobs(jobs: int | None) -> int:
    return max(1, jobs if jobs is not None else os.cpu_count() or 1)
