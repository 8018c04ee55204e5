"""JupyterLab as ``make lab`` starts it, without a browser: the kernels are listed and run a cell of a notebook."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from house import ROOT

from mmiocost.execution.warm import linux

TOKEN = "of-this-test"
PATIENCE = 120.0


def recipe() -> list[str]:
    """The command of ``make lab`` as make would run it, less the arguments of this test."""
    told = subprocess.run(["make", "-n", "lab", "ARGS=--no-browser"], cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return told.stdout.replace("\\\n", " ").splitlines()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a running JupyterLab."""
    runtime = tmp_path_factory.mktemp("runtime")
    (line,) = [line for line in recipe() if "jupyterlab" in line]
    quiet = f"--ServerApp.port=0 --IdentityProvider.token={TOKEN} --LabApp.news_url=None --ServerApp.log_level=ERROR"
    line = f"exec env {line.strip().replace('.venv/bin/python', sys.executable)} {quiet}"
    environ = os.environ | {"JUPYTER_RUNTIME_DIR": str(runtime), "JUPYTERLAB_WORKSPACES_DIR": str(runtime)}
    with subprocess.Popen(["/bin/sh", "-c", line], cwd=ROOT, env=environ, stderr=subprocess.PIPE) as running:
        try:
            end = time.monotonic() + PATIENCE
            while not (address := listening(runtime)):
                assert running.poll() is None, running.stderr and running.stderr.read().decode()
                assert time.monotonic() < end, "JupyterLab did not start"
                time.sleep(0.1)
            yield address
        finally:
            running.terminate()


def listening(runtime: Path) -> str:
    """Address of the server that says there that it runs, once it answers; it says so a moment before."""
    for file in runtime.glob("jpserver-*.json"):
        try:
            address: str = json.loads(file.read_text())["url"]
            ask(address, "api")
        except (OSError, ValueError):  # not listening yet, or the file is only half written
            continue
        return address
    return ""


def ask(server: str, path: str, told: dict[str, Any] | None = None) -> Any:
    body = None if told is None else json.dumps(told).encode()
    headers = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{server}{path}", body, headers)) as answer:
        return json.loads(answer.read())


def printed(server: str, kernel: str, code: str) -> str:
    """What a cell prints, run through the server's websocket as JupyterLab does."""
    import websocket

    address = f"{server.replace('http', 'ws', 1)}api/kernels/{kernel}/channels"
    connection = websocket.create_connection(address, header=[f"Authorization: token {TOKEN}"], timeout=PATIENCE)
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "session": "s",
        "username": "",
        "version": "5.3",
    }
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    connection.send(json.dumps(message))
    text = ""
    while True:
        got = json.loads(connection.recv())
        if got["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        if got["msg_type"] == "stream":
            text += got["content"]["text"]
        if got["msg_type"] == "error":
            text += "\n".join(got["content"]["traceback"])
        if got["msg_type"] == "status" and got["content"]["execution_state"] == "idle":
            connection.close()
            return text


def test_the_kernels_and_the_start_page_are_there(server: str) -> None:
    assert {"mmiocost", "mmiocost-warm"} <= set(ask(server, "api/kernelspecs")["kernelspecs"])
    names = {item["name"] for item in ask(server, "api/contents")["content"]}
    assert {"start.md", "05-fast-mmio.ipynb"} <= names
    assert any("lab/tree/start.md" in line for line in recipe())
    settings = ask(server, "lab/api/settings/@jupyterlab/docmanager-extension:plugin")
    assert settings["schema"]["properties"]["defaultViewers"]["default"] == {"markdown": "Markdown Preview"}


@pytest.mark.skipif(not linux.supported(), reason="kernels can't be forked here")
def test_a_notebook_runs_a_cell_with_the_warm_kernel(server: str) -> None:
    notebook = {"path": "05-fast-mmio.ipynb", "name": "", "type": "notebook", "kernel": {"name": "mmiocost-warm"}}
    session = ask(server, "api/sessions", notebook)
    cell = "import mmiocost; print(sorted(mmiocost.count('v30.ept.mmio')))"
    told = printed(server, session["kernel"]["id"], cell)
    assert "vm_exit" in told, told


def test_the_start_page_names_notebooks_that_exist() -> None:
    text = (ROOT / "notebooks" / "start.md").read_text()
    linked = re.findall(r"\]\(([^)]+)\)", text)
    assert linked
    assert all((ROOT / "notebooks" / Path(name)).is_file() for name in linked)
