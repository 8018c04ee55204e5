"""papermill's own engine for notebooks, with a time for the whole notebook, and what became of one that broke off."""

from __future__ import annotations

import time
from typing import Any

from papermill.engines import NBClientEngine, papermill_engines

NAME = "mmiocost"


class LimitedEngine(NBClientEngine):  # type: ignore[misc, unused-ignore]
    """Keeps hold of the notebook, which papermill drops when a kernel dies or the time is over.

    It is written once, by the caller: papermill's own way, after each cell and in place, costs a tenth of a second
    a notebook and leaves half a file where it is killed.
    """

    running: Any = None  # the notebook of this process that was executed last, which holds outputs as they came

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
        """Execute within ``notebook_timeout`` seconds, and at most ``execution_timeout`` a cell."""
        cls.running = nb_man.nb
        cell, end = options.pop("execution_timeout"), time.monotonic() + options.pop("notebook_timeout")
        # Asked before each cell: what is left of the time is all that a cell may take.
        options["timeout_func"] = lambda _: max(min(cell, end - time.monotonic()), 0.01)
        return super().execute_managed_notebook(nb_man, kernel_name, **options)


papermill_engines.register(NAME, LimitedEngine)
