from __future__ import annotations

from pathlib import Path

import pytest
from samples import code, write_notebook

from mmiocost.errors import InvalidInput
from mmiocost.execution import Task
from mmiocost.execution.source import read_sources, source_of


def test_parameters_are_the_names_that_the_tagged_cell_assigns(tmp_path: Path) -> None:
    cell = code("import os\nslots = 8  # entries\nrate: float = 2.0\na = b = 1\nslots = 9", parameters=True)
    path = write_notebook(tmp_path / "a.ipynb", code("other = 1"), cell)
    assert source_of(path).parameters == ("slots", "rate", "a", "b")


def test_all_problems_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    good = write_notebook(tmp_path / "good.ipynb", code("slots = 8", parameters=True))
    plain = write_notebook(tmp_path / "plain.ipynb", code("1"))
    text = tmp_path / "text.ipynb"
    text.write_text("not json")
    old = tmp_path / "old.ipynb"
    old.write_text('{"nbformat": 3, "worksheets": []}')
    with pytest.raises(InvalidInput) as caught:
        read_sources(
            Task(path.stem, path, {"slotz": 3}) for path in (good, plain, text, old, tmp_path / "missing.ipynb")
        )
    lines = [problem.line() for problem in caught.value.problems]
    assert lines[0] == "good.ipynb: slotz=3: unknown parameter; the notebook has slots; did you mean 'slots'?"
    assert lines[1] == "plain.ipynb: slotz=3: the notebook has no parameters"
    assert [line.rpartition(": ")[2] for line in lines[2:]] == [
        "not valid JSON",
        f"{old}: is not a notebook of format 4".rpartition(": ")[2],
        "No such file or directory",
    ]


@pytest.mark.parametrize("content", ["[]", "null", '{"nbformat": 4}', '{"nbformat": 4, "cells": [1]}', "[" * 100_000])
def test_json_that_is_no_notebook_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(content)
    with pytest.raises(InvalidInput, match="not a notebook"):
        source_of(path)


def test_a_cell_of_parameters_that_is_not_python_is_refused(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "x.ipynb", code("slots =", parameters=True))
    with pytest.raises(InvalidInput, match="not valid Python"):
        source_of(path)


def test_a_value_that_json_cannot_hold_is_refused(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "x.ipynb", code("slots = 8", parameters=True))
    with pytest.raises(InvalidInput, match="parameters: slots="):
        read_sources([Task("x", path, {"slots": {1, 2}})])
