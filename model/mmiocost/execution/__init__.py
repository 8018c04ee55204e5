"""Notebooks run: each through papermill in a kernel of its own, and not again while its inputs stay the same.

The room knows notebooks, parameters and hashes, and nothing of the model.
"""

from mmiocost.execution.batch import run_notebooks, run_tasks
from mmiocost.execution.results import CellError, NotebookRun, Recorded
from mmiocost.execution.task import Task

__all__ = ["CellError", "NotebookRun", "Recorded", "Task", "run_notebooks", "run_tasks"]
