"""Worker processes, started when first needed and ended with the pool."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mmiocost import resources
from mmiocost.cache import content_hash
from mmiocost.execution.memory import MemoryGate
from mmiocost.execution.recorded import value_of
from mmiocost.execution.results import CellError
from mmiocost.execution.task import DEAD_WORKER, Done, Job
from mmiocost.execution.worker import KERNELS, PRIVATE, WARM, kernel_name

if TYPE_CHECKING:
    from mmiocost.execution.warm.client import NurseryHandle

_NURSERY = "MMIOCOST_NURSERY"
_JUPYTER = Path(__file__).resolve().parent / "jupyter"


class WorkerPool:
    """Up to ``jobs`` worker processes at once (default: one a processor), fewer while memory is short; use it as a
    context manager.

    Kernels find their kernelspec through the environment and keep their files in a private folder that goes
    with the pool, so that nothing is written to the user's home and no settings there change a result. ``preload``
    names modules, and functions as ``module:function``, that a warm kernel has imported and called before it is
    asked for anything.
    """

    def __init__(self, jobs: int | None, gate: MemoryGate | None = None, preload: Sequence[str] = ()) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="mmiocost-", ignore_cleanup_errors=True)
        self._threads = ThreadPoolExecutor(jobs or os.cpu_count() or 1)
        self._thread = threading.local()
        self._started: list[subprocess.Popen[str]] = []
        self._gate = gate or MemoryGate()
        self._numbers = itertools.count()
        self._preload = tuple(preload)
        self._lock = threading.Lock()
        self._nursery: NurseryHandle | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._gate.close()
        if kind is not None:
            for worker in self._started:
                worker.terminate()
            self._end_nursery()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._started:
            worker.communicate()
        self._end_nursery()
        self._folder.cleanup()

    def _end_nursery(self) -> None:
        with self._lock:
            if self._nursery is not None:
                self._nursery.end()
            self._nursery = None

    def map(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Done]]:
        """Position and end of each job, as they finish; DEAD_WORKER for one whose worker died."""
        futures = {self._threads.submit(self.serve, job): number for number, job in enumerate(jobs)}
        for future in as_completed(futures):
            # What has been handed on is not kept: a thousand executed notebooks do not fit into memory.
            number = futures.pop(future)
            yield number, future.result()
            del future

    def serve(self, job: Job) -> Done:
        """Execute one job in the worker of this thread."""
        if not self._gate.enter():
            return DEAD_WORKER
        try:
            return self._serve(job)
        finally:
            self._gate.leave()

    def _serve(self, job: Job) -> Done:
        worker = self._worker()
        assert worker.stdin is not None and worker.stdout is not None
        source, output = self._source(job.content), Path(self._folder.name) / f"{next(self._numbers)}.ipynb"
        message = {"source": str(source), "output": str(output), "parameters": dict(job.parameters)}
        limits = {"cell_timeout": job.cell_timeout, "timeout": job.timeout}
        try:
            worker.stdin.write(json.dumps(message | limits) + "\n")
            worker.stdin.flush()
            answer = json.loads(worker.stdout.readline())
        except (BrokenPipeError, ValueError):
            worker.kill()
            self._thread.worker = None
            return DEAD_WORKER
        return _done(answer, _taken(output))

    def _source(self, content: bytes) -> Path:
        """The notebook as a file that workers read, written by whichever thread comes first."""
        place = Path(self._folder.name) / f"{content_hash(content)[:32]}.source.ipynb"
        if not place.exists():
            beside = place.with_suffix(f".{threading.get_ident()}")
            beside.write_bytes(content)
            beside.replace(place)
        return place

    def _worker(self) -> subprocess.Popen[str]:
        """The worker process of this thread."""
        worker: subprocess.Popen[str] | None = getattr(self._thread, "worker", None)
        if worker is None:
            worker = subprocess.Popen(
                [sys.executable, "-m", "mmiocost.execution.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # What went wrong is in the result; the libraries' own log would only repeat it on a terminal.
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                env=self._environment() | self._shared_nursery(),
                # Ctrl-C on the terminal is for the run, which then ends its workers.
                start_new_session=True,
            )
            self._thread.worker = worker
            self._started.append(worker)
        return worker

    def _shared_nursery(self) -> dict[str, str]:
        """Where the workers find the one nursery of the pool; nothing where the environment names one, or none can be.

        A worker that can't reach it starts one of its own.
        """
        if kernel_name() != WARM or _NURSERY in os.environ:
            return {}
        from mmiocost.execution.warm.client import start_nursery

        with self._lock:
            if self._nursery is None:
                specification = json.loads((KERNELS / WARM / "kernel.json").read_bytes())
                usual = specification["metadata"]["kernel_provisioner"]["config"]["preload"]
                self._nursery = start_nursery(sys.executable, [*usual, *self._preload], self._environment())
            return {_NURSERY: self._nursery.address}

    def _environment(self) -> dict[str, str]:
        folder = Path(self._folder.name)
        environment = {**os.environ, PRIVATE: str(folder), "PYTHONUTF8": "1"}
        environment["MMIOCOST_PRELOAD"] = ",".join(self._preload)
        for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
            environment[name] = str(folder / name.lower())
        environment["JUPYTER_PATH"] = _joined(_JUPYTER, os.environ.get("JUPYTER_PATH"))
        checkout = resources.checkout()
        if checkout is not None:
            environment["PYTHONPATH"] = _joined(checkout / "model", os.environ.get("PYTHONPATH"))
        return environment


def _taken(output: Path) -> bytes:
    """The bytes of a file, which is removed; none if there is none."""
    try:
        content = output.read_bytes()
    except OSError:
        return b""
    output.unlink(missing_ok=True)
    return content


def _done(answer: dict[str, Any], notebook: bytes) -> Done:
    error = CellError(**answer["error"]) if answer["error"] is not None else None
    values = tuple(value for value in map(value_of, answer["values"]) if value is not None)
    return Done(notebook, answer["seconds"], answer["content"], values, error)


def _joined(first: Path, rest: str | None) -> str:
    return os.pathsep.join([str(first), *([rest] if rest else [])])
