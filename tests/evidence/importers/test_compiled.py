"""Code that numba compiles is kept for all processes; none of them depends on that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SMALL = """
from mmiocost.evidence.importers.trace.words import Names
names = Names()
names.learn(b"thread", 7)
print(int(names._used))
"""


def started(cache: Path) -> subprocess.Popen[str]:
    env = os.environ | {"MMIOCOST_CACHE": str(cache)}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SMALL], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_two_processes_at_once_and_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    taken = tmp_path / "a file"
    taken.write_text("")
    processes = [started(tmp_path / "cache"), started(tmp_path / "cache"), started(taken / "cache")]
    for process in processes:
        assert process.communicate() == ("1\n", "")
    kept = [path.suffix for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert sorted(set(kept)) == [".nbc", ".nbi"]
