"""``scenario --from DIR``: from imported traces to a scenario file that the other commands take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recordings import INTEL, STALE, imported

from mmiocost.evidence import evidence_hash
from mmiocost.evidence.importers.recording import FTRACE

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def stale(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imported(tmp_path_factory.mktemp("stale"), STALE, kernel="6.6")


def test_the_document_has_scenario_derived_and_missing(cli_here: Run, stale: Path) -> None:
    ran = cli_here("scenario", "--from", stale, "--json")
    assert (ran.status, ran.err) == (0, "")
    document = ran.json()
    assert document["scenario"]["set"]["mmio_rate"] == 16830
    assert set(document["derived"]["mmio_rate"]) == {"value", "low", "high", "source", "rule", "bound"}
    assert document["derived"]["mmio_pages"]["bound"] == "lower" and document["derived"]["mmio_pages"]["high"] is None
    assert document["derived"]["mode"] == {
        "value": "ept", "low": None, "high": None, "source": STALE, "rule": "exits EPT_MISCONFIG, EPT_VIOLATION",
        "bound": None,
    }  # fmt: skip
    assert {"slots", "cold_search_fraction", "notrap_fraction", "fault_rate"} <= set(document["missing"])
    assert document["defaults"]["slots"] == {"default": "4", "range": "1 to 512"}
    assert document["evidence"] == evidence_hash([stale])


def test_from_a_trace_to_an_answer(cli_here: Run, stale: Path, tmp_path: Path) -> None:
    """The recipe of the README: what is written is asked as it stands, and names its source."""
    file = tmp_path / "my.yaml"
    ran = cli_here("scenario", "--from", stale, "--out", file)
    assert ran.status == 0 and ran.out.isascii() and str(file) in ran.out
    assert "slots" in ran.out.partition("Missing")[2]
    assert "in their place: is_write, stale_share, hit_fraction" in ran.out
    commands = [line.split()[1:] for line in ran.out.splitlines() if line.startswith("  mmiocost ")]
    assert {command[0] for command in commands} == {"predict", "breakeven"}
    assert all(cli_here(*command).status == 0 for command in commands)
    shown = cli_here("scenario", file)
    assert "16830/s" in shown.out and f"file {STALE}" in shown.out


def test_files_that_disagree_are_shown_with_status_2(cli_here: Run, tmp_path: Path) -> None:
    folder = imported(tmp_path / "two", STALE, INTEL, kernel="6.6")
    ran = cli_here("scenario", "--from", folder)
    assert ran.status == 2 and STALE in ran.err and INTEL in ran.err and ran.out == ""
    preferred = cli_here("scenario", "--from", folder, "--prefer", INTEL, "--json").json()
    assert preferred["derived"]["userspace_fraction"]["source"] == INTEL


def test_wrong_usage_is_a_line(cli_here: Run, stale: Path, tmp_path: Path) -> None:
    for options in (
        ("slot-churn", "--from", stale), ("--out", "x.yaml"), ("--prefer", "x"), ("--workload", "x"),
        ("--from", tmp_path), ("--from", tmp_path / "nowhere"), ("--from", stale, "--out", tmp_path / "no" / "x" / ""),
        ("--from", stale, "--prefer", "x"), ("--from", stale, "--workload", "x"),
    ):  # fmt: skip
        ran = cli_here("scenario", *options)
        assert ran.status in (0, 2) and "Traceback" not in ran.err, options
        assert ran.status == 2 or options[-2] == "--out"
    assert "mmiocost import" in cli_here("scenario", "--from", tmp_path).err


def test_costs_against_the_fit_are_said_before_the_files(cli_here: Run, tmp_path: Path) -> None:
    slow = tmp_path / "slow.txt"
    slow.write_text("cpuid 90000\nvmcall 88000\n")
    lines = cli_here("import", slow, "--to", tmp_path / "e", "--kernel", "6.8", "--machine", "slow").out.splitlines()
    assert lines[0].startswith("Your host slow/6.8 lies outside what the packaged fit predicts in 2 of 2 rows")
    assert lines[1].startswith(str(slow))
    again = cli_here("import", slow, "--to", tmp_path / "e").out
    assert not again.startswith("Your host")


def test_help_says_how_to_record(cli_here: Run) -> None:
    assert FTRACE.splitlines()[0] in cli_here("import", "--help").out
