"""Notebooks run: each through papermill in a kernel of its own, and not again while its inputs stay the same.

The room knows notebooks, parameters and hashes, and nothing of the model.
"""

from mmiocost.execution.batch import run_notebooks
from mmiocost.execution.results import CellError, NotebookRun

__all__ = ["CellError", "NotebookRun", "run_notebooks"]
