"""``measure``: one JSON document, a status that says what happened, a line for what could not be measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmiocost.evidence.probe import measuring
from mmiocost.evidence.probe.abi import ProbeUnavailable

NO_DEVICE = "/dev/kvm: no such device: the kvm module isn't loaded"
TIMES = {("slot_search", "tree", 4): [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}


@pytest.fixture
def without_kvm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host whose device is missing, with quick microbenchmarks."""

    def refuse() -> None:
        raise ProbeUnavailable(NO_DEVICE)

    monkeypatch.setattr(measuring.campaign, "first_look", refuse)
    monkeypatch.setattr(measuring.microbenchmarks, "measure", lambda values, *_: values.update(TIMES))


@pytest.mark.usefixtures("without_kvm")
def test_a_missing_device_is_one_line_and_status_1(cli_here: Callable[..., Any], tmp_path: Path) -> None:
    ran = cli_here("measure", "--quick", "--to", tmp_path)
    assert ran.status == 1
    assert ran.err.splitlines() == [f"not measured: {NO_DEVICE}"]


@pytest.mark.usefixtures("without_kvm")
def test_json_has_what_the_contract_names(cli_here: Callable[..., Any], tmp_path: Path) -> None:
    ran = cli_here("measure", "--quick", "--json", "--to", tmp_path)
    document = ran.json()
    assert {"probes", "file", "version", "evidence"} <= document.keys()
    assert (document["probes"], [item["value"] for item in document["microbenchmarks"]]) == ([], [3.5])
    assert document["refused"] == [NO_DEVICE]
    assert Path(document["file"]).is_file()


@pytest.mark.parametrize("budget", ["0", "a", "1e9", "nan"])
def test_a_budget_is_a_number_of_seconds(cli_here: Callable[..., Any], tmp_path: Path, budget: str) -> None:
    ran = cli_here("measure", "--budget", budget, "--to", tmp_path / "new")
    assert ran.status == 2
    assert "seconds from 2 to 3600" in ran.err
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_measured(
    cli_here: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    ran = cli_here("measure", "--to", tmp_path / "file")
    assert ran.status == 2
    assert "can't be written" in ran.err
