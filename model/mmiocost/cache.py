"""Content-addressed files that may be made again at any time: generated code, fits, executed notebooks.

A cached file is written beside its place and renamed, so that a reader sees all of it or nothing, and two
processes that make the same entry at once do no harm.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def cache_dir() -> Path:
    """Folder for cached files: ``$MMIOCOST_CACHE``, else ``mmiocost`` in the user's cache folder."""
    chosen = os.environ.get("MMIOCOST_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if os.name == "nt" else None)
    return (Path(base) if base else Path.home() / ".cache") / "mmiocost"


def content_hash(*parts: bytes | str) -> str:
    """SHA-256 over the parts in order, as 64 hexadecimal digits; each part is framed by its length."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


def files_hash(paths: Iterable[Path]) -> str:
    """Hash over names and contents of files, independent of the order in which they are given."""
    return content_hash(*(part for path in sorted(paths) for part in (path.name, path.read_bytes())))


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write a file so that a killed run leaves the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def sealed(data: bytes) -> bytes:
    """Data behind their own digest, so that :func:`unsealed` notices what the disk did to them."""
    return hashlib.sha256(data).digest() + data


def unsealed(data: bytes) -> bytes:
    """What :func:`sealed` was given. Raises ValueError for anything else."""
    digest, body = data[:32], data[32:]
    if hashlib.sha256(body).digest() != digest:
        raise ValueError("damaged cache file")
    return body
