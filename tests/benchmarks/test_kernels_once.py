"""Notebooks run one after another, each isolated from the next: warm kernels against what others offer.

All in the same environment and the same run, in turn, so that a busy machine slows all alike. Nothing here fails by
time; the checks that are too long for ``make test`` are here as well: many starts at once, and kills at random.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from samples import code, prose, streams, write_notebook
from warm_kernels import NAME, environment, manager, printed, started, until, value, write_spec

from mmiocost.execution import warm
from mmiocost.execution.warm import linux

pytestmark = pytest.mark.skipif(not linux.supported(), reason="kernels can't be forked here")

KERNELS = Path(warm.__file__).parents[1] / "jupyter"
ROUNDS, LATER = 1, 4
CELLS = (
    "import altair as alt, numpy as np, pandas as pd, scipy.optimize, sympy as sp",
    "n, t, b, m = sp.symbols('n t b m', positive=True)\n"
    "cost = n*t + sp.Max(0, b - m*n) + sp.Piecewise((m*t, n > 4), (t/n, True))\ncost",
    "f = sp.lambdify((n, t, b, m), cost, 'numpy')\nrng = np.random.default_rng(seed)",
    "x = np.arange(1, 201.0)\ndf = pd.DataFrame({'n': x, 'cost': f(x, rate, 100.0, 0.5)})\ndf.head()",
    "print('mean', df.cost.mean())\ndf.describe()",
    "alt.Chart(df).mark_line().encode(x='n', y='cost').properties(title='cost')",
    "from IPython.display import Markdown, display\n"
    "display(Markdown(f'**total** {df.cost.sum():.3f} for {slots} slots'))\nassert df.cost.sum() > 0",
)
# name: way, kernel, runs that each starts everything anew
MODES = {
    "papermill, command line": ("command", "python3", 1),
    "the same, no rfc3987_syntax": ("command", "python3", 1),
    "papermill, loop": ("papermill", "python3", LATER),
    "the same, no rfc3987_syntax ": ("papermill", "python3", LATER),
    "nbconvert --execute": ("nbconvert", "python3", 1),
    "papermill, warm": ("papermill", "mmiocost-warm", LATER),
    "nbclient, warm": ("nbclient", "mmiocost-warm", LATER),
    "bare fork": ("fork", "none", LATER),
}
NOT_ISOLATED = ("ploomber-engine, one interpreter", ("ploomber", "none", LATER))


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    parameters = code("slots = 32\nseed = 0\nrate = 1.5", parameters=True)
    cells = [prose("# Benchmark"), parameters, *map(code, CELLS)]
    path = write_notebook(tmp_path / "bench.ipynb", *cells)
    document = json.loads(path.read_text())
    document["metadata"] = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(json.dumps(document))
    return path


def table(capsys: pytest.CaptureFixture[str], lines: list[str]) -> None:
    with capsys.disabled():
        print("", *lines, sep="\n")


def measured(name: str, mode: tuple[str, str, int], count: int, notebook: Path) -> dict[str, Any]:
    way, kernel, _ = mode
    more = {"JUPYTER_PATH": str(KERNELS), "OPENBLAS_NUM_THREADS": "1"}
    if "rfc3987" in name:
        stub = notebook.parent / "stub"
        stub.mkdir(exist_ok=True)
        (stub / "rfc3987_syntax.py").write_text("raise ImportError\n")
        more["PYTHONPATH"] = os.pathsep.join(filter(None, (str(stub), os.environ.get("PYTHONPATH"))))
    words = [str(Path(__file__).with_name("kernel_runs.py")), way, kernel, str(count), str(notebook)]
    ran = subprocess.run(
        [sys.executable, *words, str(notebook.parent)], env=environment(**more), capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    result: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return result


def test_notebooks_one_after_another(benchmark: Any, capsys: pytest.CaptureFixture[str], notebook: Path) -> None:
    """``later``: seconds of a notebook after the first; CPU: what one more notebook costs, kernels included."""
    modes = dict(MODES)
    ploomber = importlib.util.find_spec("ploomber_engine") is not None
    modes |= dict([NOT_ISOLATED]) if ploomber else {}

    def all_modes() -> dict[str, tuple[float, float]]:
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in modes}
        for _ in range(ROUNDS):
            for name, mode in modes.items():
                if mode[2] == 1:
                    one = measured(name, mode, 1, notebook)
                    seen[name].append((one["seconds"][0], one["cpu"]))
                else:
                    one, more = (measured(name, mode, count, notebook) for count in (1, 1 + mode[2]))
                    later = statistics.median(more["seconds"][1:])
                    seen[name].append((later, (more["cpu"] - one["cpu"]) / mode[2]))
        return {name: tuple(map(statistics.median, zip(*found, strict=True))) for name, found in seen.items()}

    found = benchmark.pedantic(all_modes, rounds=1)
    ours = found["papermill, warm"]
    rows = [f"{'':34} later s   CPU s   times papermill, warm (wall, CPU)"]
    for name, (wall, cpu) in found.items():
        rows.append(f"{name:34} {wall:7.3f} {cpu:7.3f} {wall / ours[0]:7.1f} {cpu / ours[1]:7.1f}")
    if not ploomber:
        rows.append("ploomber-engine: not measured, it is not in requirements.lock (one interpreter, nothing isolated)")
    benchmark.extra_info.update({name: wall / ours[0] for name, (wall, _) in found.items()})
    table(capsys, rows)


def memory(pid: int) -> tuple[float, float]:
    """MB that a process holds: its share of what it shares (PSS), and what it holds alone."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split()[0].rstrip(":"): int(line.split()[1]) / 1024 for line in lines}
    return sizes["Pss"], sizes["Private_Dirty"] + sizes["Private_Clean"]


