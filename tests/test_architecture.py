"""The house rules: which room imports which, how long things are, what a start loads, what git may hold."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from house import (
    FLOORS,
    ROOT,
    evaluating_calls,
    long_functions,
    long_modules,
    machine_traces,
    package_sources,
    text_of,
    tracked_files,
    upward_imports,
)
from thin_notebook import notebook_faults

HEAVY = {"altair", "frictionless", "numpy", "pandas", "papermill", "pint", "scipy", "sympy"}


def test_no_room_imports_upwards() -> None:
    assert upward_imports(package_sources()) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("mmiocost.fitting.solve", "import mmiocost.whatif"),
        ("mmiocost.fitting.solve", "import mmiocost.whatif.sweep as later"),
        ("mmiocost.fitting.solve", "from mmiocost import whatif"),
        ("mmiocost.fitting.solve", "from mmiocost.whatif import sweep"),
        ("mmiocost.fitting.solve", "from mmiocost.whatif.sweep import grid"),
        ("mmiocost.fitting.solve", "from .. import whatif"),
        ("mmiocost.fitting.solve", "from ..whatif import sweep"),
        ("mmiocost.fitting.__init__", "from ..whatif import sweep"),
        ("mmiocost.fitting.deep.solve", "from ...whatif.sweep import grid"),
        ("mmiocost.fitting.solve", "def later():\n    from ..whatif import sweep"),
        ("mmiocost.fitting.solve", "if TYPE_CHECKING:\n    from mmiocost.whatif import sweep"),
        ("mmiocost.fitting.solve", "importlib.import_module('mmiocost.whatif')"),
        ("mmiocost.fitting.solve", "import mmiocost"),
        ("mmiocost.fitting.solve", "from mmiocost import predict"),
        ("mmiocost.mechanism.machine", "from ..equations import mmio"),
        ("mmiocost.equations.mmio", "from mmiocost.mechanism import machine"),
        ("mmiocost.execution.batch", "from ..vocabulary import paths"),
        ("mmiocost.units", "from .vocabulary import symbols"),
        ("mmiocost.reporting.site", "from mmiocost.cli import run"),
        ("mmiocost.__init__", "from .cli import run"),
        ("mmiocost.vocabulary", "from .basement import stairs"),
        ("mmiocost.basement", "import os"),
    ],
)
def test_a_violating_import_is_found(module: str, source: str) -> None:
    assert len(upward_imports({module: source})) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("mmiocost.fitting.solve", "from .design import matrix"),
        ("mmiocost.fitting.solve", "from ..evidence import observations"),
        ("mmiocost.fitting.solve", "from mmiocost import __version__, equations"),
        ("mmiocost.fitting.__init__", "from .solve import solve"),
        ("mmiocost.cache", "from .errors import Problem"),
        ("mmiocost.execution.batch", "from mmiocost.cache import cache_dir"),
        ("mmiocost.reporting.site", "from ..execution import batch"),
        ("mmiocost.__init__", "from .whatif import answers"),
        ("mmiocost.cli", "import mmiocost"),
        ("mmiocost.units", "import pint, mmiocostly"),
    ],
)
def test_an_import_down_the_floors_is_accepted(module: str, source: str) -> None:
    assert upward_imports({module: source}) == []


def test_every_room_stands_on_one_floor() -> None:
    rooms = [room for floor in FLOORS for room in floor]
    assert len(rooms) == len(set(rooms))


def test_modules_and_functions_are_short() -> None:
    sources = package_sources()
    assert long_modules(sources) == []
    assert long_functions(sources) == []


def test_long_ones_are_found_and_docstrings_are_free() -> None:
    at_limit = "def f():\n" + "    x = 1\n" * 59
    documented = 'def f():\n    """One.\n\n    Two.\n    """\n' + "    x = 1\n" * 59
    inner = "class C:\n    async def g(self):\n" + "        x = 1\n" * 60
    assert long_functions({"m": at_limit}) == []
    assert long_functions({"m": documented}) == []
    assert long_functions({"m": inner}) == ["m:2: g has 61 lines"]
    assert long_modules({"m": "x = 1\n" * 250}) == []
    assert long_modules({"m": "x = 1\n" * 251}) == ["m: 251 lines"]


def test_importing_the_package_loads_no_heavy_library() -> None:
    code = "import json, sys, mmiocost; print(json.dumps([name for name in sys.modules if '.' not in name]))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code]))
    assert not HEAVY & set(loaded)


def test_no_text_is_run_as_code() -> None:
    assert evaluating_calls(package_sources()) == []


@pytest.mark.parametrize(
    "call",
    [
        "eval(text)",
        "exec(text)",
        "pickle.loads(data)",
        "marshal.loads(data)",
        "yaml.load(text, Loader)",
        "sympy.parse_expr(text)",
        "os.system(text)",
        "subprocess.run(text, shell=True)",
    ],
)
def test_a_call_that_runs_text_is_found(call: str) -> None:
    assert len(evaluating_calls({"mmiocost.evidence.tables": f"def read():\n    return {call}"})) == 1
    assert evaluating_calls({"mmiocost.evidence.tables": "re.compile(p); frame.eval; yaml.safe_load(t)"}) == []


def test_no_file_names_a_folder_of_one_machine_or_a_registry() -> None:
    assert [line for name, text in text_of(tracked_files()) for line in machine_traces(name, text)] == []


@pytest.mark.parametrize(
    "line",
    [
        "/".join(["see ", "work", "data"]),
        "/".join(['path = "', "root", ".cache"]),
        "--index-url https://mirror.example" + "/simple/\n",
        "https://files.python" + "hosted.org/packages",
        "https://" + "pypi" + ".org/project/mmiocost",
    ],
)
def test_a_machine_trace_is_found(line: str) -> None:
    assert len(machine_traces("file", line)) == 1


def test_ordinary_paths_are_no_machine_traces() -> None:
    text = "docs/work/a\n../root/b\n/dev/kvm\n/usr/bin/python3\nhttps://lore.kernel.org/kvm/simple-list\n"
    assert machine_traces("file", text) == []


def test_notebooks_are_thin_and_committed_without_outputs() -> None:
    notebooks = [path for path in tracked_files() if path.suffix == ".ipynb"]
    faults = {path.name: notebook_faults(json.loads(path.read_text())) for path in notebooks}
    assert {name: found for name, found in faults.items() if found} == {}


def _cell(source: str, **more: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None} | more


_PARAMETERS = _cell("slots = 32", metadata={"tags": ["parameters"]})


def test_a_thin_notebook_has_no_faults() -> None:
    prose = {"cell_type": "markdown", "source": ["# for a reader"], "metadata": {}}
    assert notebook_faults({"cells": [prose, _PARAMETERS, _cell("mmiocost.predict('cost:x')")]}) == []


@pytest.mark.parametrize(
    "cells",
    [
        [],
        [_cell("slots = 32")],
        [_cell("import mmiocost"), _PARAMETERS],
        [_PARAMETERS, _cell("1 + 1", execution_count=3)],
        [_PARAMETERS, _cell("1 + 1", outputs=[{"output_type": "stream"}])],
        [_PARAMETERS, _cell("def f(): pass")],
        [_PARAMETERS, _cell("if True:\n    class C: pass")],
        [_PARAMETERS, _cell("for n in range(3):\n    print(n)")],
        [_PARAMETERS, _cell("while False: pass")],
        [_PARAMETERS, *[_cell("x = 1")] * 12],
        [_PARAMETERS, _cell("x = 1\n" * 120)],
    ],
)
def test_a_fault_of_a_notebook_is_found(cells: list[dict[str, object]]) -> None:
    assert len(notebook_faults({"cells": cells})) == 1


def test_files_are_listed_without_git_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    found = {str(path.relative_to(ROOT)) for path in tracked_files()}
    assert {"pyproject.toml", "model/mmiocost/errors.py", ".ci/run"} <= found
    assert not [name for name in found if ".venv" in name or "__pycache__" in name]
