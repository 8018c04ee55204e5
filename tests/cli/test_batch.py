"""``mmiocost batch``: the document, the text, wrong use, reruns, a failing scenario, strangers' names, Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from nursery import shared_nursery
from samples import HOSTILE, code, write_notebook

from mmiocost.execution.recorded import RECORDED

SQUARE = f"""
from IPython.display import display
slots = scenario["set"]["slots"]
assert slots != 13, "unlucky"
square = {{"name": "square", "value": slots**2, "low": slots, "high": None, "unit": "cycle"}}
display({{{RECORDED!r}: {{"values": [square]}}}}, raw=True)
"""


@pytest.fixture(scope="module", autouse=True)
def nursery() -> Iterator[None]:
    with shared_nursery():
        yield


@pytest.fixture(autouse=True)
def no_preload(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmiocost.reporting.batch.PRELOAD", ())


def grid(folder: Path, *slots: int, source: str = SQUARE, **fields: Any) -> Path:
    write_notebook(folder / "square.ipynb", code("scenario = {}", parameters=True), code(source))
    file = folder / "grid.yaml"
    file.write_text(json.dumps({"notebooks": ["square.ipynb"], "over": {"slots": list(slots)}, **fields}))
    return file


def test_a_batch_from_end_to_end(cli_here: Callable[..., Any], tmp_path: Path) -> None:
    """A failing scenario is told with its cell, the rest goes on; a rerun does what is missing, and says why."""
    file, out = grid(tmp_path, 8, 13), tmp_path / "out"
    ran = cli_here("batch", file, "--out", out, "--json")
    document = ran.json()
    assert ran.status == 1
    assert {name: document[name] for name in ("total", "done", "cached")} == {"total": 2, "done": 1, "cached": 0}
    assert document["failed"] == [
        {"name": "scenario-slots-13.square", "cell": 3, "ename": "AssertionError", "evalue": "unlucky"}
    ]
    assert {"version", "evidence"} < set(document)
    assert "2 scenarios: 0 done already, 2 to run\n  new: 2\n" in ran.err
    table = pd.read_parquet(document["table"])
    good, bad = table.to_dict("records")
    assert (good["scenario"], good["slots"], good["name"], good["value"], good["low"], good["unit"]) == (
        "scenario-slots-8", 8, "square", 64.0, 8.0, "cycle",
    )  # fmt: skip
    assert pd.isna(good["high"])
    assert (bad["status"], bad["error"]) == ("failed", "cell 3: AssertionError: unlucky")
    assert "at least 8.00" in (out / "index.html").read_text()
    assert "unlucky" in (out / "scenario-scenario-slots-13.square.html").read_text()

    grid(tmp_path, 8, 9)
    ran = cli_here("batch", file, "--out", out)
    assert ran.status == 0
    assert ran.out.splitlines() == [
        "2 scenarios: 1 run now, 1 done before", f"All values: {out}/results.parquet", f"The page: {out}/index.html",
    ]  # fmt: skip
    grid(tmp_path, 8, 9, source=SQUARE + "\n")
    ran = cli_here("batch", file, "--out", out)
    assert "  notebook changed: scenario-slots-8.square, scenario-slots-9.square\n" in ran.err


def test_names_of_strangers_stay_in_the_folder_and_out_of_the_markup(
    cli_here: Callable[..., Any], tmp_path: Path
) -> None:
    names = ["../../up", "/etc/passwd", HOSTILE, "con", "A", "a", "x" * 190]
    scenarios = [{"name": name, "set": {"slots": 2 + number}} for number, name in enumerate(names)]
    file = grid(tmp_path, scenarios=scenarios, over={})
    assert cli_here("batch", file, "--out", tmp_path / "deep" / "out").status == 0
    made = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")}
    assert made == {"square.ipynb", "grid.yaml", "deep"}
    assert len(list((tmp_path / "deep" / "out" / "notebooks").iterdir())) == len(names)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]
    assert "<img src=x" not in (tmp_path / "deep" / "out" / "index.html").read_text()
    table = pd.read_parquet(tmp_path / "deep" / "out" / "results.parquet")
    assert table["scenario"].tolist() == names


@pytest.mark.parametrize(
    ("fields", "words", "line"),
    [
        ({"over": {"slotz": [1]}}, (), "over.slotz: unknown name; did you mean 'slots'?"),
        ({"notebooks": ["what-iff"]}, (), "notebook=what-iff: no such notebook; did you mean 'what-if'?"),
        ({"base": {"machine": "skylake-816"}}, (), "skylake-816"),
        ({"notebooks": ["plain.ipynb"]}, (), "plain.ipynb: scenario={"),
        ({}, ("--out", "xy://z"), "must be a folder or start with one of"),
        ({}, ("--jobs", "0"), "0 must be 1 or more"),
    ],
)
def test_wrong_use_starts_no_kernel_and_writes_nothing(
    cli_here: Callable[..., Any], tmp_path: Path, fields: dict[str, Any], words: tuple[str, ...], line: str
) -> None:
    write_notebook(tmp_path / "plain.ipynb", code("slots = 1", parameters=True))
    ran = cli_here("batch", grid(tmp_path, 8, **fields), "--out", tmp_path / "out", *words)
    assert (ran.status, ran.out) == (2, "")
    assert line in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    source = SQUARE.replace("slots = ", "import time; time.sleep(600 * (scenario['set']['slots'] == 9))\nslots = ")
    file, out = grid(tmp_path, 8, 9, source=source), tmp_path / "out"
    program = "import sys; sys.argv[0] = 'mmiocost'; from mmiocost.cli import run; run()"
    words = [sys.executable, "-c", program, "batch", str(file), "--out", str(out), "--jobs", "1"]
    batch = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not (out / "scenario-scenario-slots-8.square.html").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    batch.send_signal(signal.SIGINT)
    _, said = batch.communicate(timeout=60)
    assert batch.returncode == 130
    assert "1 of 2 scenarios are done; the same command does the rest\n" in said
    assert [path.name for path in (out / "notebooks").iterdir()] == ["scenario-slots-8.square.ipynb"]
    assert "Traceback" not in said
