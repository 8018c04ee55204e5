"""Worker processes, started when first needed and ended with the pool."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mmiocost import resources

_JUPYTER = Path(__file__).resolve().parent / "jupyter"


class WorkerPool:
    """Up to ``jobs`` worker processes at once; use it as a context manager.

    Kernels find their kernelspec through the environment and keep their files in a private folder that goes
    with the pool, so that nothing is written to the user's home and no settings there change a result.
    """

    def __init__(self, jobs: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="mmiocost-", ignore_cleanup_errors=True)
        self._threads = ThreadPoolExecutor(jobs)
        self._thread = threading.local()
        self._started: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is not None:
            for worker in self._started:
                worker.terminate()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._started:
            worker.communicate()
        self._folder.cleanup()

    @property
    def folder(self) -> Path:
        """Private folder for files in the making."""
        return Path(self._folder.name)

    def map(self, tasks: Iterable[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any] | None]]:
        """Position and result of each task, as they finish; None for a task whose worker died."""
        futures = {self._threads.submit(self._serve, task): number for number, task in enumerate(tasks)}
        for future in as_completed(futures):
            yield futures[future], future.result()

    def _serve(self, task: dict[str, Any]) -> dict[str, Any] | None:
        worker = self._worker()
        assert worker.stdin is not None and worker.stdout is not None
        try:
            worker.stdin.write(json.dumps(task) + "\n")
            worker.stdin.flush()
            answer = worker.stdout.readline()
        except (BrokenPipeError, ValueError):
            answer = ""
        if not answer:
            self._thread.worker = None
            return None
        result: dict[str, Any] = json.loads(answer)
        return result

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
                env=self._environment(),
            )
            self._thread.worker = worker
            self._started.append(worker)
        return worker

    def _environment(self) -> dict[str, str]:
        environment = {**os.environ, "IPYTHONDIR": str(self.folder / "ipython"), "PYTHONUTF8": "1"}
        environment["JUPYTER_RUNTIME_DIR"] = str(self.folder / "runtime")
        environment["JUPYTER_CONFIG_DIR"] = str(self.folder / "config")
        environment["JUPYTER_PATH"] = _joined(_JUPYTER, os.environ.get("JUPYTER_PATH"))
        checkout = resources.checkout()
        if checkout is not None:
            environment["PYTHONPATH"] = _joined(checkout / "model", os.environ.get("PYTHONPATH"))
        return environment


def _joined(first: Path, rest: str | None) -> str:
    return os.pathsep.join([str(first), *([rest] if rest else [])])
