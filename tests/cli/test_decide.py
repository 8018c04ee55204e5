"""``decide``: its JSON by the contract, records that are checked again, exit status, wrong use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from documents import ABOUT, document

from mmiocost.reporting.record import read_head, read_text
from mmiocost.resources import checkout
from mmiocost.whatif import next_measurement

Run = Callable[..., Any]
KEPT = (checkout() or Path()) / "reports" / "decisions" / "0003-unified-loop.md"


def test_a_decision_is_written_and_told_as_json_and_holds(
    cli_here: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_measurement, "COPIES", 2)
    found = document(
        cli_here("decide", "unified_loop", "--scenario", "netperf-2011", "--out", tmp_path, "--status", "accepted",
                 "--json")
    )  # fmt: skip
    assert set(found) >= ABOUT | {"file", "decision", "probability", "expected_regret"}
    head = read_head(read_text(Path(found["file"])), "")
    assert (head.status, head.decision, head.question) == ("accepted", found["decision"], "unified-loop")
    assert head.probability == pytest.approx(found["probability"]) and 0 <= head.probability <= 1
    again = document(cli_here("decide", "--check", found["file"], "--json"))
    assert (again["verdict"], again["by"], again["moved"]) == ("still holds", [], [])


def test_only_a_decision_turned_over_leaves_with_1(cli_here: Run, tmp_path: Path) -> None:
    text = KEPT.read_text("utf-8")
    turned, moved = tmp_path / "turned.md", tmp_path / "moved.md"
    turned.write_text(text.replace("decision: two paths", "decision: unified loop", 1), "utf-8")
    moved.write_text(text.replace("probability: 0.7", "probability: 0.6", 1), "utf-8")
    for file, status, said in ((KEPT, 0, "still holds"), (moved, 0, "interval moved"), (turned, 1, "turned over by ")):
        ran = cli_here("decide", "--check", file)
        assert (ran.status, ran.err) == (status, "") and ran.out.startswith(said)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "name a question"),
        (("fast-mmoi",), "did you mean 'fast-mmio'"),
        (("fast-mmio", "--status", "rejected"), "must be one of proposed, accepted"),
        (("fast-mmio", "--supersedes", "9"), "must be a record of"),
        (("fast-mmio", "--check", "x.md"), "does not go with it"),
        (("--check", "nowhere.md"), "can't be read"),
    ],
)
def test_wrong_use_is_told(cli_here: Run, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    ran = cli_here("decide", *options, *(() if "--check" in options else ("--out", tmp_path)))
    assert (ran.status, ran.out) == (2, "") and said in ran.err
    assert not list(tmp_path.iterdir())
