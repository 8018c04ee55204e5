"""Traces of today's kernels imported whole, against a reader that is plain Python with a regular expression a line.

Processor time of whole processes, in turn in the same run. The import keeps every column, checks every line, pairs,
writes Parquet and summaries; the reader makes the columns and forgets them. The table is printed; nothing here fails
by time, but by a wrong count. ``MMIOCOST_BENCH_MB`` is the size of each file (default 200; the aim of six times is
for 2000, where the start of the process no longer counts).
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from trace_texts import trace

SIZE = int(os.environ.get("MMIOCOST_BENCH_MB", "200")) * 10**6
ROUNDS = 3
WANTED = 6
PIPE = 300 * 10**6
MEMORY = 500 * 10**6
#: Columns of a line by regular expressions, as one writes it in an afternoon: name, thread, CPU, time, event, and of
#: the two events that say most of MMIO the reason with its rip and the access with its address.
READER = r"""
import re, sys
LINE = {
    "perf-script": re.compile(r"^\s*(.+?)\s+(?:\d+/)?(\d+)\s+\[(\d+)\]\s+(\d+)\.(\d+):\s+(?:\w+):(\w+):\s(.*)$"),
    "ftrace": re.compile(r"^\s*(.+?)-(\d+)\s+\[(\d+)\]\s+\S+\s+(\d+)\.(\d+):\s+(\w+):\s(.*)$"),
}[sys.argv[1]]
EXIT = re.compile(r"reason (\S+) rip (0x[0-9a-f]+)")
MMIO = re.compile(r"mmio (\S+) len (\d+) gpa (0x[0-9a-f]+)")
rows = exits = 0
for line in open(sys.argv[2]):
    match = LINE.match(line)
    if not match:
        continue
    comm, tid, cpu, seconds, fraction, event, rest = match.groups()
    tid, cpu, time = int(tid), int(cpu), int(seconds) * 10**9 + int(fraction) * (1000 if len(fraction) == 6 else 1)
    if event == "kvm_exit":
        found = EXIT.search(rest)
        reason, rip = found.group(1), int(found.group(2), 16)
        exits += 1
    elif event == "kvm_mmio":
        found = MMIO.search(rest)
        gpa = int(found.group(3), 16)
    rows += 1
print(rows, exits)
"""
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[1]), int(sys.argv[1])))
sys.argv[:2] = ["mmiocost"]
from mmiocost.cli import run
run()
"""


def ran(*arguments: object) -> tuple[float, str]:
    """Seconds of processor time of one Python process, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    env = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, *map(str, arguments)]
    done = subprocess.run(command, check=True, env=env, stdout=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def table(capsys: pytest.CaptureFixture[str], title: str, rows: dict[str, str]) -> None:
    with capsys.disabled():
        print(f"\n{title}")
        for name, text in rows.items():
            print(f"  {name:24} {text}")


@pytest.mark.parametrize("form", ["perf-script", "ftrace"])
def test_import_against_plain_python(
    form: str, benchmark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "trace.txt"
    with path.open("wb") as stream:
        stream.writelines(trace(form, SIZE))
    start = tmp_path / "start.txt"
    start.write_bytes(path.read_bytes()[:20_000])
    number = iter(range(1000))

    def imported(file: Path) -> tuple[float, str]:
        return ran("-m", "mmiocost", "import", file, "--to", tmp_path / str(next(number)), "--json")

    imported(start)  # the first run compiles what the others find

    def measured() -> dict[str, float]:
        seconds: dict[str, list[float]] = {"import": [], "plain Python": [], "start of import": []}
        for _ in range(ROUNDS):
            taken, text = imported(path)
            said = json.loads(text)["files"][0]
            seconds["import"].append(taken)
            taken, text = ran("-c", READER, form, path)
            assert text.split() == [str(said["events"]), str(said["event_counts"]["kvm_exit"])]
            assert (said["skipped"], said["unpaired_exits"]) == (0, 0)
            seconds["plain Python"].append(taken)
            seconds["start of import"].append(imported(start)[0])
        return {name: statistics.median(values) for name, values in seconds.items()}

    found = benchmark.pedantic(measured, rounds=1)
    size = path.stat().st_size / 1e6
    ratio = found["plain Python"] / found["import"]
    benchmark.extra_info.update({**found, "ratio": ratio, "megabytes": size})
    rows = {name: f"{value:7.2f} s  {size / value:7.0f} MB per CPU s" for name, value in found.items()}
    del rows["start of import"]
    rows["of it, to start"] = f"{found['start of import']:7.2f} s"
    rows["import is faster by"] = f"{ratio:7.1f} times; {WANTED} are wanted of a file of 2 GB"
    table(capsys, f"{form}, {size:.0f} MB", rows)


def test_a_pipe_within_bounded_memory(benchmark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A trace that comes through a pipe and is never held: data of the process are limited by the system."""

    def piped() -> dict[str, Any]:
        command = [sys.executable, "-c", LIMITED, str(MEMORY), "import", "-", "--to", str(tmp_path / "to"), "--json"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.writelines(trace("perf-script", PIPE))
            process.stdin.close()
            document: dict[str, Any] = json.load(process.stdout)
        return document

    (said,) = benchmark.pedantic(piped, rounds=1)["files"]
    assert (said["skipped"], said["events"] > PIPE // 200) == (0, True)
    rows = {"events": f"{said['events']:,}", "limit of memory": f"{MEMORY // 10**6} MB"}
    table(capsys, f"a pipe of {PIPE // 10**6} MB", rows)
