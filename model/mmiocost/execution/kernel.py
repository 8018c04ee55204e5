"""The kernel that notebooks run in: ipykernel without what a report does not need.

Started by ``jupyter_client`` from the kernelspec ``jupyter/kernels/mmiocost`` beside this file.
"""

from __future__ import annotations

import sys

from mmiocost.startup import block_slow_imports, one_blas_thread


def main() -> None:
    """Run an ipykernel on the connection file that the command line names."""
    block_slow_imports()
    one_blas_thread()
    # No debugger attaches to a report's kernel, and loading one costs a fifth of a second a notebook.
    sys.modules.setdefault("debugpy", None)  # type: ignore[arg-type]
    from mmiocost.execution.warm.application import OrderlyApplication

    # History would open a database that parallel kernels share; errors still reach standard error.
    OrderlyApplication.launch_instance([*sys.argv[1:], "--HistoryManager.enabled=False", "--log-level=ERROR"])


if __name__ == "__main__":
    main()
