"""What a fuzzer calls with bytes of any kind, one function a format: it may refuse them, and must not fail.

A target holds a reader to what is always true of it: every line is accounted for, what it gives can be written, and
a trace says the same whether compiled code reads it or not.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from trace_runs import both

from mmiocost.errors import InvalidInput
from mmiocost.evidence.importers.detect import REPORTS, TRACES, detect
from mmiocost.evidence.importers.reading import LISTED, REASONS, Account, Options, Reading, lines
from mmiocost.evidence.importers.rows import complete, written
from mmiocost.evidence.importers.run import arrow_table
from mmiocost.evidence.importers.source import CHUNK, Source

Target = Callable[[bytes], None]
BLOCK = 1 << 10  # of a trace: lines are cut by its ends as in a file of any size
BOMB = 1 << 24  # nobody waits for what comes after so many bytes
SOURCE, DETECT = "source", "detect"
CORPUS = Path(__file__).parent / "corpus"


def _report(form: str) -> Target:
    read = REPORTS[form][1]

    def target(data: bytes) -> None:
        account = Account()
        try:
            reading = read(lines(iter([data]), account), account, Options(isa="vmx", clock_hz=2.4e9))
        except InvalidInput:
            return
        assert reading.format == form
        _hold(reading)

    return target


def _hold(reading: Reading) -> None:
    account = reading.account
    numbers = [item["line"] for item in account.skipped_lines]
    assert numbers == sorted(numbers) and len(numbers) == min(account.skipped, LISTED)
    assert all(item["reason"] in REASONS for item in account.skipped_lines)
    json.dumps([asdict(account), reading.facts, dict(reading.totals)])
    for table in reading.tables.values():
        if table:
            arrow_table(table)
    written(complete(reading.observations, reading.facts, None, "import-00000000"))


def _trace(form: str) -> Target:
    def target(data: bytes) -> None:
        compiled, plain = both(data, form, block=BLOCK)
        assert compiled == plain, (compiled, plain)

    return target


def _source(data: bytes) -> None:
    source, size = Source(io.BytesIO(data), "fuzz"), 0
    for chunk in source.chunks():
        assert 0 < len(chunk) <= 4 * CHUNK
        size += len(chunk)
        if size > BOMB:
            return
    assert source.damage or source.size == len(data)


def _detect(data: bytes) -> None:
    try:
        form = detect(data, "fuzz")
    except InvalidInput as error:
        assert len(error.problems) == 1
    else:
        assert form in (*TRACES, *REPORTS)


TARGETS: dict[str, Target] = {
    **{form: _trace(form) for form in TRACES},
    **{form: _report(form) for form in REPORTS},
    SOURCE: _source,
    DETECT: _detect,
}
