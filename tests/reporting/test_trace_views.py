"""The user's own recordings in the report: figures and tables, provenance, names, and her machine beside others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from recordings import STALE, imported, mmio_exit, write_trace
from samples import HOSTILE

from mmiocost.evidence import load
from mmiocost.reporting import views
from mmiocost.reporting.context import Source
from mmiocost.reporting.display import Figure, Table
from mmiocost.reporting.imports import imports_hash, machine_label, own_machines, remarks, with_provenance

OF_TRACES = (views.exit_classes, views.hot_pages, views.time_lines, views.handler_tails, views.vcpu_threads)
VMEXIT = "vmexit_2026_pci.txt"


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imported(tmp_path_factory.mktemp("mine"), STALE, VMEXIT, kernel="6.8", machine="demo")


def tables(shown: Any) -> list[Table]:
    return [item for item in shown if isinstance(item, Table)]


def by_first(shown: Table) -> dict[object, tuple[object, ...]]:
    return {row[0]: row for row in shown.rows}


def test_the_classes_and_pages_are_those_of_the_sample(mine: Path) -> None:
    """From the sample's expected totals: 14 exits, HLT 310 of 433 us; two pages, six accesses each."""
    figure, table = views.exit_classes([str(mine)])
    assert isinstance(figure, Figure) and "71.6" in figure.see
    rows = by_first(table)
    assert rows["mmio_cached/user"][1] == 3 and rows["HLT"][3] == "310\u00a0us"
    assert sum(int(str(row[1])) for row in rows.values()) == 14
    _, pages = views.hot_pages([str(mine)])
    assert {row[0]: row[1] for row in pages.rows} == {"0xfe003000": 6, "0xfed00000": 6}
    (threads,) = views.vcpu_threads([str(mine)])
    assert threads.rows == (("thread-1", 4111, 0, 14, 12, 0),)


def test_every_figure_says_what_it_shows(mine: Path) -> None:
    figures = [item for view in OF_TRACES for item in view([str(mine)]) if isinstance(item, Figure)]
    assert len(figures) == 4
    for item in figures:
        assert STALE in item.spec["title"] and item.see.endswith(".") and item.rows and item.spec["description"]


def test_the_model_takes_the_exit_off_and_says_what_is_left(mine: Path) -> None:
    (table,) = views.model_beside([str(mine)])
    assert "generation v517" in table.caption and "demo/6.8" in table.caption
    rows = by_first(table)
    assert rows["mmio_cached/user write"][3] == "v517.ept.mmio_hit" and "HLT" not in rows
    for row in rows.values():
        round_trip, without = (float(str(cell).split()[0]) for cell in row[4:6])
        assert 0 < without < round_trip


def test_the_scenario_is_shown_or_what_keeps_it_from_being_derived(mine: Path) -> None:
    derived, gaps = views.derived_scenario([str(mine)])
    assert by_first(derived)["mmio_pages"][2] == "lower" and "slots" in by_first(gaps)


def test_without_a_trace_a_view_says_how_to_get_one() -> None:
    for view in (*OF_TRACES, views.model_beside, views.derived_scenario):
        (table,) = view()
        assert "mmiocost import" in str(table.rows)
    commands = str(views.recording_commands().rows)
    assert "perf record" in commands and "trace-cmd record" in commands and "kvm_stat" in commands


def test_an_import_is_told_with_its_file_checksum_and_host(mine: Path) -> None:
    files = by_first(views.imported_files([str(mine)]))
    assert files[STALE][1] == "ftrace" and str(files[STALE][2]).startswith("blake3:")
    assert files[STALE][3] == "kernel 6.8" and files[VMEXIT][-1] == "pseudonyms"


def test_the_own_machine_is_marked_and_comes_first(mine: Path) -> None:
    own = own_machines(load([mine]))
    assert own == {"demo"} and machine_label("demo", own) == "demo (yours)" and machine_label("x", own) == "x"
    assert views.machines([str(mine)]).rows[0][0] == "demo (yours)"
    figure = views.measured_against_fitted([str(mine)])
    named = [row[figure.columns.index("machine")] for row in figure.rows]
    assert named[0] == "demo (yours)" and len(set(named)) > 3
    assert all("(yours)" not in str(row) for row in views.machines().rows)


def test_kept_names_are_said_first_and_arrive_as_text(tmp_path: Path) -> None:
    """A thread called <script>: data in a table, escaped in its markup; the first page says that names are included."""
    comm = HOSTILE[:15]
    lines = [line for n in range(30) for line in mmio_exit(1000 + 20 * n, comm=comm)]
    trace = write_trace(tmp_path / "named.txt", lines)
    kept = imported(tmp_path / "kept", trace, keep_names=True)
    assert list(remarks([kept])) == ["Names of threads and hosts are included as they are (--keep-names): named.txt."]
    (threads,) = views.vcpu_threads([str(kept)])
    assert threads.rows[0][0] == comm
    markup = threads._repr_mimebundle_()["text/html"]
    assert "<script" not in markup and "&lt;script&gt;" in markup
    plain = imported(tmp_path / "plain", trace)
    assert list(remarks([plain])) == [] and "thread-1" in str(tables(views.vcpu_threads([str(plain)])))
    assert imports_hash([plain]) != imports_hash([kept])


def test_the_first_page_tells_an_import_with_file_format_host_and_checksum(mine: Path) -> None:
    known = load([mine]).sources.values()
    told = with_provenance([Source(item.id, item.title) for item in known], [mine])
    titles = {source.title for source in told if source.id.startswith("import-")}
    assert len(titles) == 2 and any(f"your file {STALE}, ftrace, kernel 6.8, blake3:" in title for title in titles)
    assert {source.title for source in told} - titles == {item.title for item in known if "import" not in item.id}
