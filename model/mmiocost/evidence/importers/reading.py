"""What an importer hands on: rows and events as columns, tidy observations, and an account of every line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import InvalidInput

LISTED = 100  # of the skipped lines and warnings; their counts have no cap
LINE_LIMIT = 1 << 16
REPORT_LIMIT = 1 << 24  # bytes of a report, whose rows are all held at once; a trace has no limit
REASONS = ("unrecognised", "incomplete", "too_long", "continuation", "bad_number")


@dataclass(frozen=True)
class Options:
    """What the user knows and a file can't say; None where she has not said it.

    ``clock_hz``: of the counter that times are in; ``isa``: "vmx" or "svm"; ``kernel``: release of the host;
    ``mmio_caching``: the module parameter; ``window``: seconds that counters span, or the (first, last) second of
    a trace that counts; ``keep_names``: names of threads and hosts are written as they are.
    """

    format: str | None = None
    clock_hz: float | None = None
    isa: str | None = None
    kernel: str | None = None
    mmio_caching: bool | None = None
    machine: str | None = None
    window: float | tuple[float, float] | None = None
    keep_names: bool = False


@dataclass
class Account:
    """Every line accounted for: what was skipped and why, and what a user should know.

    ``skipped_lines`` and ``warnings`` hold the first LISTED of each. A warning holds no name of a thread or host.
    """

    rows: int = 0
    skipped: int = 0
    skipped_lines: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)

    def skip(self, line: int, reason: str) -> None:
        """Count a line as skipped; ``reason`` is one of REASONS."""
        self.skipped += 1
        if len(self.skipped_lines) < LISTED:
            self.skipped_lines.append({"line": line, "reason": reason})

    def warn(self, text: str, line: int | None = None) -> None:
        """Note what a user should know, the same text once."""
        if len(self.warnings) < LISTED and all(item["text"] != text for item in self.warnings):
            self.warnings.append({"line": line, "text": text})


@dataclass(frozen=True)
class Line:
    """A line of text: its number from 1, its text without the end, and whether a newline ended it."""

    number: int
    text: str
    ended: bool


@dataclass
class Reading:
    """One file as read.

    ``tables``: by name, rows of plain values with the same keys, or a pyarrow Table; ``observations``: rows in the
    schema of data/observations.csv, one measured value each; ``facts``: what the file says of the host (release,
    cpu_model, clock_hz, isa, mmio_caching, mitigations, window_s); ``totals``: the trace formats' part of the JSON.
    """

    format: str
    account: Account
    tables: dict[str, Any] = field(default_factory=dict)
    observations: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    totals: Mapping[str, Any] = field(default_factory=dict)


def lines(chunks: Iterator[bytes], account: Account) -> Iterator[Line]:
    """Lines of a text, decoded with replacement; one longer than LINE_LIMIT is skipped and never held whole.

    Raises InvalidInput for a text of more than REPORT_LIMIT bytes.
    """
    number, size, kept, dropping = 0, 0, b"", False
    for chunk in chunks:
        size += len(chunk)
        if size > REPORT_LIMIT:
            raise InvalidInput.one("", "", "", f"is a report of more than {REPORT_LIMIT >> 20} MiB: split it")
        *whole, last = chunk.split(b"\n")
        for part in whole:
            number += 1
            text, kept = kept + part, b""
            if dropping or len(text) > LINE_LIMIT:
                account.skip(number, "too_long")
                dropping = False
                continue
            yield Line(number, text.decode("utf-8", "replace").removesuffix("\r"), True)
        if not dropping:
            kept += last
        if len(kept) > LINE_LIMIT:
            kept, dropping = b"", True
    if dropping:
        account.skip(number + 1, "too_long")
    elif kept:
        yield Line(number + 1, kept.decode("utf-8", "replace").removesuffix("\r"), False)
