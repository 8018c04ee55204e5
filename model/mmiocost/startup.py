"""What every process of the project does before it imports anything heavy."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def block_slow_imports() -> None:
    """Keep ``rfc3987_syntax`` out of this process.

    jupyterlab brings the package in, and jsonschema imports it if it can: the grammar that it builds takes
    1.25 s in every process that loads altair, nbformat or papermill. Without it jsonschema leaves out the
    format check of IRIs, which no schema of ours uses. A process that has it already keeps it.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Let an import of these modules fail inside, as if they were not installed; loaded ones stay.

    For libraries that load another one only because it is there: pyarrow loads pandas to know its frames when it
    sees them, numba SciPy for a linear algebra that nobody asks for, half a second together.
    """
    finder = _Refusing(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Refusing:
    """A finder of modules that finds none."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        if fullname in self._names:
            raise ModuleNotFoundError(f"{fullname} is kept out", name=fullname)


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
