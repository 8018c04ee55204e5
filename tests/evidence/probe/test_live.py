"""The probe on this host's own KVM: skipped, with the reason, where there is none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mmiocost import evidence
from mmiocost.errors import MmioCostError
from mmiocost.evidence.digest import USER_IMPORTS
from mmiocost.evidence.importers.folder import imports
from mmiocost.evidence.probe import counts, host, runs, tracing
from mmiocost.evidence.probe.abi import ProbeUnavailable
from mmiocost.evidence.probe.child import Child
from mmiocost.evidence.probe.design import counter_tasks
from mmiocost.evidence.probe.kept import Measured
from mmiocost.evidence.probe.operations import OPERATIONS, Shape
from mmiocost.evidence.probe.plan import QUICK
from mmiocost.evidence.probe.seen import DIRECT, seen
from mmiocost.fitting.probe_counters import check


@pytest.mark.usefixtures("kvm")
def test_one_store_to_user_space_is_one_exit_there() -> None:
    with Child() as child:
        child.build(Shape())
        for name in ("mmio_store_user", "mmio_load_user"):
            _, run = child.ask(["load", OPERATIONS[name].body], ["run", 7, name])
            assert run["mmio"] == 7
            assert 0 < run["inside"] <= run["outside"]
        _, run = child.ask(["load", "out"], ["run", 7, "pio_out_user"])
        assert run["io"] == 7
        _, run = child.ask(["load", "store"], ["run", 7, "mmio_store_any"])
        assert (run["mmio"], run["io"]) == (0, 0)


@pytest.mark.usefixtures("kvm")
def test_slots_come_and_go_and_the_guest_still_runs() -> None:
    with Child() as child:
        child.build(Shape(slots=3))
        steps = [[["resize", 40, 5.0]], [["bump", "flags", 3]], [["bump", "move", 3]], [["bump", "delete", 2]],
                 [["bump", "create", 2]], [["resize", 42, 0.0]], [["resize", 2, 5.0]]]  # fmt: skip
        found = [child.ask(*step)[0] for step in steps]
        assert (found[0], found[5], found[6]) == (40, 42, 2)
        _, run = child.ask(["load", "store"], ["run", 5, "mmio_store_user"])
        assert run["mmio"] == 5


def test_a_run_is_evidence_that_can_be_fitted(short_run: tuple[Path, Measured]) -> None:
    folder, found = short_run
    assert found.file is not None and found.file.parent.parent.parent == folder
    known = evidence.load([folder])
    assert len(known.own) == found.observations > 0
    assert all(row.use_why for row in known.own if row.use != "fit")
    assert {row.clock_hz for row in known.own} == {found.run.facts["clock_hz"]}
    assert len({row.machine for row in known.own}) == 1
    (item,) = imports(folder)
    assert (item.entry["format"], item.entry["facts"]["release"]) == ("probe", os.uname().release)
    assert sorted(path.name for path in (folder / USER_IMPORTS).iterdir()) == [item.id]


@pytest.mark.usefixtures("kvm")
def test_kvm_counted_what_the_model_says() -> None:
    """Exactly, for every access whose path is known; there are some where a guest with four levels runs directly."""
    plan = replace(QUICK, shapes=(Shape(), Shape(large=True)))
    rows = []
    with Child() as small, Child() as large:
        for child, shape in ((small, Shape()), (large, Shape(large=True))):
            child.build(shape)
        for task in counter_tasks(plan, traced=False):
            found = (large if task.shape == Shape(large=True) else small).ask(*task.steps)
            rows += [{**row, "repeat": 0} for row in task.read(found)]
    facts, counted = host.facts(), counts.counts(rows)
    checked, left = check(counted, facts, evidence.load().quantities)
    assert [item for item in checked if not item.holds] == []
    assert all(item.why for item in left)
    if seen(counted, facts).runs("long", 3) == DIRECT and "mmio_caching" in facts:
        assert {item.counter for item in checked} >= {"insn_emulation", "pf_taken", "mmio_exits"}


def test_what_a_whole_run_counted_holds_too(short_run: tuple[Path, Measured]) -> None:
    """First touches and memslot updates among it, and tracepoints for root, as far as the run came."""
    (run,) = runs.own([short_run[0]])
    checked, _ = check(run.counts, run.facts, evidence.load().quantities)
    assert [item for item in checked if not item.holds] == []


def test_a_run_leaves_no_tracing_instance(short_run: tuple[Path, Measured]) -> None:
    assert short_run
    program = "from mmiocost.evidence.probe.tracing import instances; print(instances())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.stdout.strip() == "[]"


@pytest.mark.usefixtures("kvm")
def test_the_instance_of_a_killed_worker_is_removed() -> None:
    with Child() as child:
        child.build(Shape())
        try:
            child.ask(["load", "nop"], ["trace", 4, "loop"])
        except ProbeUnavailable as error:
            pytest.skip(str(error))
        name = tracing.name_of(child.process.pid)
        os.kill(child.process.pid, signal.SIGSTOP)
        child.limit_s = 0.2
        with pytest.raises(MmioCostError):
            child.ask(["run", 4, "loop"])
    program = "from mmiocost.evidence.probe.tracing import instances; print(*instances())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert name not in done.stdout.split()


@pytest.mark.usefixtures("kvm")
def test_ctrl_c_keeps_what_was_measured(tmp_path: Path) -> None:
    start = "import sys; sys.argv[0] = 'mmiocost'; from mmiocost.cli import run; sys.exit(run())"
    command = [sys.executable, "-c", start, "measure", "--budget", "14", "--to", str(tmp_path), "--json"]
    going = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    end = time.monotonic() + 30
    while not _rows_written(tmp_path) and time.monotonic() < end:
        time.sleep(0.05)
    going.send_signal(signal.SIGINT)
    said = json.loads(going.communicate(timeout=30)[0])
    assert going.returncode == 130
    assert said["interrupted"] and Path(said["file"]).is_file()
    (item,) = imports(tmp_path)
    assert item.entry["rows"] > 0 and item.entry["interrupted"]


def _rows_written(folder: Path) -> bool:
    return any(path.stat().st_size > 2000 for path in (folder / USER_IMPORTS).glob(".importing-*/counters.csv"))
