"""Whatever is killed, and when: no process and no folder is left, and the next kernel starts."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import uuid
from pathlib import Path

import pytest
from warm_kernels import environment, manager, started, tagged, until, value, write_spec

from mmiocost.execution.warm import linux
from mmiocost.execution.warm.folder import remove_abandoned

pytestmark = pytest.mark.skipif(not linux.supported(), reason="kernels can't be forked here")

# A program that runs a notebook whose cell starts a process of its own and then never lets the interpreter go.
DRIVER = """
import subprocess, sys
from warm_kernels import environment, started
from pathlib import Path
with started(Path(sys.argv[1])) as (kernel, client):
    client.execute("import subprocess; subprocess.Popen(['sleep', '600']); print('on'); import time; time.sleep(0.1)")
    client.execute("sum(range(10**15))")
    print(kernel.provisioner.pid, flush=True)
    client.get_shell_msg(timeout=600); client.get_shell_msg(timeout=600)
"""


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_spec(tmp_path_factory.mktemp("specs"))


class Driver:
    """A process that uses a warm kernel, known by a mark in its environment that its descendants share."""

    def __init__(self, specs: Path) -> None:
        self.tag = uuid.uuid4().hex
        # Paths of sockets are short, so pytest's own folder would not do.
        self.folder = Path(tempfile.mkdtemp(prefix="mmiocost-ends-", dir="/tmp"))
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(DRIVER), str(specs)],
            env=environment(WARM_TEST_TAG=self.tag, TMPDIR=str(self.folder)),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def kernel(self) -> int:
        """Wait until the kernel is in its loop, and its child runs."""
        assert self.process.stdout is not None
        pid = int(self.process.stdout.readline())
        assert until(lambda: len(tagged(self.tag)) == 5)
        return pid

    def end(self, older_than: float = float("inf")) -> list[str]:
        """Kill it; what is left of it after a while: processes, and folders that the next start would not remove."""
        self.process.kill()
        self.process.communicate()
        until(lambda: not tagged(self.tag) and (older_than == 0 or not any(self.folder.iterdir())))
        remove_abandoned(self.folder, older_than)
        left = [*map(str, tagged(self.tag)), *(path.name for path in self.folder.iterdir())]
        shutil.rmtree(self.folder)
        return left


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_all_goes_with_the_process_that_uses_it(specs: Path) -> None:
    driver = Driver(specs)
    driver.kernel()
    assert driver.end() == []


@pytest.mark.parametrize("victim", ["kernel", "nursery"])
def test_a_dead_kernel_is_noticed_and_its_children_go(specs: Path, victim: str) -> None:
    with started(specs) as (kernel, client):
        pid = kernel.provisioner.pid
        child = value(client, "__import__('subprocess').Popen(['sleep', '600']).pid")
        os.kill(pid if victim == "kernel" else parent(pid), signal.SIGKILL)
        assert until(lambda: not kernel.is_alive())
        assert kernel.provisioner.process.poll() == -signal.SIGKILL
        assert until(lambda: linux.is_gone(child))
        assert linux.is_gone(pid)
        kernel.restart_kernel()
        client.wait_for_ready(timeout=60)
        assert value(client, "1") == 1


def test_a_kernel_that_nobody_holds_any_more_ends(specs: Path) -> None:
    kernel = manager(specs)
    kernel.start_kernel(env=environment())
    pid = kernel.provisioner.pid
    kernel.provisioner.process.close()
    assert until(lambda: linux.is_gone(pid))
    kernel.cleanup_resources()


@pytest.mark.parametrize("seed", range(3))
def test_kills_at_random_moments_leave_nothing(specs: Path, seed: int) -> None:
    """``make bench`` does a hundred."""
    kill_one(specs, seed)


def kill_one(specs: Path, seed: int) -> str:
    """Kill one of driver, nursery, keeper, kernel and its child, at a moment drawn with ``seed``; say which and when.

    Soon after that the driver is killed in any case.
    """
    draw = random.Random(seed)
    stage, delay = draw.randint(1, 5), draw.uniform(0.0, 0.3)
    driver = Driver(specs)
    assert until(lambda: len(tagged(driver.tag)) >= stage)
    time.sleep(delay)
    victim = draw.choice(tagged(driver.tag))
    with contextlib.suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)
    time.sleep(draw.uniform(0.0, 0.2))
    left = driver.end(older_than=0)
    assert left == [], f"seed {seed}: {left}"
    which = "driver" if victim == driver.process.pid else "one of the others"
    return f"seed {seed}: {which} killed {delay:.3f} s after {stage} of 5 processes ran"
