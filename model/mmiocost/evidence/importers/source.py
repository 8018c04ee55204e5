"""Bytes of a file or of standard input, decompressed by content, in chunks of bounded size.

A few kilobytes of a compressed file may stand for gigabytes: nothing here ever holds more than one chunk of what
comes out, nor gives a decompressor more than MEMORY.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blake3 import blake3

from ...errors import InvalidInput
from .compressed import decompressor, errors

CHUNK = 1 << 20
HEAD = 1 << 16  # what a format is recognised by
FEED = 1 << 10  # stored bytes that a decompressor gets at once: as much is lost where the damage begins
STANDARD_INPUT = "-"
_BOM = b"\xef\xbb\xbf"


class Source:
    """One input, read once from the front.

    ``name`` is the base name; ``checksum`` the BLAKE3 of the bytes as stored, complete once all was read; ``damage``
    says what is wrong with the compression, empty where nothing is.
    """

    def __init__(self, raw: Any, name: str) -> None:
        self.name = name
        self.damage = ""
        self.size = 0
        self._raw = raw
        self._hash = blake3()
        self._direct = False
        self._plain = _without_bom(self._decompressed())
        self._head: bytes | None = None
        self._kept = memoryview(b"")

    @property
    def checksum(self) -> str:
        """``blake3:`` and the digest of all bytes that were read so far."""
        return f"blake3:{self._hash.hexdigest()}"

    def head(self) -> bytes:
        """The first HEAD bytes of the content, or all of it if it is shorter; ``chunks`` gives them again."""
        if self._head is None:
            found = b""
            for chunk in self._plain:
                found += chunk
                if len(found) >= HEAD:
                    break
            self._head, self._kept = found[:HEAD], memoryview(found)
        return self._head

    def chunks(self) -> Iterator[bytes]:
        """The content in chunks of at most a few times CHUNK bytes; to be called once."""
        self.head()
        if self._kept:
            yield bytes(self._kept)
        yield from self._plain

    def fill(self, view: memoryview) -> int:
        """Put content into ``view``, as much as is at hand, and return how many bytes; 0 only at the end.

        It gives what ``chunks`` would have given; what is not compressed is not copied on the way.
        """
        self.head()
        if not self._kept:
            if self._direct:
                return self._read_into(view)
            self._kept = memoryview(next(self._plain, b""))
        part = self._kept[: len(view)]
        view[: len(part)] = part
        self._kept = self._kept[len(part) :]
        return len(part)

    def _read_into(self, view: memoryview) -> int:
        count = self._got(self._raw.readinto, view[:CHUNK])
        self._hash.update(view[:count])
        self.size += count
        return int(count)

    def _stored(self) -> Iterator[bytes]:
        while block := self._got(self._raw.read, CHUNK):
            self._hash.update(block)
            self.size += len(block)
            yield block

    def _got(self, read: Callable[[Any], Any], what: Any) -> Any:
        try:
            return read(what)
        except OSError as error:
            raise _unreadable(self.name, error) from error

    def _decompressed(self) -> Iterator[bytes]:
        """Members of a compressed file one after the other; what is not compressed as it is."""
        stored = _Pushed(self._stored())
        compressed = False
        while first := stored.peek(6):
            make = decompressor(first)
            if make is None and compressed:
                if first.strip(b"\0"):
                    self.damage = "what follows the compressed part is not compressed: it was left out"
                return
            if make is None:
                self._direct = True
                yield from _rest(stored)
                return
            compressed = True
            try:
                yield from _gathered(_member(make(), stored))
            except Exception as error:
                if not isinstance(error, errors()):
                    raise
                self.damage = f"the compression is damaged ({error}): what came out before the damage was read"
                return


@contextmanager
def open_source(path: str) -> Iterator[Source]:
    """The source of a path, ``-`` for standard input. Raises InvalidInput where it can't be read."""
    if path == STANDARD_INPUT:
        yield Source(sys.stdin.buffer, "stdin")
        return
    try:
        raw = Path(path).open("rb", buffering=0)  # noqa: SIM115 (closed below; errors of the user are not of the file)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    with raw:
        yield Source(raw, Path(path).name)


def _unreadable(path: str, error: Exception) -> InvalidInput:
    return InvalidInput.one(path, "", "", f"can't be read: {getattr(error, 'strerror', None) or error}")


class _Pushed:
    """An iterator of blocks into which a block can be put back."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._back: list[bytes | memoryview] = []

    def push(self, block: bytes | memoryview) -> None:
        if block:
            self._back.append(block)

    def next(self) -> bytes | memoryview:
        return self._back.pop() if self._back else next(self._blocks, b"")

    def peek(self, least: int) -> bytes:
        """The first bytes of what comes next, so many or fewer at the end; a long block is not copied for them."""
        found = b""
        while len(found) < least and (block := memoryview(self.next())):
            need = least - len(found)
            found += block[:need]
            self.push(block[need:])
        self.push(found)
        return found


def _rest(stored: _Pushed) -> Iterator[bytes]:
    block = bytes(stored.next()) + bytes(stored.next())  # what was looked at, and what it was cut from
    while block:
        yield block
        block = bytes(stored.next())


def _member(decompressor: Any, stored: _Pushed) -> Iterator[bytes]:
    """What one compressed member holds, in small parts. Raises EOFError where it is cut off."""
    block = memoryview(b"")
    while not decompressor.eof:
        part = block[:0]
        if decompressor.needs_input:
            block = block or memoryview(stored.next())
            if not block:
                raise EOFError("the file ends within it")
            part, block = block[:FEED], block[FEED:]
        yield decompressor.decompress(part, CHUNK)
    stored.push(block)
    stored.push(decompressor.unused_data)


def _gathered(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Parts joined to chunks; what there is comes out before an error does."""
    held, size = list[bytes](), 0
    try:
        for part in parts:
            held.append(part)
            size += len(part)
            if size >= CHUNK:
                yield b"".join(held)
                held, size = [], 0
    except Exception:
        if size:
            yield b"".join(held)
        raise
    if size:
        yield b"".join(held)


def _without_bom(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(chunks, b"")
    while len(first) < len(_BOM) and (more := next(chunks, b"")):
        first += more
    if kept := first.removeprefix(_BOM):
        yield kept
    yield from chunks
