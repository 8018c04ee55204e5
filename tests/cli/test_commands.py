"""Each command: its JSON by the contract, what it says of wrong use, and how it leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from documents import ABOUT, document
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mmiocost import __version__
from mmiocost.evidence import evidence_hash
from mmiocost.vocabulary import PATHS

Run = Callable[..., Any]
PREDICTION = ABOUT | {
    "quantity", "value", "low", "high", "unit", "level", "interval", "machine", "extrapolates", "outside",
    "prior_bounded", "sources",
}  # fmt: skip


def test_paths(cli_here: Run) -> None:
    found = document(cli_here("paths", "--json"))
    assert [item["path"] for item in found] == [path.name for path in PATHS]
    assert all(set(item) == ABOUT | {"path", "generation", "mode", "summary"} for item in found)


def test_count(cli_here: Run) -> None:
    found = document(cli_here("count", "v30.slot.miss", "--set", "slots=35", "--json"))
    assert set(found) == ABOUT | {"path", "events"}
    assert (found["path"], found["events"]) == ("v30.slot.miss", {"slot_search": 1, "slot_compare": 35})


def test_counts_of_many_cases_keep_their_order_and_a_bad_one_says_why(cli_here: Run, tmp_path: Path) -> None:
    cases = tmp_path / "cases.json"
    cases.write_text(json.dumps([
        {"path": "v30.slot.miss", "scenario": {"slots": 7}}, {"path": "v30.slot.mis"},
        {"path": "v30.slot.miss", "scenario": {"slots": 0}}, {"path": 3}, {"path": "v30.slot.hit", "scenario": {}},
    ]))  # fmt: skip
    found = document(cli_here("count", "--cases", cases, "--json"))
    assert [set(item) - ABOUT for item in found] == [{"path", "events"}, *[{"path", "error"}] * 3, {"path", "events"}]
    assert found[0]["events"]["slot_compare"] == 7
    assert "did you mean 'v30.slot.miss'" in found[1]["error"]


def test_predict(cli_here: Run) -> None:
    found = document(cli_here("predict", "saving:fast_mmio", "--set", "slots=32", "--json"))
    assert set(found) >= PREDICTION
    assert found["level"] == 0.95 and found["interval"] == "new_machine" and found["extrapolates"] is False
    assert found["low"] < found["value"] < found["high"]


def test_predictions_of_many_cases(cli_here: Run, tmp_path: Path) -> None:
    cases = tmp_path / "cases.json"
    cases.write_text(json.dumps([
        {"quantity": "saving:fast_mmio", "set": {"slots": 509, "mmio_rate": "20000/s"}}, {"quantity": "saving"},
        {"quantity": "cost:v517.any.hypercall", "machine": "skylake-8160/a-6.8-off-host"},
    ]))  # fmt: skip
    found = document(cli_here("predict", "--cases", cases, "--json"))
    assert [("error" in item) for item in found] == [False, True, False]
    assert found[0]["outside"] == ["slots"] and found[2]["interval"] == "known_machine"


def test_breakeven(cli_here: Run) -> None:
    found = document(cli_here("breakeven", "true_fault_fraction", "--between", "no-bypass", "bypass", "--json"))
    assert set(found) >= ABOUT | {"variable", "unit", "verdict", "crossings", "closed_form"}
    assert found["verdict"] == "crosses"
    assert set(found["crossings"][0]) == {"value", "low", "high", "cheaper_below", "cheaper_above"}


def test_fit(cli_here: Run, tmp_path: Path) -> None:
    found = document(cli_here("fit", "--out", tmp_path / "deep" / "fit.json", "--json"))
    assert set(found) >= ABOUT | {"parameters", "validation"}
    for item in found["parameters"]:
        assert set(item) >= {"name", "machine", "value", "low", "high", "unit", "identified", "sources"}
    assert json.loads((tmp_path / "deep" / "fit.json").read_text())["parameters"] == found["parameters"]


def observations(folder: Path) -> Path:
    file = folder / "observations.csv"
    file.write_text(
        "id,quantity,value,unit,source_id,generation,machine,state\n"
        "one,exit.hypercall,3900,cycle,mine,v36,unnamed-2012,3.7\n"
        "two,exit.hypercall,39000,cycle,mine,v36,unnamed-2012,3.7\n"
        "three,msr.write_ibpb,900,cycle,mine,v36,unnamed-2012,3.7\n"
    )
    return file


def test_score(cli_here: Run, tmp_path: Path) -> None:
    found = document(cli_here("score", observations(tmp_path), "--json"))
    assert set(found) >= ABOUT | {"observations", "scored", "not_scored", "coverage", "median_relative_error"}
    assert [item["inside"] for item in found["observations"]] == [True, False]
    assert all(set(item) >= {"id", "measured", "predicted", "low", "high", "inside"} for item in found["observations"])
    assert (found["scored"], found["coverage"]) == (2, 0.5)
    assert [item["id"] for item in found["not_scored"]] == ["three"] and found["not_scored"][0]["why"]


def test_score_for_a_person_marks_what_lies_outside(cli_here: Run, tmp_path: Path) -> None:
    ran = cli_here("score", observations(tmp_path))
    lines = ran.out.splitlines()
    assert ran.status == 0
    assert (
        lines[0].startswith("  one") and lines[1].startswith("! two") and lines[2].startswith("- three: not scored: ")
    )
    assert lines[-1].startswith("2 scored, 1 not; 50 % inside")


def test_fit_for_a_person_says_what_is_assumed(cli_here: Run) -> None:
    ran = cli_here("fit")
    assert ran.status == 0 and "assumed, no row informs it" in ran.out and "identified" in ran.out
    assert "64 rows of 7 machines in 17 states" in ran.out


def test_evidence(cli_here: Run) -> None:
    listed = document(cli_here("evidence", "list", "--json"))
    assert "observations" in {item["name"] for item in listed}
    shown = document(cli_here("evidence", "show", "bonzini2012_vmexit_pio", "--json"))
    assert shown["id"] == "bonzini2012_vmexit_pio"
    verdicts = document(cli_here("evidence", "verify", "--json"))
    assert all(item["ok"] for item in verdicts)
    for command in (("evidence",), ("evidence", "list"), ("evidence", "show", "observations"), ("evidence", "verify")):
        ran = cli_here(*command)
        assert ran.status == 0 and ran.out and ran.err == ""


def test_the_users_evidence_changes_the_hash(cli_here: Run, tmp_path: Path) -> None:
    observations(tmp_path)
    ran = cli_here(
        "predict", "cost:v36.any.hypercall", "--machine", "unnamed-2012/3.7", "--evidence", tmp_path, "--json"
    )
    assert ran.status == 0 and ran.json()["evidence"] == evidence_hash([tmp_path]) != evidence_hash()


# --- wrong use -------------------------------------------------------------------------------------------------

WRONG: dict[tuple[str, ...], str] = {
    ("cuont",): "count",
    ("count",): "mmiocost count: PATH: give either a path or --cases FILE",
    ("count", "v31.ept.mmio_hot"): "path=v31.ept.mmio_hot: unknown path; did you mean 'v31.ept.mmio_hit'?",
    ("count", "v30.slot.miss", "--set", "slots=0"): "--set: slots=0: must be an integer of 1 or more on v30.slot.miss",
    ("count", "v30.slot.miss", "--set", "mmio_rate=3"): "--set: mmio_rate=3: is a mean or a rate, which no count has",
    ("predict", "saving:fast_mmio", "--unit", "s"): "ns",
    ("predict", "saving:fast_mmio", "--machine", "nobody"): "machine=nobody: unknown machine",
    ("predict", "saving:fast_mmio", "--clock-hz", "fast"): "fast",
    ("predict", "saving:fast_mmio", "--scenario", "/nowhere.yaml"): "/nowhere.yaml: can't be read",
    ("predict", "saving:fast_mmio", "--evidence", "/nowhere"): "/nowhere",
    ("breakeven", "slots"): "--between",
    ("breakeven", "slots", "--between", "before", "after", "--range", "1"): "must be LOW:HIGH, two numbers",
    ("fit", "--oot", "x"): "--oot",
    ("score",): "FILE",
    ("score", "/nowhere.csv"): "/nowhere.csv",
    ("evidence", "show", "observation"): "observations",
    ("report", "no-such-notebook"): "no-such-notebook",
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "part"), WRONG.items(), ids=" ".join)
def test_wrong_use_is_a_line_for_a_person_or_json_and_status_2(
    arguments: tuple[str, ...], part: str, cli_here: Run
) -> None:
    ran = cli_here(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert part in ran.err and "Traceback" not in ran.err and len(ran.err.splitlines()) == 1
    ran = cli_here(*arguments, "--json")
    assert (ran.status, ran.err) == (2, "")
    assert ran.json()["version"] == __version__
    for problem in ran.json()["errors"]:
        assert set(problem) == {"where", "field", "got", "allowed", "nearest"}


@pytest.mark.parametrize(
    "command", ["report", "paths", "count", "predict", "scenario", "breakeven", "map", "fit", "score", "evidence"]
)
def test_help(command: str, cli_here: Run) -> None:
    ran = cli_here(command, "--help")
    assert ran.status == 0 and command in ran.out and ran.err == ""


def test_version(cli_here: Run) -> None:
    assert cli_here("--version").out == f"mmiocost {__version__}\n"


words = st.sampled_from([
    "scenario", "netperf-2011",
    "count", "predict", "breakeven", "paths", "score", "evidence", "show", "verify", "--json", "--set", "--machine",
    "--interval", "--between", "--range", "--cases", "--scenario", "--evidence", "--unit", "--help",
    "slots", "slots=4", "=",
    "v30.slot.miss", "saving:fast_mmio", "before", "after", "1:9", "9:1", "nan:inf", "/", "", "--", "-1", "ns",
]) | st.text(max_size=6)  # fmt: skip


@given(arguments=st.lists(words, max_size=6).filter(lambda found: "report" not in found and "fit" not in found))
@example(arguments=["predict", "saving:fast_mmio", "--json", "--set"])
@example(arguments=["breakeven", "slots", "--between", "before", "after", "--range", "-1:9"])
@example(arguments=["breakeven", "mmio_rate", "--between", "before", "after", "--range", "0:1"])
@example(arguments=["score", "\0"])
@example(arguments=["count", "--cases", "\0"])
@example(arguments=["predict", "cost:", "--scenario", "\0"])
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_arguments_lead_to_a_traceback(arguments: list[str], cli_here: Run) -> None:
    ran = cli_here(*arguments)
    assert ran.status in (0, 1, 2)
    assert "Traceback" not in ran.err
    assert ran.status == 0 or ran.err or "errors" in ran.out or "--json" in arguments


# --- processes -------------------------------------------------------------------------------------------------


def test_a_closed_pipe_ends_quietly() -> None:
    start = "import sys; sys.argv[0] = 'mmiocost'; from mmiocost.cli import run; run()"
    script = f'"{sys.executable}" -c "{start}" paths | head -n 1; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120)
    first, status = done.stdout.splitlines()
    assert first.startswith("v30.ept.mmio") and status in ("0", "141") and done.stderr == ""


def test_no_color_and_no_terminal_give_plain_text(cli: Run) -> None:
    ran = cli("predict", "saving:fast_mmio", env={"NO_COLOR": "1", "TERM": "dumb"})
    assert ran.status == 0 and ran.out.isascii() and "\x1b" not in ran.out


HEAVY = ("sympy", "scipy", "numba", "pint", "pandas", "altair", "yaml", "typer", "jinja2")
LOADED = """
import sys
from mmiocost.cli.main import main
status = main(sys.argv[1:])
print(status, sorted(name for name in {heavy!r} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("predict", "saving:fast_mmio", "--set", "slots=32", "--json"),
        ("predict", "cost:v31.ept.mmio_hit", "--set", "mmio_rate=5/s"),
        ("count", "v31.ept.mmio_hit", "--json"),
        ("breakeven", "slots", "--between", "before", "after", "--json"),
        ("paths",),
    ],
    ids=" ".join,
)
def test_a_warm_start_loads_no_heavy_library(arguments: tuple[str, ...], cli_here: Run) -> None:
    assert cli_here(*arguments).status == 0  # now equations, fit and closed form are kept
    code = LOADED.format(heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=os.environ, capture_output=True, text=True, timeout=300
    )
    assert done.stderr == "0 []\n"
