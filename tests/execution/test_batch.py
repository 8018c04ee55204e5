from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nursery import shared_nursery
from samples import code, prose, streams, write_notebook

from mmiocost.errors import InvalidInput, MmioCostError
from mmiocost.execution import CellError, NotebookRun, Recorded, Task, run_notebooks, run_tasks
from mmiocost.execution.recorded import RECORDED

SLOTS = code("slots = 8", parameters=True)


@pytest.fixture(scope="module", autouse=True)
def nursery() -> Iterator[None]:
    with shared_nursery():
        yield


def run(*paths: Path, out: Path, **changed: object) -> list[NotebookRun]:
    arguments: dict[str, object] = {"parameters": {"slots": 32}, "inputs": {"model code": "1"}, "jobs": 1, **changed}
    return run_notebooks(paths, out, **arguments)  # type: ignore[arg-type]


def test_a_notebook_is_executed_once_and_again_only_for_changed_inputs(tmp_path: Path) -> None:
    """The second run starts no kernel: what the notebook would have left behind is not there."""
    trace = tmp_path / "trace"
    source = f"open({str(trace)!r}, 'a').write('.')\nprint('slots', slots)"
    path = write_notebook(tmp_path / "a.ipynb", SLOTS, code(source))
    out = tmp_path / "out"
    first = run(path, out=out)
    assert [(r.name, r.status, r.error) for r in first] == [("a", "executed", None)]
    assert streams(first[0].path) == "slots 32\n"
    again = run(path, out=out)
    assert [(r.status, r.seconds) for r in again] == [("unchanged", first[0].seconds)]
    assert trace.read_text() == "."
    assert run(path, out=out, parameters={"slots": 33})[0].status == "executed"
    assert run(path, out=out, parameters={"slots": 33}, inputs={"model code": "2"})[0].status == "executed"
    (out / "a.ipynb").write_text("{}")
    assert run(path, out=out, parameters={"slots": 33}, inputs={"model code": "2"})[0].status == "executed"
    assert trace.read_text() == "...."


def test_a_failing_cell_is_reported_and_the_others_carry_on(tmp_path: Path) -> None:
    bad = write_notebook(tmp_path / "bad.ipynb", prose("# T"), SLOTS, code("print('before')"), code("1 / 0"), code("2"))
    good = write_notebook(tmp_path / "good.ipynb", SLOTS)
    heard: list[NotebookRun] = []
    runs = run(bad, good, out=tmp_path / "out", on_progress=heard.append, jobs=2)
    assert [(r.name, r.status) for r in runs] == [("bad", "failed"), ("good", "executed")]
    assert sorted(r.name for r in heard) == ["bad", "good"]
    error = runs[0].error
    assert error is not None
    # papermill puts the parameters that it was given into a cell of its own, so the division is the fourth.
    assert (error.number, error.source, error.ename, error.evalue) == (
        4,
        "1 / 0",
        "ZeroDivisionError",
        "division by zero",
    )
    assert error.traceback.endswith("ZeroDivisionError: division by zero")
    assert "\x1b" not in error.traceback
    assert streams(runs[0].path) == "before\n"
    assert [r.status for r in run(bad, good, out=tmp_path / "out")] == ["failed", "unchanged"]


def test_a_dead_kernel_and_a_timeout_are_failures_of_their_cell(tmp_path: Path) -> None:
    killed = write_notebook(tmp_path / "killed.ipynb", code("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"))
    slow = write_notebook(tmp_path / "slow.ipynb", code("1"), code("import time\ntime.sleep(60)"), code("3"))
    runs = run(killed, slow, out=tmp_path / "out", parameters={}, cell_timeout=1)
    errors = [r.error for r in runs]
    assert [(e.number, e.ename, e.evalue) for e in errors if e] == [
        (1, "DeadKernelError", "the kernel died while it ran this cell"),
        (2, "CellTimeoutError", "the cell ran longer than 1 s and was stopped"),
    ]
    cells = json.loads(runs[1].path.read_text())["cells"]
    assert [cell["metadata"]["papermill"]["status"] for cell in cells] == ["completed", "failed", "pending"]
    assert [output["ename"] for output in cells[1]["outputs"]] == ["CellTimeoutError"]


