"""Workers: one that hangs is killed, none outlives its parent, and a lost VM does not end the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmiocost.evidence.importers.folder import imports
from mmiocost.evidence.probe import measuring
from mmiocost.evidence.probe.abi import GuestError, ProbeUnavailable
from mmiocost.evidence.probe.child import Child, Hung
from mmiocost.evidence.probe.design import setting, time_rows
from mmiocost.evidence.probe.kept import Run, take_up
from mmiocost.evidence.probe.operations import Shape
from mmiocost.evidence.probe.raw import RawRows

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the probe needs Linux")


def _is_gone(process: int, patience_s: float = 20.0) -> bool:
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_worker_that_does_not_answer_is_killed() -> None:
    with Child(limit_s=0.3) as child:
        with pytest.raises(ProbeUnavailable, match="no VM has been built"):
            child.limit_s = 20.0
            child.ask(["load", "nop"])
        child.limit_s = 0.3
        os.kill(child.process.pid, signal.SIGSTOP)
        with pytest.raises(Hung, match="killed"):
            child.ask(["load", "nop"])
        assert child.process.poll() is not None


def test_a_worker_that_dies_is_an_error_and_no_hang() -> None:
    with Child() as child:
        child.process.kill()
        with pytest.raises(GuestError, match="died"):
            child.ask(["load", "nop"])


def test_a_worker_dies_with_its_parent() -> None:
    program = (
        "from mmiocost.evidence.probe.child import Child; import time\n"
        "child = Child(60)\n"
        "try:\n    child.ask(['load', 'nop'])\nexcept Exception:\n    pass\n"
        "print(child.process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert _is_gone(worker)


def test_without_kvm_the_microbenchmarks_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ProbeUnavailable("/dev/kvm: no such device")

    times = {("slot_search", "tree", 4): [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
    monkeypatch.setattr(measuring.campaign, "first_look", refuse)
    monkeypatch.setattr(measuring.microbenchmarks, "measure", lambda values, *_: values.update(times))
    found = measuring.measure(tmp_path, quick=True)
    assert found.run.unavailable and found.run.refused == ["/dev/kvm: no such device"]
    assert found.file is not None and found.file.is_file() and found.observations == 0


def test_where_nothing_is_measured_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ProbeUnavailable("/dev/kvm: no such device")

    monkeypatch.setattr(measuring.campaign, "first_look", refuse)
    monkeypatch.setattr(measuring.microbenchmarks, "measure", lambda *_: None)
    found = measuring.measure(tmp_path, quick=True)
    assert found.file is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_run_that_was_killed_is_taken_up(tmp_path: Path) -> None:
    """Its rows are there, the last one cut; a run that goes on is left alone."""
    killed, going = (tmp_path / "imports" / name for name in (".importing-killed", ".importing-going"))
    for place in (killed, going):
        place.mkdir(parents=True)
        Run({"release": "6.8.0", "cpu_model": "CPU"}).note(place)
    with RawRows(killed) as rows:
        about = setting("paths", Shape(), "cpuid")
        for repeat in range(7):
            run = {"outside": 200.0 + repeat, "inside": 100.0 + repeat, "preempted": False}
            rows.add({**row, "repeat": repeat} for row in time_rows(about, run, 1))
    with (killed / "timings.csv").open("a") as file:
        file.write("paths,cpuid,kernel,lo")
    with RawRows(going):
        (found,) = take_up(tmp_path)
        assert going.is_dir() and not killed.exists()
    (cell,) = [cell for cell in found.probes if cell["of"] == "time"]
    assert (cell["value"], cell["repeats"]) == (103.0, 7)
    (item,) = imports(tmp_path)
    assert item.entry["interrupted"] and item.entry["rows"] == 14
    assert take_up(tmp_path) == []
