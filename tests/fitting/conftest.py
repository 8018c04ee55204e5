"""The packaged evidence and its fit, made once for all tests of this room."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mmiocost.evidence import Evidence, load
from mmiocost.fitting.fit import Fit, fit_evidence
from mmiocost.fitting.mixture import Mixture
from mmiocost.fitting.rows import Row
from mmiocost.resources import data_dir


@pytest.fixture(scope="session")
def evidence() -> Evidence:
    return load()


@pytest.fixture(scope="session")
def fitted(evidence: Evidence) -> tuple[Fit, Mixture, tuple[Row, ...]]:
    return fit_evidence(evidence)


@pytest.fixture(scope="session")
def fit(fitted: tuple[Fit, Mixture, tuple[Row, ...]]) -> Fit:
    return fitted[0]


@pytest.fixture
def write_rows(tmp_path: Path) -> Callable[..., Path]:
    """Write tidy rows into ``observations.csv`` of a new folder, with the header of the packaged file."""
    header = (data_dir() / "observations.csv").read_text("utf-8").splitlines()[0].split(",")

    def write(*rows: Mapping[str, object], name: str = "mine") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        with (folder / "observations.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, header, restval="")
            writer.writeheader()
            for number, row in enumerate(rows, start=1):
                writer.writerow({"id": f"mine-{number}", "source_id": "mine", "unit": "cycle", **row})
        return folder

    return write
