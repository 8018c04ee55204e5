"""Batches of which any process is killed at any moment, and what has to hold afterwards.

A batch of small notebooks is run once undisturbed. Then it is started again and again in one folder; at a random moment
a random one of its processes gets SIGKILL. What the folder then says is done must be what the undisturbed run made;
no process may be left; and an undisturbed rerun must end with the same table and contents.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
from samples import code, write_notebook

from mmiocost import __version__
from mmiocost.evidence import evidence_hash
from mmiocost.execution import NotebookRun
from mmiocost.execution.ledger import FOLDER, read_entry
from mmiocost.execution.place import output_hash
from mmiocost.execution.recorded import RECORDED, content_of
from mmiocost.reporting.batch_site import Pages, page_of
from mmiocost.reporting.report import report_inputs

SCENARIOS = 8
_MARK = "MMIOCOST_KILLS"  # in the environment of every process of a round
_PATIENCE_S = 60
_RUN = """
import os, sys
from functools import partial
from pathlib import Path
from mmiocost.execution.pool import WorkerPool
from mmiocost.execution.warm import linux
from mmiocost.reporting.batch import batch
if linux.supported():
    from mmiocost.execution.warm.client import start_nursery
    # One of the processes that are killed; without libraries, since the notebooks need none.
    os.environ["MMIOCOST_NURSERY"] = start_nursery(sys.executable, [], dict(os.environ)).address
