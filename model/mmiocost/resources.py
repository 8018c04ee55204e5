"""Where the files that travel with the package are: beside it in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = _PACKAGE / "_shipped"


def root() -> Path:
    """Folder that holds ``data/``, ``notebooks/`` and ``model/*.md``: the wheel's copy, or the checkout."""
    return _SHIPPED if _SHIPPED.is_dir() else _PACKAGE.parent.parent


def data_dir() -> Path:
    """Folder of the packaged evidence (a Data Package)."""
    return root() / "data"


def notebooks_dir() -> Path:
    """Folder of the packaged notebooks."""
    return root() / "notebooks"


def checkout() -> Path | None:
    """The checkout that the package runs from, or None when it was installed as a wheel."""
    return None if _SHIPPED.is_dir() else _PACKAGE.parent.parent
