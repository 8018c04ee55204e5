"""The commands breakeven and map: JSON, files and wrong use; texts are in ``test_text``."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
MAP = ("map", "slots=1:64:8", "hit_fraction=0:1:5", "--between", "before", "after")


def test_breakeven_says_verdict_cases_and_when_its_formula_holds(cli_here: Run) -> None:
    found = cli_here("breakeven", "hit_fraction", "--between", "before", "after", "--set", "slots=8", "--json").json()
    assert {"variable", "unit", "verdict", "crossings", "closed_form", "version", "evidence"} <= set(found)
    assert set(found["shares"]) == {"crosses", "always", "never"} and set(found["cases"]) == {
        "above",
        "below",
        "several",
    }
    assert found["effect"] is True and found["closed_form"].startswith("D_first/(D_first + D_hit) with ")
    assert found["holds"][-1] == "D_hit <= 0 <= D_first: no break-even, after is cheaper nowhere"


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_map_writes_a_row_a_point(suffix: str, cli_here: Run, tmp_path: Path) -> None:
    file = tmp_path / f"map.{suffix}"
    found = cli_here(*MAP, "--out", file, "--json").json()
    assert (found["x"], found["y"], found["points"], found["file"]) == ("slots", "hit_fraction", 40, str(file))
    assert set(found["areas"]) == {"before", "after", "undecided", "not admitted"}
    assert sum(found["areas"].values()) == pytest.approx(1)
    if suffix == "csv":
        rows = list(csv.DictReader(file.read_text().splitlines()))
    else:
        import pyarrow.parquet as pq

        rows = pq.read_table(file).to_pylist()
    assert len(rows) == 40
    assert set(rows[0]) == {"slots", "hit_fraction", "winner", "share_before", "share_after", "saving_after"}
    winners = [row["winner"] for row in rows]
    assert {name: winners.count(name) / 40 for name in set(winners)} == pytest.approx(
        {name: area for name, area in found["areas"].items() if area}
    )


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("map", "slots", "--between", "before", "after"), "arguments are required: Y"),
        (("map", "slots=1:9", "mmio_rate", "--between", "before", "after"), "slots=1:9: must have the form NAME=LOW"),
        (("map", "slots=1:9:1", "mmio_rate", "--between", "before", "after"), "slots=1:9: must have a count from 2"),
        (("map", "slots=1:9:3000:lin", "mmio_rate", "--between", "before", "after"), "must have the form"),
        (("map", "mode=ept", "mmio_rate", "--between", "before", "after"), "mode: must be a symbol"),
        (("map", "mmio_rate=1:9:4000", "fault_rate=1:9:4000", "--between", "before", "after"), "at most 4000000"),
        (("map", "slot", "mmio_rate", "--between", "before", "after"), "did you mean 'slots'?"),
        ((*MAP, "--out", "map.txt"), "--out: map.txt: must end in .csv or .parquet"),
        (("map", "slots", "mmio_rate", "--between", "after"), "must be two or more different designs"),
    ],
)
def test_a_wrong_map_is_one_line_and_status_2(arguments: tuple[str, ...], part: str, cli_here: Run) -> None:
    ran = cli_here(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert part in ran.err and len(ran.err.splitlines()) == 1
