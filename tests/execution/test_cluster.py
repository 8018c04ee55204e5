"""A real scheduler and two worker processes on this machine, one of them killed in the middle of the work."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from nursery import shared_nursery
from samples import code, write_notebook

from mmiocost.errors import InvalidInput, MmioCostError
from mmiocost.execution import NotebookRun, Task, run_tasks
from mmiocost.execution.cluster import cluster, serve
from mmiocost.execution.task import Job

TASKS = 12


def test_without_the_extra_the_command_to_install_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InvalidInput, match=r"needs dask.distributed: install mmiocost\[cluster\]"):
        cluster("tcp://127.0.0.1:1")


def test_a_worker_with_other_packages_executes_nothing() -> None:
    done = serve(Job(b"no notebook", {}, 1, 1), (), "other")
    assert done.error is not None
    assert done.error.ename == "OtherPackages"


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Address of a scheduler, and its two workers."""
    pytest.importorskip("distributed", reason="needs the extra 'cluster', which is not in requirements.lock")
    file = tmp_path / "scheduler.json"
    started: list[subprocess.Popen[bytes]] = []

    def start(program: str, *words: str) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-m", f"distributed.cli.{program}", *words], cwd=tmp_path))
        return started[-1]

    common = ("--scheduler-file", str(file), "--no-dashboard", "--host", "127.0.0.1")
    with shared_nursery():
        start("dask_scheduler", *common, "--port", "0")
        workers = [start("dask_worker", *common, "--no-nanny", "--nthreads", "1") for _ in range(2)]
        end = time.monotonic() + 60
        while not file.exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        yield json.loads(file.read_text())["address"], workers
        for process in reversed(started):
            process.kill()
            process.wait()


def test_a_lost_worker_costs_nothing_and_gives_nothing_twice(
    tmp_path: Path, scheduler: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    address, workers = scheduler
    trace = tmp_path / "trace"
    source = f"import time\ntime.sleep(0.3)\nopen({str(trace)!r}, 'a').write(f'{{n}} ')\nprint(n)"
    path = write_notebook(tmp_path / "a.ipynb", code("n = 0", parameters=True), code(source))
    tasks = [Task(f"t{n}", path, {"n": n}) for n in range(TASKS)]
    heard: list[NotebookRun] = []

    def kill_one(run: NotebookRun) -> None:
        heard.append(run)
        if len(heard) == 3:
            workers[0].kill()

    out = tmp_path / "out"
    runs = run_tasks(tasks, out, inputs={}, workers=cluster(address), on_progress=kill_one)
    assert [run.error for run in runs] == [None] * TASKS
    assert {name: count for name, count in Counter(run.name for run in heard).items() if count != 1} == {}
    # At most what the lost worker had in hand was executed twice; the ledger and the result hold everything once.
    executed = Counter(trace.read_text().split())
    assert set(executed) == {str(n) for n in range(TASKS)}
    assert sum(executed.values()) <= TASKS + 1
    here = run_tasks(tasks, tmp_path / "here", inputs={}, jobs=1)
    assert [run.content for run in runs] == [run.content for run in here]
    assert [run.status for run in run_tasks(tasks, out, inputs={}, jobs=1)] == ["unchanged"] * TASKS


def test_a_scheduler_that_does_not_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs the extra 'cluster', which is not in requirements.lock")
    monkeypatch.setattr("mmiocost.execution.cluster._CONNECT_S", 0.2)
    path = write_notebook(tmp_path / "a.ipynb", code("1"))
    with pytest.raises(MmioCostError, match="no scheduler answers"):
        run_tasks([Task("a", path, {})], tmp_path / "out", inputs={}, workers=cluster("tcp://127.0.0.1:1"))
