"""Workers: one that hangs is killed, none outlives its parent, and a lost VM does not end the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmiocost.evidence.probe import measuring
from mmiocost.evidence.probe.abi import GuestError, ProbeUnavailable
from mmiocost.evidence.probe.child import Child, Hung

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

    cell = {"benchmark": "slot_search", "structure": "tree", "size": 4, "size_unit": "slots", "value": 3.0,
            "low": 2.0, "high": 4.0, "unit": "ns", "tsc_cycles": None, "repeats": 9}  # fmt: skip
    monkeypatch.setattr(measuring.campaign, "first_look", refuse)
    monkeypatch.setattr(measuring.microbenchmarks, "measure", lambda *_: [cell])
    found = measuring.measure(tmp_path, quick=True)
    assert found.unavailable and found.refused == ["/dev/kvm: no such device"]
    assert found.file is not None and found.file.is_file() and found.observations == 0


def test_where_nothing_is_measured_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ProbeUnavailable("/dev/kvm: no such device")

    monkeypatch.setattr(measuring.campaign, "first_look", refuse)
    monkeypatch.setattr(measuring.microbenchmarks, "measure", lambda *_: [])
    found = measuring.measure(tmp_path, quick=True)
    assert found.file is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
