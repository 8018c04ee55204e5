"""Feed the importers mutated input under coverage guidance, one format after the other: ``make fuzz``.

Needs atheris, which `make fuzz` installs beside the project's packages. Every format runs in a process of its own;
what was done is added to log.csv.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mmiocost.cache import cache_dir, files_hash

HERE = Path(__file__).parent
LOG, CORPUS = HERE / "log.csv", HERE / "corpus"
COLUMNS = (
    "date", "commit", "sources", "format", "seed", "executions", "edges", "features", "corpus", "seconds", "failed",
)  # fmt: skip
_PROGRESS = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)/")
_EXECUTED = re.compile(r"stat::number_of_executed_units: (\d+)|Done (\d+) in \d+ second")
#: Modules with code that numba compiles: it does not read instrumented bytecode.
_COMPILED = tuple(
    f"mmiocost.evidence.importers.trace.{name}"
    for name in ("words", "block", "scanning", "scan_exits", "scan_accesses", "pairing", "classes")
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz the chosen formats. Status 1 where an input failed; it is then kept in the folder that is named."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000, help="executions a format (default 10000)")
    parser.add_argument("--seconds", type=int, default=0, help="at most so long a format (default: no limit)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="FORMAT", action="append", help="fuzz these")
    parser.add_argument("--inside", metavar="FORMAT", help=argparse.SUPPRESS)
    chosen, passed_on = parser.parse_known_args(arguments)
    if chosen.inside:
        return _inside(chosen.inside, passed_on)
    failed = False
    for form in chosen.only or sorted(path.name for path in CORPUS.iterdir()):
        row = _fuzzed(form, chosen.runs, chosen.seconds, chosen.seed)
        _log(row)
        print(", ".join(f"{name} {row[name]}" for name in COLUMNS[3:]), flush=True)
        failed = failed or bool(row["failed"])
    return int(failed)


def _fuzzed(form: str, runs: int, seconds: int, seed: int) -> dict[str, Any]:
    """Run one format in a child process, and what it says of itself."""
    found = cache_dir() / "fuzz" / form
    found.mkdir(parents=True, exist_ok=True)
    start = datetime.now(UTC)
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        options = (
            f"-runs={runs}", f"-seed={seed}", f"-max_total_time={seconds}", "-max_len=4096", "-timeout=60",
            "-rss_limit_mb=3072", "-print_final_stats=1", f"-artifact_prefix={found.parent}/{form}-",
        )  # fmt: skip
        command = [sys.executable, "-m", "tests.fuzz", "--inside", form, *options, str(found), str(CORPUS / form)]
        # Large tables of zeros come from the system, which has them ready, and not from the heap, which clears them.
        env = os.environ | {"MALLOC_MMAP_THRESHOLD_": "131072"}
        status = subprocess.run(command, env=env, stdout=said, stderr=said, check=False).returncode
        said.seek(0)
        text = said.read()
    if status:
        print(text[-6000:], file=sys.stderr)
    edges, features, corpus = map(int, (_PROGRESS.findall(text) or [(0, 0, 0)])[-1])
    executions = max((int(one or two) for one, two in _EXECUTED.findall(text)), default=0)
    if not executions:
        sys.exit(f"{form}: nothing was executed, and nothing logged")
    return {
        "date": start.date().isoformat(), "commit": _commit(), "sources": sources(), "format": form, "seed": seed,
        "executions": executions, "edges": edges, "features": features, "corpus": corpus,
        "seconds": round((datetime.now(UTC) - start).total_seconds()), "failed": status,
    }  # fmt: skip


def _commit() -> str:
    """The commit, with a plus where the importers differ from it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=HERE, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--", "../../model/mmiocost/evidence/importers", "targets.py")
    return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")


def sources() -> str:
    """Hash of the importers as they are."""
    return files_hash((HERE.parents[1] / "model/mmiocost/evidence/importers").rglob("*.py"))[:12]


def _log(row: dict[str, Any]) -> None:
    new = not LOG.exists()
    with LOG.open("a", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(row)


def _inside(form: str, options: Sequence[str]) -> int:
    import atheris

    with atheris.instrument_imports(include=["mmiocost.evidence.importers"], exclude=list(_COMPILED)):
        from .targets import TARGETS
    atheris.Setup([sys.argv[0], *options], TARGETS[form])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
