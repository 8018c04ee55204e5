"""A forked kernel is an ipykernel in every respect, and no notebook meets another."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from warm_kernels import alive, busy, environment, manager, printed, run, started, until, value, write_spec

from mmiocost.execution.warm import linux

pytestmark = pytest.mark.skipif(not linux.supported(), reason="kernels can't be forked here")


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_spec(tmp_path_factory.mktemp("specs"))


@pytest.fixture(scope="module")
def client(specs: Path) -> Iterator[Any]:
    with started(specs) as (_, client):
        yield client


def test_text_and_rich_output(client: Any) -> None:
    source = """
        import os, subprocess, sys
        print("out"); print("err", file=sys.stderr)
        os.write(1, b"by number"); subprocess.run(["echo", "by a child"])
        from IPython.display import HTML, display
        display(HTML("<b>x</b>"))
        6 * 7
    """
    content, published = run(client, "\n".join(line.strip() for line in source.splitlines()))
    assert content["status"] == "ok"
    texts = dict.fromkeys(("stdout", "stderr"), "")
    for message in published:
        if message["msg_type"] == "stream":
            texts[message["content"]["name"]] += message["content"]["text"]
    assert "out\n" in texts["stdout"] and texts["stderr"] == "err\n"
    assert [m["content"]["data"] for m in published if m["msg_type"] == "display_data"] == [
        {"text/html": "<b>x</b>", "text/plain": "<IPython.core.display.HTML object>"}
    ]
    assert [m["content"]["data"] for m in published if m["msg_type"] == "execute_result"] == [{"text/plain": "42"}]
    # What comes by file number takes a way of its own and may arrive after the cell.
    late = texts["stdout"] + printed(client, "import time; time.sleep(0.3)")
    assert "by number" in late and "by a child" in late


def test_an_error_has_a_traceback_of_the_notebook_alone(client: Any) -> None:
    content, _ = run(client, "def f():\n    return 1 / 0\nf()")
    assert (content["ename"], content["evalue"]) == ("ZeroDivisionError", "division by zero")
    text = "\n".join(content["traceback"])
    assert "During handling" not in text and "nursery" not in text
    assert value(client, "__import__('sys').exc_info()[0] is None")


def test_input_is_refused(client: Any) -> None:
    assert run(client, "input()")[0]["ename"] == "StdinNotImplementedError"
    assert printed(client, "import sys; print(repr(sys.__stdin__.read()))") == "''\n"


def test_asynchronous_cells_completion_and_magics(client: Any) -> None:
    assert printed(client, "import asyncio\nawait asyncio.sleep(0)\nprint('slept')") == "slept\n"
    assert printed(client, "%pwd\n%time 1") != ""
    reply = client.complete("imp", reply=True, timeout=30)
    assert "import" in reply["content"]["matches"]


def test_it_does_not_load_a_debugger_or_the_grammar_of_addresses(client: Any) -> None:
    assert value(client, "[__import__('sys').modules.get(n) for n in ('debugpy', 'rfc3987_syntax')]") == [None, None]


def test_an_interrupt_stops_a_cell_and_nothing_else(specs: Path) -> None:
    with started(specs) as (kernel, client):
        printed(client, "x = 1")
        for source in ("while True: pass", "import time; time.sleep(600)", "import asyncio; await asyncio.sleep(600)"):
            request = client.execute(source, stop_on_error=False)
            while client.get_iopub_msg(timeout=30)["msg_type"] != "execute_input":
                pass
            kernel.interrupt_kernel()
            reply = client.get_shell_msg(timeout=30)
            assert reply["parent_header"]["msg_id"] == request
            assert reply["content"]["ename"] in ("KeyboardInterrupt", "CancelledError")
        assert value(client, "x") == 1


def test_an_interrupt_between_cells_does_no_harm(specs: Path) -> None:
    """papermill interrupts a kernel as soon as it has answered the last request, in whatever it then does."""
    with started(specs) as (kernel, client):
        for _ in range(40):
            client.kernel_info(reply=True, timeout=30)
            os.kill(kernel.provisioner.pid, signal.SIGINT)
        assert value(client, "1") == 1


def test_a_loop_in_c_is_killed_when_an_interrupt_has_no_effect(specs: Path) -> None:
    with started(specs) as (kernel, client):
        client.execute("import time; print('begun', flush=True); time.sleep(0.05); sum(range(10**15))")
        while client.get_iopub_msg(timeout=30)["msg_type"] != "stream":
            pass
        pid = kernel.provisioner.pid
        before = busy(pid)
        assert until(lambda: busy(pid) > before + 0.3)
        kernel.interrupt_kernel()
        assert until(lambda: not kernel.is_alive())
        assert kernel.provisioner.process.poll() == -signal.SIGKILL
        assert not alive(pid)


def test_a_restart_is_a_new_process_behind_the_same_sockets(specs: Path) -> None:
    with started(specs) as (kernel, client):
        first = value(client, "[(x := 1), __import__('os').getpid()]")[1]
        for now in (False, True):
            kernel.restart_kernel(now=now)
            client.wait_for_ready(timeout=60)
            assert value(client, "'x' in globals()") is False
            assert value(client, "__import__('os').getpid()") == kernel.provisioner.pid != first


def test_shutdown_runs_what_the_notebook_registered_and_needs_no_force(specs: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    with started(specs) as (kernel, client):
        source = f"""
            import atexit, pathlib, tempfile, threading, time, weakref
            class Thing: pass
            thing = Thing()
            weakref.finalize(thing, lambda: open({str(told)!r}, 'a').write('finalized '))
            atexit.register(lambda: open({str(told)!r}, 'a').write('atexit '))
            folder = tempfile.TemporaryDirectory()
            threading.Thread(target=lambda: (time.sleep(0.2), open({str(told)!r}, 'a').write('thread '))).start()
            print(folder.name)
        """
        folder = Path(printed(client, "\n".join(line.strip() for line in source.splitlines())).strip())
        kernel.shutdown_kernel()
        assert kernel._shutdown_status.name == "ShutdownRequest"
    assert told.read_text().split() == ["thread", "atexit", "finalized"]
    assert not folder.exists()


def test_kernels_share_nothing(specs: Path, tmp_path: Path) -> None:
    draws = "[__import__('random').random(), __import__('numpy').random.rand(), __import__('uuid').uuid4().hex]"
    (tmp_path / "beside_the_notebook.py").touch()
    here = {"cwd": str(tmp_path), "env": environment(WARM_TEST="here")}
    with started(specs, **here) as (_, one), started(specs) as (_, other):
        assert value(one, "__import__('os').environ['WARM_TEST']") == "here"
        assert run(one, "import beside_the_notebook")[0]["status"] == "ok"
        assert run(other, "import beside_the_notebook")[0]["ename"] == "ModuleNotFoundError"
        printed(one, "import numpy, os; numpy.mark = x = 1; os.environ['LEFT'] = '1'; os.chdir('/')")
        assert value(other, "[hasattr(__import__('numpy'), 'mark'), 'x' in globals()]") == [False, False]
        assert value(other, "[__import__('os').environ.get(name) for name in ('LEFT', 'WARM_TEST')]") == [None, None]
        assert value(other, "__import__('os').getcwd()") == str(Path.cwd())
        assert not set(value(one, draws)) & set(value(other, draws))
        assert value(one, "__import__('os').getsid(0) == __import__('os').getpid()")


def test_it_is_like_a_kernel_that_was_started_anew(specs: Path) -> None:
    """Environment, signals, open files and module search path, compared with the kernelspec's own command."""
    source = """
        import os, signal, sys, threading
        seen = {
            "environment": sorted(set(os.environ) - {"JPY_PARENT_PID"}),
            "path": [os.path.realpath(entry) if entry else entry for entry in sys.path],
            "arguments": sys.argv[1],
            "signals": {int(n): str(signal.getsignal(n)) for n in (signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE)},
            "files": [os.readlink(f"/proc/self/fd/{n}") for n in (0,)],
            "threads": sorted(thread.name for thread in threading.enumerate() if "fd" not in thread.name),
            "config": "IPKernelApp" in get_ipython().config,
            "module": __name__,
            "flags": list(sys.flags),
        }
    """
    source = "\n".join(line.strip() for line in source.splitlines())
    with started(specs) as (_, warm), started(specs, extra_arguments=["--quiet"]) as (kernel, fresh):
        assert type(kernel.provisioner.process).__name__ == "Popen"
        printed(warm, source)
        printed(fresh, source)
        ours, theirs = value(warm, "seen"), value(fresh, "seen")
    theirs["files"] = ours["files"]  # there a pipe that is closed, here the null device: both are at their end
    theirs["threads"].remove("Thread-1")  # asks every second for its parent, which the system does here
    assert ours == theirs


def test_without_linux_a_fresh_kernel_is_started(specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linux, "supported", lambda: False)
    kernel = manager(specs)
    kernel.start_kernel(env=environment())
    try:
        assert kernel.transport == "tcp"
        assert type(kernel.provisioner.process).__name__ == "Popen"
    finally:
        kernel.shutdown_kernel(now=True)
