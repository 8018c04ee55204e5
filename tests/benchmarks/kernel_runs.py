"""One way of running a notebook several times, in a process of its own: ``kernel_runs.py MODE COUNT NOTEBOOK FOLDER``.

Prints JSON: seconds of each run, and the processor time of this process and all that it started.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmiocost.startup import block_slow_imports, one_blas_thread

BIN = Path(sys.executable).parent


def by_command(kernel: str, source: str, target: str) -> None:
    words = [str(BIN / "papermill"), source, target, "-k", kernel, "--no-progress-bar"]
    subprocess.run(words, check=True, capture_output=True)


def by_papermill(kernel: str, source: str, target: str) -> None:
    import papermill

    papermill.execute_notebook(source, target, kernel_name=kernel, progress_bar=False)


def by_nbconvert(kernel: str, source: str, target: str) -> None:
    words = [str(BIN / "jupyter-nbconvert"), "--to", "notebook", "--execute", source, "--output", target]
    subprocess.run([*words, f"--ExecutePreprocessor.kernel_name={kernel}"], check=True, capture_output=True)


def by_nbclient(kernel: str, source: str, target: str) -> None:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(source, 4)
    asyncio.run(NotebookClient(notebook, kernel_name=kernel).async_execute())
    nbformat.write(notebook, target)


def by_ploomber(_: str, source: str, target: str) -> None:
    from ploomber_engine import execute_notebook

    execute_notebook(source, target, progress_bar=False, verbose=False)


def by_fork(_: str, source: str, target: str) -> None:
    """The floor: fork a process that has everything loaded, run the cells in a bare IPython shell, write."""
    import nbformat

    _load_ahead()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            notebook = nbformat.read(source, 4)
            outputs: list[Any] = []
            shell, printed = _shell(outputs), io.StringIO()
            sys.stdout = printed
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    outputs.clear()
                    shell.run_cell(cell.source, store_history=True).raise_error()
                    cell.outputs = [nbformat.from_dict(output) for output in outputs]
            nbformat.write(notebook, target)
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _load_ahead() -> None:
    if "altair" not in sys.modules:
        import gc

        from mmiocost.execution.warm import application, preload

        kernels = Path(application.__file__).parents[1] / "jupyter" / "kernels"
        spec = json.loads((kernels / "mmiocost-warm" / "kernel.json").read_text())
        preload.load([*application.LATER, *spec["metadata"]["kernel_provisioner"]["config"]["preload"]])
        gc.freeze()


def _shell(outputs: list[Any]) -> Any:
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets import Type

    class Hook(DisplayHook):
        def write_output_prompt(self) -> None:
            pass

        def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
            count = self.shell.execution_count
            outputs.append(
                {"output_type": "execute_result", "data": format_dict, "metadata": md_dict or {}}
                | {"execution_count": count}
            )

        def finish_displayhook(self) -> None:
            pass

    class Publisher(DisplayPublisher):
        def publish(self, data: Any, metadata: Any = None, **_: Any) -> None:
            outputs.append({"output_type": "display_data", "data": data, "metadata": metadata or {}})

    class Shell(InteractiveShell):
        displayhook_class = Type(Hook)
        display_pub_class = Type(Publisher)

        def init_history(self) -> None:
            self.config.HistoryManager.enabled = False
            super().init_history()

    return Shell.instance()


WAYS: dict[str, Callable[[str, str, str], None]] = {
    "command": by_command,
    "papermill": by_papermill,
    "nbconvert": by_nbconvert,
    "nbclient": by_nbclient,
    "ploomber": by_ploomber,
    "fork": by_fork,
}


def main() -> None:
    way, kernel, count, source, folder = sys.argv[1:]
    block_slow_imports()
    one_blas_thread()
    sys.modules.setdefault("debugpy", None)  # type: ignore[arg-type]
    seconds = []
    for number in range(int(count)):
        begin = time.perf_counter()
        WAYS[way](kernel, source, str(Path(folder) / f"out-{number}.ipynb"))
        seconds.append(time.perf_counter() - begin)
    if "mmiocost.execution.warm.client" in sys.modules:
        # The nursery's time counts, and that of its kernels.
        sys.modules["mmiocost.execution.warm.client"]._end(os.getpid())
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps({"seconds": seconds, "cpu": sum(usage.ru_utime + usage.ru_stime for usage in used)}))


if __name__ == "__main__":
    main()
