"""``mmiocost sweep``: the document, the text, wrong use; Ctrl-C, a full disk, and files that are in the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mmiocost.whatif.predict import predict
from mmiocost.whatif.scenario import Scenario
from mmiocost.whatif.sweep_file import about

GRID = ("--over", "slots=8:512:9", "--over", "hit_fraction=0,1")


def test_the_document(cli_here: Callable[..., Any], tmp_path: Path) -> None:
    ran = cli_here(
        "sweep", "saving:fast_mmio", *GRID, "--set", "guest_levels=3", "--out", tmp_path / "a.parquet", "--json"
    )
    document = ran.json()
    assert (ran.status, ran.err) == (0, "")
    assert {name: document[name] for name in ("rows", "file", "complete")} == {
        "rows": 18, "file": str(tmp_path / "a.parquet"), "complete": True,
    }  # fmt: skip
    assert {"version", "evidence"} < set(document)
    table = pd.read_parquet(tmp_path / "a.parquet")
    one = predict("saving:fast_mmio", Scenario(counts={"slots": 512, "guest_levels": 3}, mix={"hit_fraction": 1.0}))
    assert table.iloc[-1][["value", "low", "high"]].tolist() == pytest.approx([one.value, one.low, one.high])


def test_the_text(cli_here: Callable[..., Any], tmp_path: Path) -> None:
    ran = cli_here("sweep", "saving:fast_mmio", *GRID, "--out", tmp_path / "a.parquet")
    assert ran.status == 0
    assert ran.out.splitlines() == [
        f"{tmp_path}/a.parquet: 18 points",
        "  columns: slots, hit_fraction, value, low, high, extrapolates",
        "  saving:fast_mmio, in cycle: median and 95 % interval of the mean on a machine not yet measured",
    ]
    again = cli_here("sweep", "saving:fast_mmio", *GRID, "--no-interval", "--out", tmp_path / "a.parquet")
    assert again.out.splitlines()[1:] == [
        "  columns: slots, hit_fraction, value_at_median_costs, extrapolates",
        "  saving:fast_mmio, in cycle: at the median cost of every event",
    ]


def test_an_axis_without_effect_is_said(cli_here: Callable[..., Any], tmp_path: Path) -> None:
    ran = cli_here("sweep", "saving:fast_mmio", "--over", "generation_rate=0,5", "--out", tmp_path / "a.parquet")
    assert ran.out.splitlines()[-1].startswith("  generation_rate has no effect with after=v31")


def test_a_sample(cli_here: Callable[..., Any], tmp_path: Path) -> None:
    words = ("--over", "slots=8:512", "--over", "mmio_rate=100:1e6:log", "--sample", "sobol", "--points", 100)
    ran = cli_here("sweep", "saving:fast_mmio", *words, "--out", tmp_path / "a.parquet", "--json")
    assert (ran.status, ran.json()["rows"]) == (0, 100)
    kept = about(tmp_path / "a.parquet")
    assert kept and (kept["sample"], kept["seed"]) == ({"kind": "sobol", "points": 100}, 20110609)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--over", "slots=8:512"), "--over: slots=8:512: must have the form NAME=LOW:HIGH:COUNT[:log] on a grid"),
        (("--over", "slots=8,9", "--sample", "lhs"), "mmiocost sweep: --sample and --points go together"),
        (
            ("--over", "slots=8,9", "--points", 0, "--sample", "lhs"),
            "mmiocost sweep: argument --points: 0 must be 1 or more; `mmiocost sweep --help` lists what there is",
        ),
        (("--over", "slots=8,9", "--set", "slot=3"), "--set: slot: unknown name; did you mean 'slots'?"),
    ],
)  # fmt: skip
def test_wrong_use_is_one_line_and_leaves_no_file(
    cli_here: Callable[..., Any], tmp_path: Path, words: tuple[Any, ...], line: str
) -> None:
    ran = cli_here("sweep", "saving:fast_mmio", *words, "--out", tmp_path / "a.parquet")
    assert (ran.status, ran.out, ran.err) == (2, "", f"{line}\n")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_sweep_is_not_replaced(cli_here: Callable[..., Any], tmp_path: Path) -> None:
    for name in ("text", "other.parquet", "folder"):
        place = tmp_path / name
        if name == "folder":
            place.mkdir()
        elif name == "text":
            place.write_text("mine")
        else:
            pd.DataFrame({"mine": [1]}).to_parquet(place)
        ran = cli_here("sweep", "saving:fast_mmio", *GRID, "--out", place)
        expected = f"--out: {place}: exists and is no sweep: choose another name, or remove it\n"
        assert (ran.status, ran.err) == (2, expected)
    assert (tmp_path / "text").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_one_line(cli_here: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = cli_here("sweep", "saving:fast_mmio", *GRID, "--out", tmp_path / "file" / "a.parquet")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err in {
        f"{tmp_path}/file/a.parquet: can't be written: {why}\n" for why in ("Not a directory", "File exists")
    }


# --- In a process of its own -------------------------------------------------------------------------------------

START = """
import resource, sys
limit = int(sys.argv.pop(1))
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.argv[0] = "mmiocost"
from mmiocost.cli import run
run()
"""
ENDLESS = ("--over", "slots=1:1000:1000", "--over", "generation_rate=0:1e3:100000", "--over", "after=v311")


def start(limit: int, *words: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", START, str(limit), "sweep", "saving:fast_mmio", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # also where tests run in the background
    )  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_ctrl_c_leaves_a_file_with_what_is_done(tmp_path: Path) -> None:
    place = tmp_path / "a.parquet"
    process = start(0, *ENDLESS, "--out", place, "--json")
    while process.poll() is None and not any(path.stat().st_size > 1000 for path in tmp_path.iterdir()):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=600)
    assert process.returncode == 130
    kept, table = about(place), pd.read_parquet(place)
    assert err == f"interrupted: {place} holds {len(table)} of 100000000 points\n"
    assert '"complete": false' in out
    assert kept and not kept["complete"] and len(table) >= 2**16
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX limits")
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    process = start(20_000, *ENDLESS, "--no-interval", "--out", tmp_path / "a.parquet")
    out, err = process.communicate(timeout=600)
    assert (process.returncode, out) == (1, "")
    assert err == f"{tmp_path}/a.parquet: can't be written: File too large\n"
    assert list(tmp_path.iterdir()) == []
