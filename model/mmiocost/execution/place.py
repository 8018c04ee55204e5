"""Where executed notebooks go: a folder, or what papermill can write to (s3://, gs://, abs:// ...)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mmiocost.cache import content_hash, write_atomically
from mmiocost.errors import InvalidInput, MmioCostError
from mmiocost.startup import block_slow_imports

_URL = re.compile(r"[a-z][a-z0-9+.-]+://")
_SCHEMES = ("s3://", "gs://", "abs://", "adl://", "hdfs://")
_NOT_WRITTEN = {"LocalHandler", "HttpHandler", "GithubHandler"}  # papermill's for all else


def is_remote(place: str) -> bool:
    """Whether a place is the address of a store and not a folder."""
    return _URL.match(place) is not None


def check_remote(place: str) -> None:
    """Ask a store what it holds, before any work is done. Raises InvalidInput where it can't be written."""
    handler = _papermill().get_handler(place)
    if getattr(handler, "__name__", type(handler).__name__) in _NOT_WRITTEN:
        raise InvalidInput.one("--out", "", place, f"must be a folder or start with one of {', '.join(_SCHEMES)}")
    _told(place, lambda: _papermill().listdir(place))


def output_path(place: Path | str, name: str) -> Path | str:
    """The file or address of an executed notebook."""
    return f"{place.rstrip('/')}/{name}.ipynb" if isinstance(place, str) else place / f"{name}.ipynb"


def write_output(path: Path | str, content: bytes) -> None:
    """Put an executed notebook into its place in one step."""
    if isinstance(path, Path):
        write_atomically(path, content)
    else:
        _told(path, lambda: _papermill().write(content.decode(), path))


def output_hash(path: Path | str) -> str:
    """Hash of an executed notebook, empty if there is none."""
    try:
        if isinstance(path, Path):
            return "" if path.is_symlink() else content_hash(path.read_bytes())
        return content_hash(_papermill().read(path))
    except Exception as error:
        if isinstance(path, Path) and not isinstance(error, OSError):
            raise
        return ""  # a store's errors are its library's own; one that is really gone says so when it is written


def _papermill() -> Any:
    block_slow_imports()
    from papermill.iorw import papermill_io

    return papermill_io


def _told(place: str, call: Any) -> None:
    """Call papermill, whose optional libraries have errors of their own for a store that can't be reached."""
    try:
        call()
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise MmioCostError(f"{place}: can't be reached through papermill: {reason}") from error
