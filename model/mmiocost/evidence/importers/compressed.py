"""Decompressors of gzip, xz and zstd, known by the first bytes of what they decompress, in one shape.

None gets more than MEMORY, whatever a file asks for.
"""

from __future__ import annotations

import lzma
import sys
import zlib
from collections.abc import Callable
from typing import Any

MEMORY = 1 << 27
_GZIP, _XZ, _ZSTD = b"\x1f\x8b", b"\xfd7zXZ\x00", b"(\xb5/\xfd"


class _Gzip:
    """zlib with the attributes that the decompressors of lzma and zstd have."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self._tail = b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        found = self._inner.decompress(self._tail + data, max_length)
        self._tail = self._inner.unconsumed_tail
        return found

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


def decompressor(first: bytes) -> Callable[[], Any] | None:
    """What makes a decompressor for a text that begins so, None where it is not compressed."""
    if first.startswith(_GZIP):
        return _Gzip
    if first.startswith(_XZ):
        return lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY)
    if first.startswith(_ZSTD):
        zstd = _zstd()
        window = {zstd.DecompressionParameter.window_log_max: MEMORY.bit_length() - 1}
        return lambda: zstd.ZstdDecompressor(options=window)
    return None


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


def errors() -> tuple[type[Exception], ...]:
    """What decompressors raise; the error of zstd only if it was loaded at all."""
    loaded = sys.modules.get("backports.zstd") or sys.modules.get("compression.zstd")
    known = (zlib.error, lzma.LZMAError, EOFError)
    return known if loaded is None else (*known, loaded.ZstdError)
