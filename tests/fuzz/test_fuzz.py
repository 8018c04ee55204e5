"""The fuzzer's targets on its corpus and on a few mutations of it, in every run of the tests."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .__main__ import COLUMNS, LOG
from .targets import CORPUS, TARGETS

SEEDS = {name: [path.read_bytes() for path in sorted((CORPUS / name).iterdir())] for name in TARGETS}
#: Inputs that failed once.
FOUND = {
    "bcc-kvmexit": [b"REASON KVM_EXIT_REASON COUNT\nx 09 1\n", b"KVM_EXIT_REASON COUNT\n09 1\n"],
    "bpftrace-map": [b"@x[1]:\n[99999999999999999999E, ...) 1 |@|\n", b"@x[1]: 99999999999999999999\n"],
    "kvm-debugfs": [b"kvm/exits: 99999999999999999999\n"],
    "kvm-stat-batch": [b"exits 99999999999999999999 1\n"],
    "netperf": [b"TCP STREAM TEST from a port 0 AF_INET to b\n1 2 1e300 4 5\n"],
    "vmexit": [b"vmcall -2147483649\ncpuid 999999999999\n"],
}


def test_every_format_has_a_corpus_and_a_line_in_the_log() -> None:
    with LOG.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["format"] for row in rows} == set(TARGETS) == {path.name for path in CORPUS.iterdir()}
    assert all(tuple(row) == COLUMNS and row["failed"] == "0" for row in rows)


@pytest.mark.parametrize("name", TARGETS)
def test_corpus(name: str) -> None:
    for data in (*SEEDS[name], *FOUND.get(name, []), b"", b"\0" * 300, b"\xff\xfe", b"\n" * 50):
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=6)
@given(seed=st.integers(0, 2**32))
def test_mutations(name: str, seed: int) -> None:
    rng = random.Random(seed)
    data = bytearray(rng.choice(SEEDS[name]))
    for _ in range(rng.randrange(1, 8)):
        at, length = rng.randrange(len(data) + 1), rng.randrange(1, 9)
        how = rng.randrange(4)
        if how == 0:
            data[at : at + length] = rng.randbytes(length)
        elif how == 1:
            del data[at : at + length]
        elif how == 2:
            data[at:at] = rng.choice((b"9" * 20, b"-", b"\n", b",", b"nan", b"1e999", b"\0", "\u2028".encode(), b'"'))
        else:
            other = rng.choice(SEEDS[name])
            start = rng.randrange(len(other) + 1)
            data[at:at] = other[start : start + 80]
    TARGETS[name](bytes(data))


@pytest.mark.parametrize("letter", [b" ", b"a ", b"1,", b"- ", b"@", b"x" * 9 + b":", b"[1, 2) ", b"0x1 ", b"\t", b"a"])
def test_long_lines_take_time_in_proportion(letter: bytes) -> None:
    """64 KiB of one thing: a pattern that tries every place from every place would take minutes."""
    line = (letter * (1 << 16))[: (1 << 16) - 1] + b"\n"
    for name, target in TARGETS.items():
        if name not in ("source", "ftrace", "trace-cmd", "perf-script"):
            target(SEEDS[name][0] + line)
    for name in ("ftrace", "perf-script"):
        TARGETS[name](SEEDS[name][0][:300] + b"\n" + line)


def test_corpus_is_small() -> None:
    assert sum(path.stat().st_size for path in Path(CORPUS).rglob("*")) < 500_000
