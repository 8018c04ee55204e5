"""What the pages of reference describe: this command line and the package's public names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..reporting.reference import Reference


def reference() -> Reference:
    """For the site, whose package may not look up to the command line."""
    import mmiocost

    from ..reporting.reference import Reference
    from .main import parser

    return Reference(parser, mmiocost)
