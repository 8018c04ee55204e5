"""Decision records: those that are kept still hold, what turns one over is named, and a stranger's does no harm."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mmiocost.errors import InvalidInput
from mmiocost.evidence import load
from mmiocost.reporting.deciding import decide
from mmiocost.reporting.record import front_matter, head_of, parts, read_head, read_text, scenario_document
from mmiocost.reporting.record_check import check, source_digests
from mmiocost.reporting.record_folder import INDEX, page_body, records, superseded, write_folder
from mmiocost.reporting.record_text import plain
from mmiocost.resources import checkout
from mmiocost.whatif import next_measurement
from mmiocost.whatif.options import weigh
from mmiocost.whatif.scenario import Scenario, read_scenario, scenario_of

HOSTILE = "<script>alert(1)</script>|`x`[a](javascript:1)\n# b"
# The rows of tests/cli/test_own_evidence.py, so that their fit is made once: a host whose CPUID exit is slow.
OWN = """id,quantity,value,unit,source_id,machine,state,generation
m-1,exit.hypercall,1500,cycle,mine,myhost,6.8,v517
m-2,pio.write_userspace,6500,cycle,mine,myhost,6.8,v517
m-3,exit.cpuid,90000,cycle,mine,slowhost,6.8,v517
"""
KEPT = (checkout() or Path()) / "reports" / "decisions"
FILES = sorted(KEPT.glob("[0-9]*.md"))


@pytest.fixture
def kept(tmp_path: Path) -> Callable[..., Path]:
    """A copy of the kept record of a question with texts replaced."""

    def copy(question: str, *changes: tuple[str, str]) -> Path:
        text = next(path for path in FILES if question in path.name).read_text("utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / "0001-copy.md").write_text(text, "utf-8")
        return tmp_path / "0001-copy.md"

    return copy


def test_three_records_are_kept_one_for_each_question() -> None:
    assert [path.name for path in FILES] == [
        "0001-fast-mmio.md", "0002-bypass-guest-pf.md", "0003-unified-loop.md",
    ]  # fmt: skip
    index = (KEPT / INDEX).read_text("utf-8")
    assert all(f"({path.name}) | accepted |" in index for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_kept_record_still_holds(path: Path) -> None:
    found = check(path)
    assert (found.text, found.moved) == ("still holds", ())
    assert found.recorded.evidence == found.now.evidence


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_record_has_the_parts_of_madr_and_names_its_sources_with_author_date_and_address(path: Path) -> None:
    text = parts(path.read_text("utf-8"))[1]
    headings = re.findall("^## (.*)$", text, re.MULTILINE)
    assert headings == [
        "Context and Problem Statement", "Decision Drivers", "Considered Options", "Decision Outcome",
        "Pros and Cons of the Options", "More Information",
    ]  # fmt: skip
    assert text.count("judgement") >= 2
    for name in check(path).now.sources:
        source = load().sources[name]
        line = next(line for line in text.splitlines() if line.startswith(f"* {plain(name)}: "))
        assert plain(source.date) in line and plain(source.author) in line and source.path.strip() in line


def test_the_head_is_read_back_as_it_was_written() -> None:
    head = read_head(FILES[0].read_text("utf-8"), "")
    assert read_head(front_matter(head), "") == head
    asked = read_scenario(file="netperf-2011")
    again = scenario_of(scenario_document(asked))
    assert (again.counts, again.mix, again.mode, again.machine) == (asked.counts, asked.mix, asked.mode, asked.machine)


def test_a_decision_that_other_rows_overturned_names_their_source(kept: Callable[..., Path]) -> None:
    path = kept("unified-loop", ("decision: two paths", "decision: unified loop"))
    digest = re.search("makokten2026_exit_anatomy: ([0-9a-f]{16})", path.read_text("utf-8"))
    assert digest is not None
    assert check(path).text.startswith("turned over by the model, mmiocost ")
    path.write_text(path.read_text("utf-8").replace(digest[1], "0" * 16), "utf-8")
    assert check(path).text == "turned over by makokten2026_exit_anatomy"
    path.write_text(
        path.read_text("utf-8").replace("sources:\n", "sources:\n  gone2011: '0000000000000000'\n"), "utf-8"
    )
    assert check(path).by == ("makokten2026_exit_anatomy", "gone2011")


def test_changed_assumptions_are_named_where_no_source_changed(kept: Callable[..., Path]) -> None:
    evidence = read_head(FILES[2].read_text("utf-8"), "").evidence
    path = kept("unified-loop", ("decision: two paths", "decision: unified loop"), (evidence, "0" * 15 + "a"))
    assert check(path).by == (f"priors or assumptions, evidence {'0' * 15}a now {evidence}",)


def test_a_moved_interval_is_said_and_turns_nothing_over(kept: Callable[..., Path]) -> None:
    found = check(kept("unified-loop", ("probability: 0.7", "probability: 0.6")))
    assert (found.text, found.moved) == ("interval moved", ("probability",))


def test_own_evidence_is_named_where_it_turns_a_decision_over(tmp_path: Path) -> None:
    asked = read_scenario(["true_fault_fraction=0.04"], "shadow-kernel-build")
    found = weigh("bypass-guest-pf", asked, turns=False)
    (tmp_path / "0001.md").write_text(front_matter(head_of(found, "accepted", "2026-01-01", "0", source_digests([]))))
    assert (check(tmp_path / "0001.md").text, found.choice) == ("still holds", "drop")
    (tmp_path / "observations.csv").write_text(OWN)
    assert check(tmp_path / "0001.md", evidence=[tmp_path]).text == "turned over by mine"


def test_a_folder_with_an_index_of_something_else_is_left_alone(tmp_path: Path) -> None:
    for name in (INDEX, "index.html"):
        folder = tmp_path / name[:3]
        folder.mkdir()
        (folder / name).write_text("# My project\n")
        with pytest.raises(InvalidInput, match="has an index of something else"):
            decide("fast-mmio", out=folder)
        assert [(path.name, path.read_text()) for path in folder.iterdir()] == [(name, "# My project\n")]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("format: 1", "format: 2", "format=2: must be 1"),
        ("format: 1", "format: &a [1, *a]", "format"),
        ("question: fast-mmio", "question: ../../etc", "question=../../etc: must be one of"),
        ("decision: after", "decision: neither", "must be one of before, after"),
        ("probability: 0.9", "probability: .nan #", "must be a number"),
        ("probability: 0.9", "probability: !!python/object/apply:os.system ['true'] #", "is no decision record"),
        ("status: accepted", "status: <script>", "must be proposed, accepted or superseded by NNNN"),
        ("status: accepted", "status: accepted\nstatus: accepted", "stands twice"),
        ("mode: ept", "mode: ept\n  shell: rm", "unknown field"),
        ("slots: 32", "slots: 1e999", "slots"),
        ("sources:\n", "sources:\n  x: y\n", "must be a digest"),
        ("options:\n", "options:\n  <<: {}\n", "merge keys"),
        ("---\n", "", "has no front matter"),
    ],
)
def test_a_record_that_is_none_is_refused(kept: Callable[..., Path], old: str, new: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(said)):
        check(kept("fast-mmio", (old, new)))


def test_what_a_stranger_wrote_stays_text_in_markdown_and_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(next_measurement, "COPIES", 2)
    mix = {"fault_rate": 1e4, "true_fault_fraction": 0.3, "notrap_fraction": 1.0, "fill_rate": 400.0,
           "unsync_rate": 8.0, "mmio_rate": 1e3}  # fmt: skip
    hostile = Scenario(name=HOSTILE, about=HOSTILE, mode="shadow", mix=mix, sources={"mmio_rate": HOSTILE})
    first = decide("bypass_guest_pf", hostile, tmp_path)
    second = decide("bypass_guest_pf", hostile, tmp_path, status="accepted", supersedes=1)
    assert [path.name for path in (first.file, second.file)] == ["0001-bypass-guest-pf.md", "0002-bypass-guest-pf.md"]
    old, new = (read_head(read_text(path), "") for path in (first.file, second.file))
    assert (old.status, new.status) == ("superseded by 0002", "accepted")
    assert old.scenario["name"] == HOSTILE
    page = second.file.with_suffix(".html").read_text("utf-8")
    body = page.partition("<main")[2].partition("</main>")[0]
    assert "<script" not in body and "&lt;script&gt;" in body and 'href="javascript' not in body
    assert "<h1" in body and body.count("<h1") == 1
    assert '<a href="0001-bypass-guest-pf.html"' in body
    assert "Content-Security-Policy" in page and "vega.js" not in page
    assert "superseded by 0002" in (tmp_path / INDEX).read_text("utf-8")
    assert '<a href="0002-bypass-guest-pf.html"' in (tmp_path / "index.html").read_text("utf-8")
    assert check(second.file).text == "still holds"


def test_records_of_other_hands_are_numbered_past_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "0007-record-architecture-decisions.md").write_text("# 7. Record\n\n<script>\n")
    (tmp_path / "notes.md").write_text("none of ours")
    assert list(records(tmp_path)) == [7]
    write_folder(tmp_path, {})
    assert "0007-record-architecture-decisions](0007" in (tmp_path / INDEX).read_text("utf-8").replace("\\", "")
    assert not (tmp_path / "0007-record-architecture-decisions.html").exists()
    with pytest.raises(InvalidInput, match="must be a record of"):
        superseded(tmp_path, 3, 8)


def test_a_page_of_a_record_says_all_that_its_text_does() -> None:
    text = FILES[1].read_text("utf-8")
    evidence, page = page_body(text, FILES[1].name, {})
    assert evidence in page and "accepted" in page
    for cell in ("keep both", "98.5\u00a0%", "MMIO faults off"):
        assert cell in text and cell in page.replace("&nbsp;", "\u00a0")
