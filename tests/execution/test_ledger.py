from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmiocost.errors import InvalidInput
from mmiocost.execution import CellError, Recorded
from mmiocost.execution.ledger import FORMAT, Entry, inputs_of, read_entry, why_again, write_entry

GOOD = Entry({"notebook": "n", "evidence": "e"}, "out", "content", 1.5, None, (Recorded("x", 1.0, None, 2.0, "ns"),))
FAILED = Entry({}, "out", "", 0.0, CellError(3, "1 / 0", "ZeroDivisionError", "division by zero", "..."))


@pytest.mark.parametrize("entry", [GOOD, FAILED])
def test_an_entry_is_read_as_it_was_written(tmp_path: Path, entry: Entry) -> None:
    write_entry(tmp_path, "a", entry)
    assert read_entry(tmp_path, "a") == entry
    assert json.loads((tmp_path / "ledger" / "a.json").read_text())["format"] == FORMAT
    assert read_entry(tmp_path, "b") is None


def test_an_entry_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    write_entry(tmp_path, "a", GOOD)
    file = tmp_path / "ledger" / "a.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": FORMAT + 1}))
    with pytest.raises(InvalidInput, match="newer mmiocost"):
        read_entry(tmp_path, "a")


@given(st.data())
def test_a_damaged_entry_is_none(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Cut short anywhere, or with any field missing: never a traceback, never a wrong entry."""
    folder = tmp_path_factory.mktemp("ledger")
    write_entry(folder, "a", GOOD)
    file = folder / "ledger" / "a.json"
    written = file.read_bytes()
    file.write_bytes(written[: data.draw(st.integers(0, len(written) - 3))])
    assert read_entry(folder, "a") is None
    fields = json.loads(written)
    del fields[data.draw(st.sampled_from(sorted(fields)))]
    file.write_text(json.dumps(fields))
    assert read_entry(folder, "a") is None


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"format": 2}', '{"format": "x"}', "[" * 100_000])
def test_what_is_no_entry_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger" / "a.json").write_text(content)
    assert read_entry(tmp_path, "a") is None


@pytest.mark.parametrize(
    ("entry", "inputs", "output", "reason"),
    [
        (None, {}, "", "new"),
        (GOOD, GOOD.inputs, "out", ""),
        (GOOD, {**GOOD.inputs, "notebook": "m"}, "out", "notebook changed"),
        (GOOD, {"notebook": "n"}, "out", "evidence changed"),
        (GOOD, {**GOOD.inputs, "model code": "c", "notebook": "m"}, "out", "notebook and model code changed"),
        (GOOD, GOOD.inputs, "", "executed notebook missing"),
        (GOOD, GOOD.inputs, "other", "executed notebook changed"),
        (FAILED, {}, "out", "failed last time"),
    ],
)
def test_why_a_task_is_executed_again(entry: Entry | None, inputs: dict[str, str], output: str, reason: str) -> None:
    assert why_again(entry, inputs, output) == reason


@given(st.binary(), st.dictionaries(st.text(), st.integers() | st.text()))
def test_inputs_do_not_depend_on_the_order_of_parameters(content: bytes, parameters: dict[str, object]) -> None:
    backwards = dict(reversed(parameters.items()))
    assert inputs_of(content, parameters, {"h": "1"}) == inputs_of(content, backwards, {"h": "1"})


def test_each_input_changes_its_own_hash() -> None:
    first = inputs_of(b"x", {"a": 1}, {"evidence": "1"})
    others = {
        "notebook": inputs_of(b"y", {"a": 1}, {"evidence": "1"}),
        "parameters": inputs_of(b"x", {"a": "1"}, {"evidence": "1"}),
        "evidence": inputs_of(b"x", {"a": 1}, {"evidence": "2"}),
    }
    for name, other in others.items():
        assert {part for part in first if first[part] != other[part]} == {name}