found = batch(Path(sys.argv[1]), Path(sys.argv[2]), jobs=2, workers=WorkerPool)
sys.exit(1 if found.failed else 0)
"""
_CELL = f"""
import time
from IPython.display import display
time.sleep(0.1)
slots = scenario["set"]["slots"]
print("x" * 50_000)
square = {{"name": "square", "value": slots**2, "low": 0, "high": None, "unit": "1"}}
display({{{RECORDED!r}: {{"values": [square]}}}}, raw=True)
"""


@dataclass
class Outcome:
    """Kills by the kind of process, reruns that were compared, and everything that was wrong."""

    kills: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    wrong: list[str] = field(default_factory=list)


def play(folder: Path, kills: int, seed: int, every: int = 10) -> Outcome:
    """Kill so often, comparing with an undisturbed run after ``every`` kills and at the end."""
    grid = _grid(folder)
    reference, out = folder / "reference", folder / "out"
    if _start(grid, reference).wait() != 0:
        raise RuntimeError("the undisturbed run failed")
    made, outcome, chance, inputs = _made(reference), Outcome(), random.Random(seed), report_inputs(())
    while outcome.kills.total() < kills:
        killed = _killed(grid, out, chance, outcome)
        outcome.wrong += _lies(out, made)
        if not killed:
            shutil.rmtree(out)
        elif outcome.kills.total() % every == 0 or outcome.kills.total() == kills:
            _compare(grid, out, reference, outcome)
            shutil.rmtree(out)
    if report_inputs(()) != inputs:
        raise RuntimeError("model code or evidence changed meanwhile, which lets every batch begin anew")
    return outcome


def _grid(folder: Path) -> Path:
    """A grid of scenarios for a notebook that records the square of the slots."""
    write_notebook(folder / "square.ipynb", code("scenario = {}", parameters=True), code(_CELL))
    grid = folder / "grid.yaml"
    slots = list(range(1, SCENARIOS + 1))
    grid.write_text(json.dumps({"base": {"name": "k"}, "notebooks": ["square.ipynb"], "over": {"slots": slots}}))
    return grid


def _start(grid: Path, out: Path, mark: str = "") -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", _RUN, str(grid), str(out)]
    return subprocess.Popen(words, env=os.environ | {_MARK: mark}, stderr=subprocess.DEVNULL)


def _killed(grid: Path, out: Path, chance: random.Random, outcome: Outcome) -> bool:
    """Start the batch and kill one of its processes; False if it ended before. Waits until none is left."""
    mark = uuid.UUID(int=chance.getrandbits(128)).hex
    batch = _start(grid, out, mark)
    time.sleep(chance.uniform(0.0, 4.0))
    kinds: dict[str, list[psutil.Process]] = {}
    for kind, process in _alive(mark):
        kinds.setdefault(kind, []).append(process)
    if not kinds:
        batch.wait()
        return False
    kind = chance.choice(sorted(kinds))
    try:
        chance.choice(sorted(kinds[kind], key=lambda process: process.pid)).kill()
        outcome.kills[kind] += 1
    except psutil.NoSuchProcess:
        pass
    if batch.wait(_PATIENCE_S) not in (0, 1, -9):
        outcome.wrong.append(f"the batch left with status {batch.returncode} after a kill of its {kind}")
    end = time.monotonic() + _PATIENCE_S
    while left := list(_alive(mark)):
        if time.monotonic() > end:
            outcome.wrong += [f"{name} {process.pid} is left after a kill of the {kind}" for name, process in left]
            for _, process in left:
                process.kill()
        time.sleep(0.05)
    return True


def _alive(mark: str) -> Iterator[tuple[str, psutil.Process]]:
    """Processes of a round that still run, with their kinds."""
    for process in psutil.process_iter():
        try:
            if process.environ().get(_MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                yield _kind(process), process
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue


def _kind(process: psutil.Process) -> str:
    """``batch``, ``worker``, ``nursery`` or ``kernel``, which is a fork of the nursery or a process of its own."""
    text = " ".join(process.cmdline())
    if _RUN in text:
        return "batch"
    if "mmiocost.execution.worker" in text:
        return "worker"
    if "mmiocost.execution.warm" not in text:
        return "kernel"
    parent = process.parent()
    return "kernel" if parent is not None and "mmiocost.execution.warm" in parent.cmdline() else "nursery"


def _made(out: Path) -> dict[str, tuple[str, str, str]]:
    """Of every task that the folder says is done: content by the ledger, by its notebook, and its page's text.

    The text is empty where a rerun makes the page anew.
    """
    found = {}
    pages = Pages(out, {"version": __version__, "evidence": evidence_hash(), "grid": "grid.yaml"})
    for file in sorted((out / FOLDER).glob("*.json")):
        entry, path = read_entry(out, file.stem), out / "notebooks" / f"{file.stem}.ipynb"
        if entry and not entry.error and entry.output == output_hash(path):
            content = content_of(json.loads(path.read_bytes()))
            run = NotebookRun(file.stem, "executed", entry.seconds, path)
            page = (out / page_of(run)).read_text() if pages.is_current(run) else ""
            found[file.stem] = (entry.content, content, page.rpartition("<!-- made from")[0])
    return found


def _lies(out: Path, made: dict[str, tuple[str, str, str]]) -> list[str]:
    """What a folder says is done and is not what the undisturbed run made."""
    wrong = []
    for name, found in _made(out).items():
        parts = zip(("ledger", "notebook", "page"), found, made[name], strict=True)
        wrong += [f"{name}: its {part} is another than undisturbed" for part, is_, was in parts if is_ not in ("", was)]
    index = out / "index.html"
    if index.exists() and not index.read_text().rstrip().endswith("</html>"):
        wrong.append("the index page is cut short")
    if (out / "results.parquet").exists():
        pd.read_parquet(out / "results.parquet")
    return wrong


def _compare(grid: Path, out: Path, reference: Path, outcome: Outcome) -> None:
    """Let the batch end in peace and compare all with the undisturbed run."""
    done: dict[str, Any] = _made(out)
    before = {name: output_hash(out / "notebooks" / f"{name}.ipynb") for name in done}
    if _start(grid, out).wait() != 0:
        outcome.wrong.append("the rerun failed")
    again = [name for name in done if output_hash(out / "notebooks" / f"{name}.ipynb") != before[name]]
    outcome.wrong += [f"{name} was done and was executed again" for name in again]
    if _made(out) != _made(reference):
        outcome.wrong.append("contents or pages differ from the undisturbed run")
    if not pd.read_parquet(out / "results.parquet").equals(pd.read_parquet(reference / "results.parquet")):
        outcome.wrong.append("the table differs from the undisturbed run")
    if left := [path.name for path in out.rglob(".*.????????")]:
        outcome.wrong.append(f"left beside: {left}")
    outcome.compared += 1