def test_memory_of_a_running_kernel(benchmark: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from jupyter_client.manager import start_new_kernel

    os.environ["JUPYTER_PATH"] = str(KERNELS)

    def run_cells(name: str, count: int) -> list[tuple[float, float]]:
        kernels = [start_new_kernel(kernel_name=name, env=environment()) for _ in range(count)]
        for _, client in kernels:
            for cell in ("slots = seed = rate = 1", *CELLS):
                assert client.execute_interactive(cell, output_hook=lambda _: None)["content"]["status"] == "ok"
        pids = [kernel.provisioner.pid for kernel, _ in kernels]
        nursery = {int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) for pid in pids}
        sizes = [memory(pid) for pid in [*pids, *(nursery - {os.getpid()})]]
        for kernel, client in kernels:
            client.stop_channels()
            kernel.shutdown_kernel()
        return sizes

    warm_sizes, fresh_sizes = benchmark.pedantic(lambda: (run_cells("mmiocost-warm", 4), run_cells("mmiocost", 2)))
    rows = [f"{'':34}  PSS MB  own MB"]

    def median(sizes: list[tuple[float, float]], which: int) -> float:
        return statistics.median(size[which] for size in sizes)

    for name, sizes in (("warm kernel, one of 4", warm_sizes[:4]), ("their nursery", warm_sizes[4:]),
                        ("fresh kernel, one of 2", fresh_sizes)):  # fmt: skip
        rows.append(
            f"{name:34} {statistics.median(p for p, _ in sizes):7.0f} {statistics.median(o for _, o in sizes):7.0f}"
        )
    table(capsys, rows)


