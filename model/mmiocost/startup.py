"""What every process of the project does before it imports anything heavy."""

from __future__ import annotations

import os
import sys


def block_slow_imports() -> None:
    """Keep ``rfc3987_syntax`` out of this process.

    jupyterlab brings the package in, and jsonschema imports it if it can: the grammar that it builds takes
    1.25 s in every process that loads altair, nbformat or papermill. Without it jsonschema leaves out the
    format check of IRIs, which no schema of ours uses. A process that has it already keeps it.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def one_blas_thread() -> None:
    """Keep linear algebra on one thread unless the user says otherwise; call it before NumPy is imported.

    Our matrices have tens of rows: a second thread spends its time waiting for the first.
    """
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def main() -> None:
    """Run another package's program with the slow imports kept out: ``python -m mmiocost.startup nbstripout …``."""
    import runpy

    block_slow_imports()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
