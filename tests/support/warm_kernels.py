"""Warm kernels for the tests: a kernelspec that loads little ahead, clients, and what must not be left behind."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SPEC: dict[str, Any] = {
    "argv": ["python", "-m", "mmiocost.execution.kernel", "-f", "{connection_file}"],
    "display_name": "warm",
    "language": "python",
    "metadata": {
        "kernel_provisioner": {
            "provisioner_name": "mmiocost-warm",
            "config": {"preload": ["numpy"], "interrupt_grace": 1.0},
        }
    },
}
NAME = "warm-for-tests"


def write_spec(folder: Path, spec: dict[str, Any] = SPEC) -> Path:
    """A folder for ``JUPYTER_PATH`` with the kernelspec of the tests in it."""
    place = folder / "kernels" / NAME
    place.mkdir(parents=True, exist_ok=True)
    (place / "kernel.json").write_text(json.dumps(spec))
    return folder


def environment(**more: str) -> dict[str, str]:
    """The environment without pytest's own variables, which ipykernel looks at."""
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"} | more


def manager(spec_folder: Path, kind: Any = None) -> Any:
    """A kernel manager that knows the kernelspec of the tests."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import KernelManager

    specs = KernelSpecManager(kernel_dirs=[str(spec_folder / "kernels")])
    return (kind or KernelManager)(kernel_name=NAME, kernel_spec_manager=specs)


@contextmanager
def started(spec_folder: Path, **options: Any) -> Iterator[tuple[Any, Any]]:
    """A kernel's manager and a client that is ready; shut down at the end if it still runs."""
    kernel = manager(spec_folder)
    kernel.start_kernel(**{"env": environment(), **options})
    client = kernel.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield kernel, client
    finally:
        client.stop_channels()
        if kernel.has_kernel:
            kernel.shutdown_kernel()


def run(client: Any, source: str, timeout: float = 60) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Execute a cell: the reply's content, and what was published."""
    published: list[dict[str, Any]] = []
    reply = client.execute_interactive(source, allow_stdin=False, output_hook=published.append, timeout=timeout)
    return reply["content"], [message for message in published if message["msg_type"] != "status"]


def printed(client: Any, source: str) -> str:
    """What a cell prints. It must not fail."""
    content, published = run(client, source)
    assert content["status"] == "ok", content
    return "".join(message["content"]["text"] for message in published if message["msg_type"] == "stream")


def value(client: Any, source: str) -> Any:
    """A value that ``source`` computes, by way of JSON."""
    return json.loads(printed(client, f"import json\nprint(json.dumps({source}))"))


def until(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether a condition comes true within the time; it is asked every few milliseconds."""
    end = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < end:
        time.sleep(0.005)
    return met


def alive(pid: int) -> bool:
    """Whether a process runs (one that has ended and was not waited for does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def busy(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tagged(tag: str) -> list[int]:
    """Processes that run with ``WARM_TEST_TAG`` set to ``tag``."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"WARM_TEST_TAG={tag}".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return [pid for pid in found if alive(pid)]
