"""What every process of the project does before it imports anything heavy."""

from __future__ import annotations

import sys


def block_slow_imports() -> None:
    """Keep ``rfc3987_syntax`` out of this process.

    jupyterlab brings the package in, and jsonschema imports it if it can: the grammar that it builds takes
    1.25 s in every process that loads altair, nbformat or papermill. Without it jsonschema leaves out the
    format check of IRIs, which no schema of ours uses. A process that has it already keeps it.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