def test_two_hundred_starts_sixteen_at_once(benchmark: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from jupyter_client.manager import AsyncKernelManager

    specs = write_spec(tmp_path)
    draws: list[float] = []

    async def one(gate: asyncio.Semaphore) -> None:
        async with gate:
            kernel = manager(specs, AsyncKernelManager)
            await kernel.start_kernel(env=environment())
            assert type(kernel.provisioner.process).__name__ == "KernelProcess"
            client = kernel.client()
            client.start_channels()
            await client.wait_for_ready(timeout=120)
            said: list[dict[str, Any]] = []
            await client._async_execute_interactive(
                "import numpy; print(numpy.random.rand())", output_hook=said.append, timeout=120
            )
            draws.extend(float(m["content"]["text"]) for m in said if m["msg_type"] == "stream")
            client.stop_channels()
            await kernel.shutdown_kernel()
            assert kernel._shutdown_status.name == "ShutdownRequest"

    async def all_of_them() -> float:
        gate, begin = asyncio.Semaphore(16), time.perf_counter()
        await asyncio.gather(*(one(gate) for _ in range(200)))
        return time.perf_counter() - begin

    seconds = benchmark.pedantic(lambda: asyncio.run(all_of_them()), rounds=1)
    assert len(set(draws)) == 200
    table(capsys, [f"200 kernels started, used and shut down, 16 at once: {seconds:.1f} s, no retry, no failure"])


def test_a_hundred_kills_at_random_moments(benchmark: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("ends", Path(__file__).parents[1] / "execution/test_warm_ends.py")
    assert spec is not None and spec.loader is not None
    ends = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(ends)
    specs = write_spec(tmp_path)
    first = int(os.environ.get("MMIOCOST_SEED", "1000"))
    said = benchmark.pedantic(lambda: [ends.kill_one(specs, first + number) for number in range(100)], rounds=1)
    table(capsys, [*said, "100 kills: no process and no folder left"])


POOLS = """
import os, numba, numpy as np, duckdb, pyarrow.compute as pc, pyarrow as pa
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
@numba.njit(parallel=True)
def total(n):
    s = 0.0
    for i in numba.prange(n):
        s += i
    return s
print(total(1000))
print(duckdb.sql('select sum(range) from range(100000)').fetchall()[0][0])
print(pc.sum(pa.chunked_array([[1, 2], [3]])).as_py())
print(float((np.ones((300, 300)) @ np.ones((300, 300))).sum()))
print(sum(ThreadPoolExecutor(4).map(abs, range(10))), sum(ProcessPoolExecutor(2).map(abs, range(10))))
"""


def test_pools_of_threads_and_processes_start_in_the_kernel(benchmark: Any, tmp_path: Path) -> None:
    def twice() -> list[str]:
        with started(write_spec(tmp_path)) as (_, one), started(write_spec(tmp_path)) as (_, other):
            return [printed(client, POOLS) for client in (one, other)]

    for text in benchmark.pedantic(twice, rounds=1):
        assert text.split() == ["499500.0", "4999950000", "6", "27000000.0", "45", "45"]


def test_the_commands(benchmark: Any, tmp_path: Path) -> None:
    """``papermill -k`` and ``jupyter nbconvert --execute``, as anyone types them."""
    parent = "import os; print(open(f'/proc/{os.getppid()}/cmdline').read().split(chr(0))[2])"
    source = write_notebook(tmp_path / "a.ipynb", code(parent))
    bin_folder = Path(sys.executable).parent
    out = tmp_path / "out.ipynb"
    commands = (
        [bin_folder / "papermill", source, out, "-k", NAME, "-l", "python", "--no-progress-bar"],
        [bin_folder / "jupyter-nbconvert", "--to", "notebook", "--execute", source, "--output", out,
         f"--ExecutePreprocessor.kernel_name={NAME}"],
    )  # fmt: skip

    def both() -> None:
        for command in commands:
            out.unlink(missing_ok=True)
            subprocess.run(command, check=True, env=environment(JUPYTER_PATH=str(write_spec(tmp_path))))
            assert streams(out) == "mmiocost.execution.warm\n"

    benchmark.pedantic(both, rounds=1)


def test_a_jupyter_server_without_a_browser(benchmark: Any, tmp_path: Path) -> None:
    """Its own kernel manager starts, restarts and ends warm kernels; JupyterLab asks for no more."""
    home = Path(tempfile.mkdtemp(prefix="mmiocost-server-", dir="/tmp"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["-m", "jupyter_server", "--no-browser", "--allow-root", "--IdentityProvider.token=t",
             f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={home}"]  # fmt: skip
    more = {"JUPYTER_PATH": str(write_spec(tmp_path)), "JUPYTER_RUNTIME_DIR": str(home / "runtime")}

    def serve() -> None:
        server = subprocess.Popen([sys.executable, *words], env=environment(**more), stderr=subprocess.DEVNULL)

        def ask(method: str, path: str, body: Any = None) -> Any:
            data = None if body is None else json.dumps(body).encode()
            headers = {"Authorization": "token t", "Content-Type": "application/json"}
            request = urllib.request.Request(f"http://127.0.0.1:{port}/api/{path}", data, headers, method=method)
            with urllib.request.urlopen(request, timeout=60) as answer:
                content = answer.read()
            return json.loads(content) if content else None

        def answers() -> bool:
            try:
                return bool(ask("GET", "status"))
            except OSError:
                return False

        try:
            assert until(answers, 60)
            kernel = ask("POST", "kernels", {"name": NAME})["id"]
            children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
            assert any("mmiocost.execution.warm" in Path(f"/proc/{pid}/cmdline").read_text() for pid in children)
            ask("POST", f"kernels/{kernel}/interrupt")
            assert ask("POST", f"kernels/{kernel}/restart")["id"] == kernel
            ask("DELETE", f"kernels/{kernel}")
            assert ask("GET", "kernels") == []
        finally:
            server.terminate()
            server.wait()
            shutil.rmtree(home)

    benchmark.pedantic(serve, rounds=1)


def test_start_of_one_warm_kernel(benchmark: Any, tmp_path: Path) -> None:
    specs = write_spec(tmp_path)

    def start_and_end() -> None:
        with started(specs) as (_, client):
            assert value(client, "1") == 1

    start_and_end()
    benchmark.pedantic(start_and_end, rounds=10)
