"""The library of named scenarios: files of the packaged evidence under ``data/scenarios``, found by name."""

from __future__ import annotations

import os
from pathlib import Path

from .. import resources
from ..errors import InvalidInput, nearest_name

_FOLDER = "scenarios"
_SUFFIXES = (".yaml", ".yml", ".toml")


def names() -> tuple[str, ...]:
    """Names of all scenarios of the library, sorted."""
    return tuple(sorted(file.stem for file in _folder().glob("*.yaml")))


def file_of(name: str | os.PathLike[str]) -> Path:
    """The file of a scenario: one of that path, which wins, or the library's of that name.

    A path that looks like a file's (a folder or an ending in it) is given back even where nothing is there. Raises
    InvalidInput, with the names that there are, for what is neither.
    """
    path, text = Path(name), os.fspath(name)
    if path.is_file() or path.name != text or path.suffix in _SUFFIXES:
        return path
    known = names()
    if text in known:
        return _folder() / f"{text}.yaml"
    if path.exists():
        return path
    allowed = f"is no file, and no scenario of the library: {', '.join(known)}"
    raise InvalidInput.one("--scenario", "", text, allowed, nearest_name(text, known))


def _folder() -> Path:
    return resources.data_dir() / _FOLDER
