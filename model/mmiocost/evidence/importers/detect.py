"""Which format a text is in, told by its content and never by its file's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ...errors import InvalidInput, nearest_name
from . import recording
from .reading import Account, Line, Options, Reading
from .reports import (
    bcc_kvmexit,
    bpftrace_map,
    host,
    kernbench,
    kvm_debugfs,
    kvm_stat,
    kvm_stats,
    netperf,
    perf_kvm_stat,
    perf_stat,
    tidy,
    vmexit,
)
from .trace import lines as trace_lines

Reader = Callable[[Iterator[Line], Account, Options], Reading]
TRACES = ("perf-script", "trace-cmd", "ftrace")
#: Readers of the other formats, with what recognises them, in the order in which they are asked.
REPORTS: dict[str, tuple[Callable[[str], bool], Reader]] = {
    kvm_stats.FORMAT: (kvm_stats.fits, kvm_stats.read),
    perf_kvm_stat.FORMAT: (perf_kvm_stat.fits, perf_kvm_stat.read),
    perf_stat.FORMAT: (perf_stat.fits, perf_stat.read),
    vmexit.FORMAT: (vmexit.fits, vmexit.read),
    bcc_kvmexit.FORMAT: (bcc_kvmexit.fits, bcc_kvmexit.read),
    bpftrace_map.FORMAT: (bpftrace_map.fits, bpftrace_map.read),
    netperf.FORMAT: (netperf.fits, netperf.read),
    kernbench.FORMAT: (kernbench.fits, kernbench.read),
    kvm_stat.LOG: (kvm_stat.fits_log, kvm_stat.read_log),
    kvm_stat.BATCH: (kvm_stat.fits_batch, kvm_stat.read_batch),
    kvm_debugfs.FORMAT: (kvm_debugfs.fits, kvm_debugfs.read),
    tidy.FORMAT: (tidy.fits, tidy.read),
    host.FORMAT: (host.fits, host.read),
}
FORMATS = (*TRACES, *REPORTS)
_SAMPLE = 200  # lines by which a trace is judged
_ENOUGH = 0.5  # share of them that must be lines of the format
_TRACE_CMD = re.compile(r"cpus=\d+|version = \d+|CPU \d+ is empty|.*EVENTS DROPPED\]|.* \w+: {2,}\S.*")
_FTRACE = re.compile(r"# tracer:|# entries-in-buffer|CPU:\d+ \[LOST")
_PERF_HEADER = re.compile(r"# (?:captured on|cmdline|perf version|event :)")
_PERF_DATA, _TRACE_DAT = b"PERFILE2", b"\x17\x08Dtracing"


def detect(head: bytes, where: str) -> str:
    """Name of the format of a text that begins so.

    Raises InvalidInput with the candidates and their scores where none fits or two do as well, and with the commands
    that record what can be imported.
    """
    _refuse(head, where)
    text = head.decode("utf-8", "replace").replace("\r\n", "\n")
    first_reports = ("kvm-stats", "perf-kvm-stat", "perf-stat")
    for name in first_reports:
        if REPORTS[name][0](text):
            return name
    scores = _trace_scores(text)
    best = max(scores, key=lambda name: scores[name])
    if scores[best] >= _ENOUGH:
        rivals = [name for name in TRACES if scores[name] == scores[best]]
        if len(rivals) == 1:
            return best
        raise _undecided(where, {name: scores[name] for name in rivals}, "fits more than one format")
    for name, (fits, _) in REPORTS.items():
        if name not in first_reports and fits(text):
            return name
    raise _undecided(where, scores, "is in no known format")


def _refuse(head: bytes, where: str) -> None:
    if not head.strip():
        raise InvalidInput.one(where, "", "", f"is empty\n{recording.ALL}")
    if head.startswith(_PERF_DATA):
        advice = f"is perf's binary file; print it first\n{recording.PERF_SCRIPT}\n{recording.PERF_KVM_STAT}"
        raise InvalidInput.one(where, "", "", advice)
    if head.startswith(_TRACE_DAT):
        raise InvalidInput.one(where, "", "", f"is trace-cmd's binary file; print it first\n{recording.TRACE_CMD}")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        advice = f"is UTF-16: convert it first, with iconv -f UTF-16 -t UTF-8\n{recording.ALL}"
        raise InvalidInput.one(where, "", "", advice)
    if head.count(0) * 10 > len(head):
        raise InvalidInput.one(where, "", "", f"is no text\n{recording.ALL}")


def _undecided(where: str, scores: dict[str, float], why: str) -> InvalidInput:
    told = ", ".join(f"{name} {score:.0%}" for name, score in scores.items())
    allowed = f"{why} (lines that match: {told}); name it with --format\n{recording.ALL}"
    return InvalidInput.one(where, "", "", allowed)


def named(name: str) -> str:
    """A format that the user names. Raises InvalidInput for an unknown one."""
    if name not in FORMATS:
        allowed = f"must be one of {', '.join(FORMATS)}"
        raise InvalidInput.one("", "--format", name, allowed, nearest_name(name, FORMATS))
    return name


def _trace_scores(text: str) -> dict[str, float]:
    """Share of the first lines that are events of each trace format; a format's own header decides a draw."""
    sample = text.splitlines()
    judged = [line for line in sample if not trace_lines.no_event(line) and trace_lines.marker(line) is None][:_SAMPLE]
    perf, dashed = (
        sum(trace_lines.head(line, form) is not None for line in judged) for form in ("perf-script", "ftrace")
    )
    total = max(len(judged), 1)
    padded = sum(_TRACE_CMD.fullmatch(line) is not None for line in sample[:_SAMPLE])
    headers = sum(_FTRACE.match(line) is not None for line in sample[:_SAMPLE])
    by_trace_cmd = padded > headers
    header_only = not judged and any(_PERF_HEADER.match(line) for line in sample)
    return {
        "perf-script": 1.0 if header_only else perf / total,
        "trace-cmd": dashed / total if by_trace_cmd else 0.0,
        "ftrace": 0.0 if by_trace_cmd else max(dashed / total, float(not judged and headers > 0)),
    }
