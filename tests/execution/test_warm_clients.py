"""Each program that runs notebooks gets a warm kernel by the kernelspec's name, and all the same outputs."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from samples import code, streams, write_notebook
from warm_kernels import NAME, alive, environment, manager, printed, write_spec

from mmiocost.execution.warm import client as nurseries
from mmiocost.execution.warm import linux

pytestmark = pytest.mark.skipif(not linux.supported(), reason="kernels can't be forked here")
NURSERY = "import os; print(open(f'/proc/{os.getppid()}/cmdline').read().split(chr(0))[2])"


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_spec(tmp_path_factory.mktemp("specs"))


@pytest.fixture(autouse=True)
def found(specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(specs))


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """It prints the module that its kernel's parent runs."""
    return write_notebook(tmp_path / "a.ipynb", code("slots = 1", parameters=True), code(NURSERY), code("print(slots)"))


def test_papermill(notebook: Path, tmp_path: Path) -> None:
    import papermill

    options: dict[str, Any] = {
        "kernel_name": NAME,
        "language": "python",
        "progress_bar": False,
        "parameters": {"slots": 8},
    }
    papermill.execute_notebook(notebook, tmp_path / "out.ipynb", **options)
    assert streams(tmp_path / "out.ipynb") == "mmiocost.execution.warm\n8\n"


def test_papermill_stops_a_loop_in_c_when_its_time_is_over(tmp_path: Path) -> None:
    import papermill
    from nbclient.exceptions import CellTimeoutError
    from traitlets.config import Config

    stuck = write_notebook(tmp_path / "a.ipynb", code("import os; print(os.getpid())"), code("sum(range(10**15))"))
    options: dict[str, Any] = {"kernel_name": NAME, "language": "python", "progress_bar": False, "execution_timeout": 1}
    config = Config({"KernelManager": {"shutdown_wait_time": 1.0}})
    with pytest.raises(CellTimeoutError):
        papermill.execute_notebook(stuck, tmp_path / "out.ipynb", config=config, **options)
    assert not alive(int(streams(tmp_path / "out.ipynb")))


def test_nbclient_in_parallel(notebook: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    async def execute() -> Any:
        return await NotebookClient(nbformat.read(notebook, 4), kernel_name=NAME).async_execute()

    async def main() -> list[Any]:
        return await asyncio.gather(*(execute() for _ in range(4)))

    for executed in asyncio.run(main()):
        assert executed.cells[1].outputs[0].text == "mmiocost.execution.warm\n"


def test_nbconvert(notebook: Path) -> None:
    import nbformat
    from nbconvert.preprocessors import ExecutePreprocessor

    executed, _ = ExecutePreprocessor(kernel_name=NAME).preprocess(nbformat.read(notebook, 4), {})
    assert executed.cells[1].outputs[0].text == "mmiocost.execution.warm\n"


def test_the_manager_of_many_kernels_that_a_jupyter_server_has(specs: Path) -> None:
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.multikernelmanager import AsyncMultiKernelManager

    async def main() -> None:
        kernel_specs = KernelSpecManager(kernel_dirs=[str(specs / "kernels")])
        many = AsyncMultiKernelManager(kernel_spec_manager=kernel_specs, connection_dir=str(specs))
        one, other = await asyncio.gather(*(many.start_kernel(kernel_name=NAME, env=environment()) for _ in range(2)))
        client = many.get_kernel(one).client()
        client.start_channels()
        await client.wait_for_ready(timeout=60)
        await many.restart_kernel(one)
        await client.wait_for_ready(timeout=60)
        said: list[str] = []
        await client._async_execute_interactive(
            NURSERY, output_hook=lambda m: said.append(m["content"].get("text", ""))
        )
        assert "".join(said) == "mmiocost.execution.warm\n"
        client.stop_channels()
        await many.interrupt_kernel(other)
        pids = [many.get_kernel(name).provisioner.pid for name in (one, other)]
        await many.shutdown_all()
        assert not any(map(alive, pids))

    asyncio.run(main())


def test_processes_share_a_nursery_that_the_environment_names(specs: Path) -> None:
    nursery = nurseries.start_nursery(sys.executable, ["numpy"], environment())
    kernel = manager(specs)
    kernel.start_kernel(env=environment(MMIOCOST_NURSERY=nursery.address))
    try:
        children = Path(f"/proc/{nursery._process.pid}/task/{nursery._process.pid}/children").read_text().split()
        assert str(kernel.provisioner.pid) in children
        assert Path(kernel.ip).parent == Path(nursery.address).parent
        nursery.end()
        assert kernel.is_alive() is False
        kernel.restart_kernel()
        assert kernel.is_alive() is True
    finally:
        kernel.shutdown_kernel(now=True)


def test_what_loads_ahead_is_data(specs: Path, tmp_path: Path) -> None:
    (tmp_path / "loaded_ahead.py").write_text("calls = 0\ndef warm_up():\n    global calls\n    calls += 1\n")
    (tmp_path / "breaks.py").write_text("1 / 0\n")
    where = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    more = environment(PYTHONPATH=where, MMIOCOST_PRELOAD="breaks,loaded_ahead:warm_up")
    kernel = manager(specs)
    kernel.start_kernel(env=more)
    client = kernel.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        assert printed(client, "import sys; print(sys.modules['loaded_ahead'].calls)") == "1\n"
    finally:
        client.stop_channels()
        kernel.shutdown_kernel()


def test_threads_before_the_fork_are_refused(specs: Path, tmp_path: Path) -> None:
    (tmp_path / "starts_a_thread.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    nursery = nurseries.start_nursery(sys.executable, ["starts_a_thread"], environment(PYTHONPATH=str(tmp_path)))
    request = {"environment": {}, "folder": "/", "arguments": [], "connection_file": "", "grace": 1.0}
    with pytest.raises(nurseries.NoWarmKernel, match="threads before the fork: python"):
        asyncio.run(nursery.launch(request, [0, 1, 2]))
    nursery.end()


def test_the_kernelspec_that_is_shipped_is_whole() -> None:
    import mmiocost.execution.warm as package

    kernels = Path(package.__file__).parents[1] / "jupyter" / "kernels"
    spec = json.loads((kernels / "mmiocost-warm" / "kernel.json").read_text())
    entries = spec["metadata"]["kernel_provisioner"]["config"]["preload"]
    assert all(importlib.util.find_spec(entry.partition(":")[0]) for entry in entries)
