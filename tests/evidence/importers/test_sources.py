"""Bytes come in compressed or not, with either end of a line, whole or cut: what is read is the same."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from trace_runs import read as read_trace

from mmiocost.errors import InvalidInput
from mmiocost.evidence.importers import reading
from mmiocost.evidence.importers.detect import REPORTS, detect
from mmiocost.evidence.importers.reading import Account, Options, lines
from mmiocost.evidence.importers.source import CHUNK, Source, open_source

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SAMPLES = Path(__file__).parent / "samples"
FORMATS = {
    name: expected["format"]
    for name, expected in json.loads((SAMPLES / "expected.json").read_text()).items()
    if not expected["format"].startswith("(")
}


def split_gzip(data: bytes) -> bytes:
    """Two members, one behind the other."""
    return gzip.compress(data[: len(data) // 2]) + gzip.compress(data[len(data) // 2 :])


def xz(data: bytes) -> bytes:
    return lzma.compress(data, preset=0)


def with_bom(data: bytes) -> bytes:
    return b"\xef\xbb\xbf" + data


ENCODINGS: list[Callable[[bytes], bytes]] = [
    bytes, gzip.compress, split_gzip, xz, zstd.compress, with_bom,
    lambda data: gzip.compress(with_bom(data.replace(b"\n", b"\r\n"))), lambda data: data.replace(b"\n", b"\r\n"),
]  # fmt: skip


def content(data: bytes) -> bytes:
    return b"".join(Source(io.BytesIO(data), "x").chunks())


def found(data: bytes, form: str) -> Any:
    """What a reader says of a text in some encoding."""
    plain = content(data)
    assert detect(plain[: 1 << 16], "x") == form
    if form not in REPORTS:
        return read_trace(plain, form)
    account = Account()
    said = REPORTS[form][1](lines(iter([plain]), account), account, Options())
    return vars(account), said.tables, said.observations, said.facts


@pytest.mark.parametrize("name", FORMATS)
def test_every_sample_in_every_encoding(name: str) -> None:
    data = (SAMPLES / name).read_bytes()
    plain = found(data, FORMATS[name])
    for encode in ENCODINGS:
        assert found(encode(data), FORMATS[name]) == plain


@pytest.mark.parametrize("encode", ENCODINGS)
def test_source_gives_the_content_in_bounded_parts(encode: Callable[[bytes], bytes]) -> None:
    data = b"".join(b"line %d of a text\n" % number for number in range(70_000))
    stored = encode(data)
    for filled in (False, True):
        source = Source(io.BytesIO(stored), "x")
        parts = list(_filled(source) if filled else source.chunks())
        assert b"".join(parts).replace(b"\r\n", b"\n") == data
        assert max(map(len, parts)) <= 2 * CHUNK
        assert (source.damage, source.size) == ("", len(stored))
        assert source.head() == content(stored)[: 1 << 16]


def _filled(source: Source) -> Iterator[bytes]:
    buffer = bytearray(100_000)
    while count := source.fill(memoryview(buffer)):
        yield bytes(buffer[:count])


class Dripping(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1) -> bytes:
        part, self._data = self._data[:5], self._data[5:]
        return part

    def readinto(self, view: Any) -> int:
        part = self.read()
        view[: len(part)] = part
        return len(part)


@pytest.mark.parametrize("encode", ENCODINGS)
def test_a_pipe_may_drip(encode: Callable[[bytes], bytes]) -> None:
    data = b"CPU 0/KVM\n" * 40
    stored = encode(data)
    assert b"".join(Source(Dripping(stored), "x").chunks()) == content(stored)
    assert b"".join(_filled(Source(Dripping(stored), "x"))) == content(stored)


@pytest.mark.parametrize("encode", [gzip.compress, xz, zstd.compress])
def test_what_came_out_before_the_damage_is_read(encode: Callable[[bytes], bytes]) -> None:
    data = b"".join(b"%d\n" % (number * number) for number in range(60_000))
    stored = encode(data)
    cut = Source(io.BytesIO(stored[: len(stored) * 2 // 3]), "x")
    got = b"".join(cut.chunks())
    assert data.startswith(got) and len(data) // 3 < len(got) < len(data) and "the file ends" in cut.damage
    middle = len(stored) // 2
    changed = Source(io.BytesIO(stored[:middle] + b"\xff" * 40 + stored[middle:]), "x")
    assert data[: middle // 2] == b"".join(changed.chunks())[: middle // 2] and changed.damage
    more = Source(io.BytesIO(stored + b"garbage"), "x")
    assert b"".join(more.chunks()) == data and more.damage


def test_a_bomb_comes_out_in_bounded_parts() -> None:
    """A few kilobytes stand for 200 MB: no part of it is larger than a part of anything else."""
    part = zstd.compress(bytes(40 << 20))
    sizes = [len(chunk) for chunk in Source(io.BytesIO(part * 5), "x").chunks()]
    assert sum(sizes) == 200 << 20 and max(sizes) <= 2 * CHUNK
    assert len(part) < 10_000


def test_many_empty_members_take_time_in_proportion() -> None:
    """50,000 members of nothing: each used to copy the rest of a megabyte."""
    stored = gzip.compress(b"") * 50_000 + gzip.compress(b"end\n")
    assert content(stored) == b"end\n"


def test_a_decompressor_gets_no_more_memory_than_is_allowed() -> None:
    options = {zstd.CompressionParameter.window_log: 29}
    compressor = zstd.ZstdCompressor(options=options)
    stored = compressor.compress(bytes(1 << 20)) + compressor.flush()
    source = Source(io.BytesIO(stored), "x")
    assert list(source.chunks()) == [] and source.damage


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(gzip.compress(b"text"))))
    with open_source("-") as source:
        assert (source.name, b"".join(source.chunks())) == ("stdin", b"text")


@pytest.mark.parametrize("path", ["missing", ".", "a\0b"])
def test_what_cannot_be_opened_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="can't be read"), open_source(str(tmp_path / path)) as source:
        source.head()


def test_a_report_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of a report are held at once; a trace, which is not, has no limit."""
    assert reading.REPORT_LIMIT == 16 << 20
    monkeypatch.setattr(reading, "REPORT_LIMIT", 2 << 20)
    chunk = b"exits 1 1\n" * 100_000
    endless = (chunk for _ in iter(int, 1))
    with pytest.raises(InvalidInput, match="more than 2 MiB"):
        for _ in lines(endless, Account()):
            pass


def test_lines_are_numbered_and_cut_where_they_end() -> None:
    account = Account()
    parts = [b"a\r\nb", b"\n", b"x" * 70_000, b"x\nc\r\n", b"y" * 70_000]
    got = [(line.number, line.text, line.ended) for line in lines(iter(parts), account)]
    assert got == [(1, "a", True), (2, "b", True), (4, "c", True)]
    assert account.skipped_lines == [{"line": 3, "reason": "too_long"}, {"line": 5, "reason": "too_long"}]
