"""Ground that all tests stand on: no network, no file of the user's, the same draws in every run of CI.

What is set here comes before any import of the package or of a heavy library.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import offline  # tests/support: refuses the network from here on
import pytest
from hypothesis import HealthCheck, settings

from mmiocost.startup import block_slow_imports, one_blas_thread

block_slow_imports()
one_blas_thread()
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so would children

# Processes that share the tests share what is cached too; the one that started them takes it away.
_SHARED = "MMIOCOST_TESTS"
if _SHARED not in os.environ:
    os.environ[_SHARED] = tempfile.mkdtemp(prefix="mmiocost-tests-")
    atexit.register(shutil.rmtree, os.environ[_SHARED], ignore_errors=True)
_SCRATCH = Path(os.environ[_SHARED])
os.environ |= {
    "MMIOCOST_CACHE": str(_SCRATCH / "cache"),
    "IPYTHONDIR": str(_SCRATCH / "ipython"),
    "JUPYTER_CONFIG_DIR": str(_SCRATCH / "jupyter-config"),
    "JUPYTER_DATA_DIR": str(_SCRATCH / "jupyter-data"),
    "JUPYTER_RUNTIME_DIR": str(_SCRATCH / "jupyter-runtime"),
    "PYTHONPATH": os.pathsep.join(filter(None, (str(Path(offline.__file__).parent), os.environ.get("PYTHONPATH")))),
}
for _name in ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "NO_COLOR", "COLUMNS"):  # they change what is printed
    os.environ.pop(_name, None)

# A busy machine is no failure: nothing here depends on time.
_calm = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("dev", **_calm)
settings.register_profile("ci", derandomize=True, database=None, print_blob=True, **_calm)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@dataclass(frozen=True)
class Ran:
    """What a run of the command line left: exit status and both streams."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


_START = "import sys; sys.argv[0] = 'mmiocost'; from mmiocost.cli import run; sys.exit(run())"


@pytest.fixture
def cli() -> Callable[..., Ran]:
    """Run ``mmiocost`` in a process of its own: ``cli("paths", "--json", cwd=..., env={...}, text=...)``."""

    def start(*args: object, cwd: Path | None = None, env: dict[str, str] | None = None, text: str = "") -> Ran:
        done = subprocess.run(
            [sys.executable, "-c", _START, *map(str, args)],
            cwd=cwd,
            env=os.environ | (env or {}),
            input=text,
            capture_output=True,
            text=True,
            timeout=600,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return start


@pytest.fixture
def cli_here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run ``mmiocost`` in this process, some seconds quicker where libraries are loaded already."""

    def start(*args: object) -> Ran:
        from mmiocost.cli import run

        monkeypatch.setattr(sys, "argv", ["mmiocost", *map(str, args)])
        capfd.readouterr()
        try:
            status = run()
        except SystemExit as left:
            status = left.code
        streams = capfd.readouterr()
        return Ran(int(status or 0), streams.out, streams.err)

    return start


def _missing_for_browser() -> str | None:
    """Why browser tests can't run here, with the command that changes it."""
    if shutil.which("chromium") is None:
        return "chromium is missing; install it with: sudo apt-get install chromium"
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "playwright is missing; install it with: make env"
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests that are marked ``browser`` where there is none."""
    if item.get_closest_marker("browser") and (reason := _missing_for_browser()):
        pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Debian's Chromium, for ``playwright``'s ``executable_path``."""
    return str(shutil.which("chromium"))


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """Debian's Chromium, running; root may not use its sandbox."""
    from playwright.sync_api import sync_playwright

    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as started:
        running = started.chromium.launch(executable_path=chromium, args=sandbox)
        yield running
        running.close()
