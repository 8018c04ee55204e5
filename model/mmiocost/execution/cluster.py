"""The same jobs on the workers of a dask.distributed scheduler, instead of processes of this machine.

A dask worker serves a job through a pool of one, so that a notebook has a process, kernel and private folder as it has
here. The cluster only computes: the process that asked writes every file and the ledger, each task once, when its
result arrives; a task that dask runs again because a worker was lost has one result all the same.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

from mmiocost.cache import content_hash
from mmiocost.errors import InvalidInput, MmioCostError
from mmiocost.execution.ledger import environment
from mmiocost.execution.pool import WorkerPool
from mmiocost.execution.results import CellError
from mmiocost.execution.task import DEAD_WORKER, Done, Job

_CONNECT_S = 30
_OTHER = "the worker has another Python, other packages or another mmiocost than the process that asked"
_OTHER_PACKAGES = Done(b"", 0.0, "", (), CellError(0, "", "OtherPackages", _OTHER, ""))
_lock = threading.Lock()
_pools: dict[tuple[str, ...], WorkerPool] = {}


def serve(job: Job, preload: tuple[str, ...], expected: str) -> Done:
    """Execute one job on the dask worker that this is called on, in a process that the next one finds warm.

    Refused where the worker's packages are not those of the process that asked, whose ledger would tell of them.
    """
    if expected != installed():
        return _OTHER_PACKAGES
    with _lock:
        pool = _pools.get(preload)
        if pool is None:
            pool = _pools[preload] = WorkerPool(None, preload=preload)
    return pool.serve(job)


@cache
def installed() -> str:
    """Hash of Python, the packages and this package's own code."""
    own = Path(__file__).resolve().parent.parent
    files = sorted(own.rglob("*.py"))
    return content_hash(environment(), *(part for file in files for part in (file.name, file.read_bytes())))


class Cluster:
    """Jobs handed to a scheduler; use :func:`cluster`."""

    def __init__(self, client: Any, jobs: int | None, preload: Sequence[str]) -> None:
        self._client, self._jobs, self._preload = client, jobs, tuple(preload)

    def map(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Done]]:
        """Position and end of each job, as they finish; DEAD_WORKER for one that no worker lived through."""
        from distributed import as_completed

        waiting = iter(enumerate(jobs))
        numbers: dict[Any, int] = {}
        # As many as are asked for at once, else all: the scheduler knows best where they fit.
        first = [self._submit(*item) for item, _ in zip(waiting, range(self._jobs or len(jobs)), strict=False)]
        running = as_completed(loop=self._client.loop)
        for future, number in first:
            numbers[future.key] = number
            running.add(future)
        for future in running:
            yield numbers.pop(future.key), _result(future)
            future.release()
            for item in waiting:
                future, number = self._submit(*item)
                numbers[future.key] = number
                running.add(future)
                break

    def _submit(self, number: int, job: Job) -> tuple[Any, int]:
        # Not pure: an equal job of another run must not be answered from that run.
        return self._client.submit(serve, job, self._preload, installed(), pure=False), number


def cluster(address: str, preload: Sequence[str] = ()) -> Callable[[int | None], AbstractContextManager[Cluster]]:
    """Workers for ``run_tasks``: those of the scheduler at ``address``; ``jobs`` bounds what runs at once.

    Raises InvalidInput without the extra ``cluster``, MmioCostError where no scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError:
        allowed = "needs dask.distributed: install mmiocost[cluster]"
        raise InvalidInput.one("--scheduler", "", address, allowed) from None

    @contextlib.contextmanager
    def connected(jobs: int | None) -> Iterator[Cluster]:
        try:
            client = Client(address, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise MmioCostError(f"--scheduler {address}: no scheduler answers: {error}") from error
        with client:
            yield Cluster(client, jobs, preload)

    return connected


def _result(future: Any) -> Done:
    """What a worker answered. dask gives a task up when several workers in turn died of it."""
    if future.status == "finished":
        found: Done = future.result()
        return found
    return DEAD_WORKER
