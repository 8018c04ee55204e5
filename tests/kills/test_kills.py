"""The kept result of many kills, and one of today."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from .rounds import play

KEPT = Path(__file__).with_name("result.json")


def test_a_hundred_kills_at_random_moments_did_no_harm() -> None:
    """`python -m tests.kills`, which make validate runs, writes the result."""
    kept = json.loads(KEPT.read_text())
    assert kept["wrong"] == []
    assert sum(kept["kills"].values()) >= 100
    assert {"batch", "worker", "kernel"} <= set(kept["kills"])
    assert kept["compared"] >= 10


@pytest.mark.skipif(sys.platform != "linux", reason="reads the environment of processes")
def test_a_kill_of_today_does_no_harm(tmp_path: Path) -> None:
    outcome = play(tmp_path, kills=1, seed=20260101)
    assert outcome.wrong == []
    assert outcome.kills.total() == 1
