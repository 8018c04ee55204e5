"""``--evidence DIR`` with and without ``--alone``, and ``score``, from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmiocost.evidence import ALONE, evidence_hash, load
from mmiocost.resources import data_dir

Run = Callable[..., Any]
HEADER = "id,quantity,value,unit,source_id,machine,state,generation"
ROWS = (
    "m-1,exit.hypercall,1500,cycle,mine,myhost,6.8,v517",
    "m-2,pio.write_userspace,6500,cycle,mine,myhost,6.8,v517",
    "m-3,exit.cpuid,90000,cycle,mine,slowhost,6.8,v517",
)


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evidence")
    (folder / "observations.csv").write_text("\n".join((HEADER, *ROWS)) + "\n")
    return folder


def test_a_fit_alone_cites_no_packaged_source_and_says_so(cli_here: Run, mine: Path) -> None:
    packaged, alone = cli_here("fit", "--json").json(), cli_here("fit", "--json", "--evidence", mine, "--alone").json()
    assert {source for item in alone["parameters"] for source in item["sources"]} == {"mine"}
    assert {source for item in packaged["parameters"] for source in item["sources"]} <= set(load().sources)
    assert (packaged["validation"]["rows"], alone["validation"]["rows"]) == (64, 3)
    assert alone["evidence"] == evidence_hash([mine, ALONE])
    assert len({evidence_hash(), evidence_hash([mine]), alone["evidence"]}) == 3
    assert (packaged["notes"], len(alone["notes"])) == ([], 1)
    assert packaged["conflicts"] == []
    assert [(item["host"], item["outside"]) for item in alone["conflicts"]] == [("myhost/6.8", 0), ("slowhost/6.8", 1)]


def test_what_contradicts_the_packaged_fit_is_said_first(cli_here: Run, mine: Path) -> None:
    lines = cli_here("fit", "--evidence", mine, "--alone").out.splitlines()
    assert lines[0].startswith("Your host slowhost/6.8 lies outside what the packaged fit predicts in 1 of 1 rows")
    assert lines[1].startswith("Your host myhost/6.8 agrees with the packaged fit: 2 of 2 rows")
    assert lines[2].startswith("Fitted from your evidence alone")
    assert cli_here("fit").out.startswith("cost on the median machine")


def test_a_prediction_alone_rests_on_fewer_rows(cli_here: Run, mine: Path) -> None:
    own = ("--evidence", mine, "--alone", "--json")
    ask = ("predict", "cost:v31.ept.mmio_hit")
    packaged, alone = cli_here(*ask, "--json").json(), cli_here(*ask, *own).json()
    assert set(alone["sources"]) == {"mine"} and "mine" not in packaged["sources"]
    assert set(alone["prior_bounded"]) > set(packaged["prior_bounded"])
    assert any("alone" in note for note in alone["notes"]) and not any("alone" in note for note in packaged["notes"])
    even = cli_here("breakeven", "slots", "--between", "before", "after", *own).json()
    assert even["evidence"] == alone["evidence"]


@pytest.mark.parametrize("command", [("fit",), ("predict", "saving:fast_mmio"), ("score", data_dir() / "states.csv")])
def test_alone_without_evidence_is_refused(cli_here: Run, command: tuple[object, ...]) -> None:
    ran = cli_here(*command, "--alone")
    assert ran.status == 2
    if command[0] != "score":  # whose file is read first
        assert ran.err == "--alone: needs evidence of your own: add --evidence DIR\n"


def test_every_row_of_the_packaged_evidence_is_accounted_for(cli_here: Run) -> None:
    found = cli_here("score", data_dir() / "observations.csv", "--json").json()
    rows = (data_dir() / "observations.csv").read_text("utf-8").count("\n") - 1
    assert found["scored"] + len(found["not_scored"]) == rows
    assert found["scored"] == len(found["observations"]) == sum(kind["scored"] for kind in found["kinds"])
    assert all(item["why"] for item in found["not_scored"])
    assert found["coverage"] == pytest.approx(sum(item["inside"] for item in found["observations"]) / found["scored"])


ODD = (
    f"{HEADER},colour",
    "a,exit.hypercall,1500,cycle,x,,,v517,red",
    "b,exit.hypercal,1500,cycle,x,,,v517,red",
    "c,exit.hypercall,1500,percent,x,,,v517,red",
    "d,exit.hypercall,1e300,s,x,nowhere,s,v517,red",
    "e,workload.netperf_tcp_rr,700,trans/s,x,,,v31,red",
)


@pytest.mark.parametrize(("start", "end"), [("", "\n"), ("\ufeff", "\r\n")])
def test_a_file_from_elsewhere_is_scored_row_by_row(cli_here: Run, tmp_path: Path, start: str, end: str) -> None:
    file = tmp_path / "odd.csv"
    file.write_text(start + end.join(ODD) + end, "utf-8", newline="")
    ran = cli_here("score", file)
    assert ran.status == 0 and ran.err == f"{file}:1: colour: unknown column, not used\n"
    assert "- b: not scored: unknown quantity; did you mean 'exit.hypercall'?" in ran.out
    assert "1 scored, 4 not" in ran.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("id,quantity,value\na,b,1\n", "unit: required column is missing"),
        (f"{HEADER}\na,exit.hypercall,nan,cycle,x,,,v517\n", "value=nan: must be a number"),
        (f"{HEADER}\na,exit.hypercall,1e999,cycle,x,,,v517\n", "is too large for a number"),
        (f"{HEADER}\na,exit.hypercall,1,kg,x,,,v517\n", "unit=kg: must be one of"),
    ],
)
def test_a_file_that_is_no_table_of_observations_is_refused(
    cli_here: Run, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "bad.csv").write_text(text)
    ran = cli_here("score", tmp_path / "bad.csv")
    assert (ran.status, ran.out) == (2, "") and said in ran.err


def test_a_header_without_rows_is_scored_to_nothing(cli_here: Run, tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text(f"{HEADER}\n")
    found = cli_here("score", tmp_path / "none.csv", "--json").json()
    assert (found["scored"], found["not_scored"], found["coverage"]) == (0, [], None)
