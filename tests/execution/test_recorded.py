from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import code, shown

from mmiocost.execution import Recorded
from mmiocost.execution.recorded import RECORDED, content_of, recorded_values

GOOD = {"name": "saving", "value": 1, "low": None, "high": 2.5, "unit": "cycle"}


def notebook(*listed: Any) -> dict[str, Any]:
    return {"cells": [code("", outputs=[shown({RECORDED: {"values": list(listed)}})])]}


def test_a_value_is_taken_with_its_interval_and_the_last_of_a_name_counts() -> None:
    assert recorded_values(notebook(GOOD, {**GOOD, "value": 3})) == (Recorded("saving", 3.0, None, 2.5, "cycle"),)


@pytest.mark.parametrize(
    "wrong", [None, 1, [], {}, {**GOOD, "name": 1}, {**GOOD, "name": ""}, {**GOOD, "unit": None}]
)  # fmt: skip
def test_what_is_no_value_is_passed_over(wrong: Any) -> None:
    assert [value.name for value in recorded_values(notebook(wrong, GOOD))] == ["saving"]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 10**400, "1", True, [1]])
def test_a_number_that_is_none_is_missing(number: Any) -> None:
    assert recorded_values(notebook({**GOOD, "value": number}))[0].value is None


@given(st.recursive(st.none() | st.integers() | st.text(), lambda e: st.lists(e) | st.dictionaries(st.text(), e)))
def test_any_output_is_read_without_an_error(found: Any) -> None:
    recorded_values({"cells": [code("", outputs=[shown({RECORDED: found})])]})


def test_times_and_ids_are_no_part_of_the_content() -> None:
    first, second = notebook(GOOD), notebook(GOOD)
    second["cells"][0] |= {"id": "other", "metadata": {"papermill": {"start_time": "2026"}}}
    assert content_of(first) == content_of(second)
    assert content_of(first) != content_of(notebook({**GOOD, "value": 2}))
