"""The process that ready kernels are forked from: ``python -m mmiocost.execution.warm`` (started by a client)."""

import sys

from mmiocost.startup import block_slow_imports, one_blas_thread

block_slow_imports()
one_blas_thread()
# No debugger attaches to a report's kernel, and loading one starts threads.
sys.modules.setdefault("debugpy", None)  # type: ignore[arg-type]

from mmiocost.execution.warm.program import main  # noqa: E402

main()
