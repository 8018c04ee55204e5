"""A copy of the packaged evidence for tests that change it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mmiocost import resources


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the packaged evidence that a test may damage."""
    copy = tmp_path / "data"
    shutil.copytree(resources.data_dir(), copy)
    monkeypatch.setattr(resources, "data_dir", lambda: copy)
    return copy