def test_a_worker_that_dies_fails_its_notebook_alone(tmp_path: Path) -> None:
    """A notebook that kills the process that drives its kernel takes no other notebook along."""
    source = """
import psutil
for process in psutil.Process({pid}).children(recursive=True):
    if process.cmdline()[-1:] == ["mmiocost.execution.worker"]:
        process.kill()
"""
    deadly = write_notebook(tmp_path / "deadly.ipynb", code(source.replace("{pid}", str(os.getpid()))))
    good = write_notebook(tmp_path / "good.ipynb", code("print('alive')"))
    runs = run(deadly, good, out=tmp_path / "out", parameters={}, jobs=1)
    assert [(r.name, r.status) for r in runs] == [("deadly", "failed"), ("good", "executed")]
    assert runs[0].error == CellError(0, "", "WorkerDied", "the process that ran the notebook ended unexpectedly", "")


def test_unknown_parameters_stop_everything_before_a_kernel_starts(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    path = write_notebook(tmp_path / "a.ipynb", SLOTS, code(f"open({str(trace)!r}, 'w')"))
    with pytest.raises(InvalidInput, match="did you mean 'slots'"):
        run(path, out=tmp_path / "out", parameters={"slotz": 1})
    assert not trace.exists()
    assert not (tmp_path / "out").exists()


def test_two_outputs_of_one_notebook_do_not_meet(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "a.ipynb", SLOTS, code("print(slots)"))
    one = run(path, out=tmp_path / "one", parameters={"slots": 1})
    two = run(path, out=tmp_path / "two", parameters={"slots": 2})
    assert [streams(r.path) for r in one + two] == ["1\n", "2\n"]
    assert run(path, out=tmp_path / "one", parameters={"slots": 1})[0].status == "unchanged"


def test_names_of_strangers_stay_inside_the_output_folder(tmp_path: Path) -> None:
    """Braces are not filled in by papermill, and two notebooks of one name get two outputs."""
    first = write_notebook(tmp_path / "x" / "..evil {slots}.ipynb", SLOTS)
    second = write_notebook(tmp_path / "y" / "..evil {slots}.ipynb", SLOTS)
    runs = run(first, second, out=tmp_path / "out")
    assert [(r.name, r.status) for r in runs] == [("evil-slots", "executed"), ("evil-slots-2", "executed")]
    made = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*"))
    assert made == [
        ".lock", "evil-slots-2.ipynb", "evil-slots.ipynb",
        "ledger", "ledger/evil-slots-2.json", "ledger/evil-slots.json",
    ]  # fmt: skip


def test_the_home_of_the_user_and_this_process_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    before = dict(os.environ)
    path = write_notebook(tmp_path / "a.ipynb", code("print('quiet')"))
    assert run(path, out=tmp_path / "out", parameters={})[0].status == "executed"
    assert list(home.iterdir()) == []
    assert dict(os.environ) == before
    assert str(tmp_path) not in (tmp_path / "out" / "a.ipynb").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize("signal_name", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_workers_and_kernels_end_with_the_report(tmp_path: Path, signal_name: str) -> None:
    source = f"import os, time\nopen({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} .')"
    path = write_notebook(tmp_path / "a.ipynb", code(f"{source}\ntime.sleep(600)"))
    program = f"""
from pathlib import Path
from mmiocost.execution import run_notebooks
run_notebooks([Path({str(path)!r})], Path({str(tmp_path / "out")!r}), parameters={{}}, inputs={{}})
"""
    report = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    wait_for(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text().endswith("."))
    workers = [process.pid for process in psutil.Process(report.pid).children(recursive=True)]
    report.send_signal(getattr(signal, signal_name))
    assert report.wait(30) != 0
    kernel = int((tmp_path / "pids").read_text().split()[0])
    wait_for(lambda: not running(kernel) and not any(running(worker) for worker in workers))


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until ``condition`` holds; the time only bounds how long a failing test hangs."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def running(pid: int) -> bool:
    """Whether a process is there and not merely waiting for its parent to notice that it has ended."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_no_notebook_is_no_work(tmp_path: Path) -> None:
    assert run(out=tmp_path / "out") == []


def test_a_rerun_says_what_has_changed(tmp_path: Path) -> None:
    """Each input by its name; the one that failed is tried again; the one whose file is gone is made again."""
    good = write_notebook(tmp_path / "good.ipynb", SLOTS)
    bad = write_notebook(tmp_path / "bad.ipynb", SLOTS, code("1 / 0"))
    out = tmp_path / "out"

    def reasons(**changed: object) -> list[str]:
        return [made.reason for made in run(good, bad, out=out, **changed)]

    assert reasons() == ["new", "new"]
    assert reasons() == ["", "failed last time"]
    assert reasons(parameters={"slots": 9}) == ["parameters changed"] * 2
    changed = reasons(parameters={"slots": 9}, inputs={"model code": "2", "evidence": "x"})
    assert changed == ["model code and evidence changed"] * 2
    (out / "good.ipynb").unlink()
    assert (
        reasons(parameters={"slots": 9}, inputs={"model code": "2", "evidence": "x"})[0] == "executed notebook missing"
    )
    write_notebook(good, SLOTS, code("2"))
    assert reasons(parameters={"slots": 9}, inputs={"model code": "2", "evidence": "x"})[0] == "notebook changed"


def test_a_notebook_has_a_time_of_its_own(tmp_path: Path) -> None:
    """No cell is too slow, all of them are; and a loop that lets no other thread run is ended too."""
    slow = write_notebook(tmp_path / "slow.ipynb", *[code("import time\ntime.sleep(0.8)")] * 3)
    stuck = write_notebook(tmp_path / "stuck.ipynb", code("import re\nre.match('(a+)+$', 'a' * 40 + 'b')"))
    tasks = [Task(path.stem, path, {}) for path in (slow, stuck)]
    runs = run_tasks(tasks, tmp_path / "out", inputs={}, timeout=1.5, jobs=2)
    assert [made.status for made in runs] == ["failed", "failed"]
    errors = [made.error for made in runs if made.error]
    assert [error.number for error in errors] == [2, 1]
    assert {error.evalue for error in errors} == {"the notebook ran longer than 1.5 s and was stopped in this cell"}


def test_recorded_values_and_equal_results_are_known_without_the_notebook(tmp_path: Path) -> None:
    source = (
        "from IPython.display import display\n"
        f"display({{{RECORDED!r}: {{'values': [{{'name': 'saving', 'value': slots, 'low': 1.5, 'high': None,"
        " 'unit': 'cycle'}]}}, raw=True)"
    )
    path = write_notebook(tmp_path / "a.ipynb", SLOTS, code(source))
    first, other = (run(path, out=tmp_path / name)[0] for name in ("one", "two"))
    assert first.values == (Recorded("saving", 32.0, 1.5, None, "cycle"),)
    assert first.content == other.content
    assert first.path.read_bytes() != other.path.read_bytes()  # times differ
    assert run(path, out=tmp_path / "one")[0].values == first.values
    assert run(path, out=tmp_path / "two", parameters={"slots": 33})[0].content != other.content


def test_a_second_writer_is_refused_and_a_dead_one_is_not_waited_for(tmp_path: Path) -> None:
    path, out = write_notebook(tmp_path / "a.ipynb", SLOTS), tmp_path / "out"
    program = (
        "import pathlib, sys, time\nfrom mmiocost.execution.folder import only_writer\n"
        f"with only_writer(pathlib.Path({str(out)!r})):\n print('has it', flush=True)\n time.sleep(600)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"has it\n"
    with pytest.raises(MmioCostError, match=f"process {holder.pid} on .* writes here"):
        run(path, out=out)
    holder.kill()
    holder.communicate()
    assert run(path, out=out)[0].status == "executed"


@pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links")
def test_links_lead_nothing_out_of_the_folder(tmp_path: Path) -> None:
    """A link in the place of a file is replaced, one in the place of a folder is refused."""
    path, out, outside = write_notebook(tmp_path / "a.ipynb", SLOTS), tmp_path / "out", tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("mine")
    out.mkdir()
    (out / "a.ipynb").symlink_to(outside / "file")
    assert run(path, out=out)[0].status == "executed"
    assert (outside / "file").read_text() == "mine"
    assert not (out / "a.ipynb").is_symlink()
    (out / "ledger" / "a.json").unlink()
    (out / "ledger").rmdir()
    (out / "ledger").symlink_to(outside)
    with pytest.raises(InvalidInput, match="a link that leads out of"):
        run(path, out=out)


def test_what_a_killed_run_left_beside_is_removed(tmp_path: Path) -> None:
    path, out = write_notebook(tmp_path / "a.ipynb", SLOTS), tmp_path / "out"
    (out / "ledger").mkdir(parents=True)
    for name in (".a.ipynb.abcd1234", "ledger/.a.json.abcd1234", "ledger.json"):
        (out / name).write_text("{")
    run(path, out=out)
    made = {found.relative_to(out).as_posix() for found in out.rglob("*")}
    assert made == {".lock", "a.ipynb", "ledger", "ledger/a.json"}


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_a_value_reaches_the_notebook_as_data_whatever_it_is(value: object) -> None:
    """What papermill writes into the cell is a literal that means the value, never an expression that does more."""
    from papermill.translators import PythonTranslator

    written = PythonTranslator.codify({"slots": value}, "Parameters")
    (assignment,) = ast.parse(written).body
    text = ast.unparse(assignment.value).replace("float('inf')", "1e999").replace("float('-inf')", "-1e999")
    assert ast.literal_eval(text) == value
