from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmiocost.errors import InvalidInput
from mmiocost.execution.ledger import FORMAT, Entry, inputs_of, read_ledger, write_ledger


def test_a_ledger_is_read_as_it_was_written(tmp_path: Path) -> None:
    entries = {"b": Entry("i", "o", 1.5), "a": Entry("j", "p", 0.0)}
    write_ledger(tmp_path, entries)
    assert read_ledger(tmp_path) == entries
    assert json.loads((tmp_path / "ledger.json").read_text())["format"] == FORMAT


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.json").write_text(json.dumps({"format": FORMAT + 1, "notebooks": {}}))
    with pytest.raises(InvalidInput, match="newer mmiocost"):
        read_ledger(tmp_path)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"format": 1}', '{"format": 1, "notebooks": [1]}', '{"format": 1, "notebooks": {"a": {}}}'],
)
def test_a_damaged_ledger_is_no_ledger(tmp_path: Path, content: str) -> None:
    (tmp_path / "ledger.json").write_text(content)
    assert read_ledger(tmp_path) == {}


@given(st.binary(), st.dictionaries(st.text(), st.integers() | st.text()))
def test_inputs_do_not_depend_on_the_order_of_parameters(content: bytes, parameters: dict[str, object]) -> None:
    backwards = dict(reversed(parameters.items()))
    assert inputs_of(content, parameters, "h") == inputs_of(content, backwards, "h")


def test_each_input_changes_the_hash() -> None:
    ways = [(b"x", {}, "h"), (b"y", {}, "h"), (b"x", {"a": 1}, "h"), (b"x", {"a": "1"}, "h"), (b"x", {}, "g")]
    assert len({inputs_of(*way) for way in ways}) == len(ways)
