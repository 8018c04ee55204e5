"""Two reports compared: what moved and how far, what differs, and what a damaged report is answered with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sites
from samples import HOSTILE

from mmiocost.errors import InvalidInput
from mmiocost.evidence import load
from mmiocost.reporting.comparison import compare, comparison_document, comparison_html, comparison_text
from mmiocost.reporting.kept_answers import KeptAnswers, KeptSource, kept_sources, read_answers, write_answers
from mmiocost.whatif.answers import AnswerRow

SOURCES = (KeptSource("mail-1", "Mail", 3, "aa"), KeptSource("paper", HOSTILE, 5, "bb"))
THEN = KeptAnswers("0.1.0", "ab" * 32, "cd" * 32, "2026-01-02", (sites.ANSWER,), SOURCES)


def answering(*rows: AnswerRow, **changed: Any) -> KeptAnswers:
    """A report whose only answer has these rows."""
    return replace(THEN, answers=(replace(sites.ANSWER, rows=rows),), **changed)


def row(value: float | None, low: float | None, high: float | None, **changed: Any) -> AnswerRow:
    return AnswerRow(**{"label": "a", "value": value, "low": low, "high": high, "unit": "cycle", "note": "", **changed})


def test_the_same_report_moved_nowhere() -> None:
    found = compare(THEN, THEN)
    assert found.moves == ()
    assert found.sentence == "No answer moved: all 2 numbers are shown as in the other report."
    assert found.reasons == ("Version, code and evidence are the same.",)


@pytest.mark.parametrize(
    ("before", "now", "far"),
    [
        (row(590, 410, 810), row(590.4, 410.3, 809.8), None),  # shown alike
        (row(590, 410, 810), row(700, 500, 900), "within"),
        (row(590, 410, 810), row(850, 500, 1200), "outside"),  # the value left the other's interval
        (row(590, 100, 900), row(620, 600, 640), "outside"),  # the earlier value is out of the new interval
        (row(590, 410, 810), row(900, 820, 990), "apart"),
        (row(590, 410, None), row(900, 820, 990), "outside"),  # an open side has no end
        (row(3, None, None), row(5, None, None), "apart"),
        (row(590, 410, 810), row(590, 410, 810, unit="ns"), "changed"),
        (row(None, None, None, note="never pays"), row(0.5, 0.1, 0.9), "changed"),
        (row(None, None, None, note="never pays"), row(None, None, None, note="never pays"), None),
    ],
)
def test_how_far_a_number_moved(before: AnswerRow, now: AnswerRow, far: str | None) -> None:
    assert [move.far for move in compare(answering(before), answering(now)).moves] == ([far] if far else [])


def test_what_is_far_comes_first_and_rows_come_and_go() -> None:
    before = answering(row(590, 410, 810), row(1, 0.5, 2, label="gone"), row(3, 2, 4, label="b"))
    now = answering(row(600, 420, 810), row(9, 8, 10, label="b"), row(7, 6, 8, label="new"))
    found = compare(before, now)
    assert [(move.label, move.far) for move in found.moves] == [
        ("b", "apart"), ("new", "added"), ("gone", "removed"), ("a", "within"),
    ]  # fmt: skip
    assert found.sentence == "4 of 4 numbers moved, 1 of them out of the other report's interval."
    assert "a: 590 [410, 810] cycles -> 600 [420, 810] cycles (within" in comparison_text(found)


def test_what_differs_is_named() -> None:
    sources = (KeptSource("mail-1", "Mail", 4, "ee"), KeptSource("mine", "My probe", 2, "ff"))
    now = replace(THEN, version="0.2.0", code="00", evidence="99", sources=sources)
    assert compare(THEN, now).reasons == (
        "Version 0.1.0 then, 0.2.0 now.",
        "The model's code differs.",
        "Source added: mine (My probe), 2 rows fitted.",
        f"Source removed: paper ({HOSTILE}), 5 rows fitted.",
        "Source changed: mail-1 (Mail), 4 rows fitted, 3 then.",
    )
    assert "priors" in compare(THEN, replace(THEN, evidence="99")).reasons[0]


def test_a_strangers_text_arrives_as_text() -> None:
    hostile = answering(row(1, 0, 2, label=HOSTILE, note=HOSTILE), date=HOSTILE, sources=())
    page = comparison_html(compare(hostile, THEN))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_answers(THEN, tmp_path)
    assert read_answers(tmp_path) == THEN
    assert json.dumps(comparison_document(compare(THEN, answering())))


def test_the_packaged_sources_tell_their_rows() -> None:
    evidence = load()
    found = kept_sources(evidence)
    assert {source.id for source in found} >= set(evidence.sources)
    assert sum(source.fitted for source in found) == sum(row.use == "fit" for row in evidence.observations)


DAMAGE = {
    "no JSON": "{",
    "no object": "[]",
    "another format": '{"format": 7}',
    "no answers": '{"format": 1, "version": "1", "evidence": "", "code": "", "date": "", "sources": []}',
    "text for a number": json.dumps(
        {"format": 1, "version": "1", "evidence": "", "code": "", "date": "", "sources": [], "answers": [{"rows": [
            {"label": "a", "value": "1", "low": 0, "high": 2, "unit": "", "note": ""}]}]}
    ),
    "no finite number": '{"format": 1, "version": "1", "evidence": "", "code": "", "date": "", "sources": '
    '[{"id": "a", "title": "b", "fitted": NaN, "hash": "c"}], "answers": []}',
    "nested without end": "[" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("text", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_report_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "answers.json").write_text(text)
    with pytest.raises(InvalidInput) as refused:
        read_answers(tmp_path)
    assert "answers.json" in str(refused.value)
    assert "mmiocost report --out" in str(refused.value)


def test_a_folder_without_a_report_is_refused_with_the_command_that_writes_one(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(InvalidInput, match="mmiocost report --out DIR"):
            read_answers(folder)
