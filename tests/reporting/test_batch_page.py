"""The summary of a batch: one table with units and intervals, an index that escapes, pages made only when needed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import batches
import pandas as pd
import pyarrow.parquet as pq
from samples import HOSTILE

from mmiocost.reporting.batch_site import Pages, page_of
from mmiocost.reporting.batch_table import write_table


def test_the_table_has_a_row_for_every_value_and_says_what_it_is_of(tmp_path: Path) -> None:
    rows = batches.rows(tmp_path, 3)
    path = write_table(rows, tmp_path, batches.ABOUT)
    table = pd.read_parquet(path)
    assert len(table) == 2 * 2 + 1  # two runs with two values, one that failed
    first = table.iloc[0]
    assert first[["scenario", "slots", "mode", "name", "value", "low", "high", "unit"]].tolist() == [
        "s0", 1, "ept", "saving:fast_mmio", 0.0, -10.0, 12.0, "cycle",
    ]  # fmt: skip
    assert table.dtypes["slots"] == "int64"
    failed = table[table["status"] == "failed"].iloc[0]
    assert failed["error"] == f"cell 2: ValueError: {HOSTILE}"
    assert pd.isna(failed["value"])
    assert json.loads(pq.read_schema(path).metadata[b"mmiocost"]) == batches.ABOUT


def test_the_index_lets_no_markup_in_and_nothing_is_loaded_from_elsewhere(tmp_path: Path) -> None:
    rows = batches.rows(tmp_path, 6, name=HOSTILE)
    pages = Pages(tmp_path, batches.ABOUT)
    for row in rows:
        pages.add(row.run)
    text = pages.finish(rows).read_text()
    assert "<img src=x" not in text
    assert "<script>alert" not in text
    assert set(re.findall(r'(?:src|href)="((?:https?|//)[^"]*)"', text)) == set()
    assert "0 [−10, 12]\u00a0cycles" in text
    assert (tmp_path / "assets" / "batch.js").is_file()


def test_a_page_is_made_anew_only_when_its_notebook_or_itself_is_not_as_it_was(tmp_path: Path) -> None:
    """Its last line says what it was made from: one that is cut short has none."""
    run = batches.rows(tmp_path, 1)[0].run
    page = tmp_path / page_of(run)
    Pages(tmp_path, batches.ABOUT).add(run)
    first, made = page.read_bytes(), page.stat().st_mtime_ns
    Pages(tmp_path, batches.ABOUT).add(run)
    assert page.stat().st_mtime_ns == made
    page.write_bytes(first[: len(first) // 2])
    Pages(tmp_path, batches.ABOUT).add(run)
    assert page.read_bytes() == first
    Pages(tmp_path, {**batches.ABOUT, "evidence": "other"}).add(run)
    assert page.read_bytes() != first
