"""What the nursery does before its first fork, and what a kernel undoes after it."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence

from mmiocost.startup import one_blas_thread

# libarrow's allocator starts a thread of its own when it is loaded, unless this variable forbids it.
NO_ALLOCATOR_THREAD = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}


def load(entries: Sequence[str]) -> None:
    """Import each ``module``, and call each ``module:function``, so that forked kernels have it done.

    What fails is told on standard error and left to the notebook that needs it.
    """
    for entry in entries:
        name, _, function = entry.partition(":")
        try:
            module = importlib.import_module(name)
            if function:
                getattr(module, function)()
        except Exception:
            print(f"warm kernels: {entry} can't be loaded ahead", file=sys.stderr)
            traceback.print_exc()


def reseed() -> None:
    """Give this process random numbers of its own: a fork copies the state of every generator.

    Python's own generator does so by itself. One that a module made with a seed of its choice keeps it, as in a
    kernel that imports the module anew.
    """
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    if "sympy.core.random" in sys.modules:
        sys.modules["sympy.core.random"].seed()


def take_over(environment: dict[str, str], folder: str, arguments: list[str]) -> None:
    """Environment, working folder and command line as a kernel of its own would have been started with."""
    os.environ.clear()
    os.environ.update(environment)
    one_blas_thread()
    os.chdir(folder)
    if not sys.flags.safe_path:
        # What `python -m` put there is the folder that the nursery was started in.
        sys.path[0] = folder
    sys.argv = arguments
