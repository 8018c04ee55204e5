"""The command line: a thin face over the rooms. A command parses, calls one public function, prints."""

from __future__ import annotations

import os
import sys

from ..startup import block_slow_imports, one_blas_thread

CLOSED_PIPE = 141  # what a shell shows for a process that a closed pipe ends


def run() -> None:
    """Entry point of the console script: run the command line and leave with its exit status."""
    block_slow_imports()
    one_blas_thread()
    from .main import main

    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone; what Python would still flush at exit goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = CLOSED_PIPE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = 130
    sys.exit(status)
