"""What tests of the probe share: whether a VM runs here, and one short run where it does."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from mmiocost.errors import MmioCostError
from mmiocost.evidence.probe import campaign, microbenchmarks
from mmiocost.evidence.probe.kept import Measured
from mmiocost.evidence.probe.measuring import measure


@cache
def why_no_kvm() -> str:
    """Why no VM runs on this host; empty where one does."""
    try:
        campaign.first_look()
    except MmioCostError as error:
        return str(error)
    return ""


@pytest.fixture
def kvm() -> None:
    """Skip a test that needs /dev/kvm, with the reason."""
    if why_no_kvm():
        pytest.skip(why_no_kvm())


@pytest.fixture(scope="session")
def short_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Measured]:
    """The probe run once for some seconds: the evidence folder that it made and what it found."""
    if why_no_kvm():
        pytest.skip(why_no_kvm())
    folder = tmp_path_factory.mktemp("probed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(microbenchmarks, "measure", lambda *_: None)  # they would take a third of the time
        return folder, measure(folder, quick=True, budget_s=7)
