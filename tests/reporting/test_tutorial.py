"""The tutorial's recording: the sample without any evidence, the reader's own where there is one."""

from __future__ import annotations

from pathlib import Path

import nbformat
from house import ROOT
from recordings import STALE, imported

from mmiocost.reporting import views
from mmiocost.reporting.views.what_if import asked_scenario
from mmiocost.whatif.from_evidence import derive

NOTEBOOK = ROOT / "notebooks" / "16-from-trace-to-decision.ipynb"


def test_without_evidence_the_sample_is_imported_once() -> None:
    (first,) = views.recording()
    assert views.recording() == [first]
    assert "sample-trace.txt" in str(views.imported_files([first]).rows)


def test_the_readers_own_recording_comes_first(tmp_path: Path) -> None:
    own = imported(tmp_path / "own", STALE, kernel="6.6")
    (tmp_path / "empty").mkdir()
    assert views.recording([str(tmp_path / "empty"), str(own)]) == [str(own)]


def test_the_scenario_to_change_is_the_one_that_the_sample_describes() -> None:
    """Its rates are those of the trace, to the two digits that the notebook gives."""
    (cell,) = [cell.source for cell in nbformat.read(NOTEBOOK, 4).cells if "change me" in cell.source]
    names: dict[str, dict[str, object]] = {}
    exec(cell, names)
    scenario = asked_scenario(names["scenario"])
    (folder,) = views.recording()
    derived = derive(Path(folder)).derived
    given = {**scenario.counts, **scenario.mix}
    for symbol in ("mmio_rate", "mmio_pages", "userspace_fraction", "generation_rate"):
        assert abs(given[symbol] / float(derived[symbol].value) - 1) < 0.01, symbol
    assert scenario.after == derived["generation"].value
