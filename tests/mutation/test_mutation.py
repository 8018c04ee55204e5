"""The kept score of faults put into either side is that of this code, and the harness tells faults from rewrites."""

from __future__ import annotations

import ast
from random import Random
from typing import Any

import pytest

from mmiocost.mechanism import simulate
from mmiocost.vocabulary import resolve

from .drawn import ALL_PATHS, points
from .faults import Fault, compiled, faults
from .judge import Verdict, again, disagreements
from .result import complaints, hashes, key, read, reasons, tally, why_not_current
from .rooms import faults_of, file_of, modules, replaced, source_of
from .sides import counted, differing, expressions, run

SAMPLE = 40
FEW_PATHS = ("v31.shadow.mmio_first", "v40.slot.miss", "v517.ept.mmio_stale", "unified.ept.access")


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    return read()


def test_the_kept_result_is_of_this_code(kept: dict[str, Any]) -> None:
    assert why_not_current(kept) == ""


def test_a_result_of_other_code_names_the_command() -> None:
    assert (
        why_not_current({"hashes": {**hashes(), "mechanism": ""}}) == "made with another mechanism: run `make mutate`"
    )


def test_every_fault_is_noticed_or_explained(kept: dict[str, Any]) -> None:
    assert set(kept["verdicts"]) == set(modules())
    assert complaints(kept["verdicts"]) == []
    assert kept["score"] == tally(verdict for row in kept["verdicts"].values() for verdict in row)
    assert all(row["reason"] and row["searched"] >= 2000 for row in kept["survivors"])


def test_there_are_hundreds_of_faults_on_either_side(kept: dict[str, Any]) -> None:
    for room in ("equations", "mechanism"):
        assert sum(row["faults"] for module, row in kept["modules"].items() if module.startswith(room)) > 500


def _sample(kept: dict[str, Any]) -> list[tuple[Fault, Verdict]]:
    """Faults drawn anew for each state of the code, some survivors among them; no slow ones."""
    judged = [
        (fault, verdict)
        for module in modules()
        for fault, verdict in zip(faults_of(module), kept["verdicts"][module], strict=True)
        if verdict.outcome != "timeout"
    ]
    choose = Random(repr(kept["hashes"]))
    alive = [item for item in judged if item[1].outcome == "survived"]
    return choose.sample(judged, SAMPLE - 5) + choose.sample(alive, 5)


def test_a_sample_of_faults_fares_as_it_did(kept: dict[str, Any]) -> None:
    if why_not_current(kept):
        pytest.skip("the kept result is of other code, which another test says")
    parted = {
        key(fault): (verdict, found) for fault, verdict in _sample(kept) if (found := again(fault, verdict)) != verdict
    }
    assert parted == {}


@pytest.mark.parametrize("path", FEW_PATHS)
def test_without_a_fault_the_sides_agree(path: str) -> None:
    assert disagreements([path]) == []


def _noticed(module: str, old: str, new: str) -> set[str]:
    """Events in which a module with changed text differs from the other side, on all paths."""
    source = source_of(module)
    assert source.count(old) == 1
    right = {path: counted(expressions(path), points(path)[:8]) for path in ALL_PATHS}
    code = compile(source.replace(old, new), str(file_of(module)), "exec", dont_inherit=True)
    with replaced(module, code):
        return {
            event
            for path in ALL_PATHS
            for place, found in enumerate(_counts(module, path))
            for event in differing(found, right[path][place])
        }


def _counts(module: str, path: str) -> list[dict[str, int]]:
    tried = points(path)[:8]
    return (
        counted(expressions(path), tried) if module.startswith("equations") else [run(path, point) for point in tried]
    )


WRONG = [
    ("equations.guest_fault", "ENTRIES = 512", "ENTRIES = 511", {"prefetch_pte_scan"}),
    (
        "equations.exits",
        "tally(vm_exit_page_fault=1)",
        "tally(vm_exit_page_fault=2)",
        {"vm_exit_page_fault", "exit_mitigation"},
    ),
    (
        "mechanism.emulator",
        'user space has served")',
        'user space has served", 2)',
        {"emulate_resume"},
    ),
]


@pytest.mark.parametrize(("module", "old", "new", "events"), WRONG)
def test_a_wrong_constant_is_noticed(module: str, old: str, new: str, events: set[str]) -> None:
    assert _noticed(module, old, new) == events


SAME = [
    ("equations.guest_fault", "ENTRIES = 512", "ENTRIES = 8 * 64"),
    (
        "equations.guest_walk",
        "guest_levels - Equal(guest_levels, 3) - last_level + 1",
        "1 + guest_levels - last_level - Equal(guest_levels, 3)",
    ),
    ("mechanism.slots", "start + (end - start) // 2", "(start + end) // 2"),
]


@pytest.mark.parametrize(("module", "old", "new"), SAME)
def test_another_way_to_write_the_same_is_let_pass(module: str, old: str, new: str) -> None:
    assert _noticed(module, old, new) == set()


def test_what_was_imported_before_is_there_again_afterwards() -> None:
    scenario = resolve("v40.slot.miss", {"slots": 117, "mmio_gap": 3})
    before = expressions("v40.slot.miss")
    _noticed(*WRONG[0][:3])
    assert expressions("v40.slot.miss") == before
    assert simulate("v40.slot.miss", scenario) == {"slot_search": 1, "slot_compare": 9}


EXAMPLE = '''
"""A text: 7 stays 7."""
def f(a: int, gen) -> int:
    """Another."""
    if a > 3:
        count("event", note="x")
    return tally(hits=a - 1) if gen.since("v311") else a * b
'''


def test_the_faults_of_a_text() -> None:
    found = {fault.mutated for fault in faults("m", EXAMPLE)}
    assert found == {
        "if not a > 3:", "if a >= 3:", "if a > 4:", "if a > 2:", "pass",
        "return tally(hits=a - 1) if not gen.since('v311') else a * b",
        "return tally(hits=a - 1) if gen.since('v36') else a * b",
        "return tally(hits=a - 1) if gen.since('v315') else a * b",
        "return tally() if gen.since('v311') else a * b",
        "return tally(hits=a) if gen.since('v311') else a * b",
        "return tally(hits=-1) if gen.since('v311') else a * b",
        "return tally(hits=a - 2) if gen.since('v311') else a * b",
        "return tally(hits=a - 0) if gen.since('v311') else a * b",
        "return tally(hits=a - 1) if gen.since('v311') else a",
        "return tally(hits=a - 1) if gen.since('v311') else b",
    }  # fmt: skip


def test_a_fault_leaves_the_text_it_was_made_from() -> None:
    unchanged = ast.unparse(ast.parse(EXAMPLE))
    for fault in faults("m", EXAMPLE):
        compiled(EXAMPLE, fault.number, "m.py")
    assert next(fault.original for fault in faults("m", EXAMPLE)) in unchanged
    assert ast.unparse(ast.parse(EXAMPLE)) == unchanged


def test_every_reason_belongs_to_a_fault_that_there_is() -> None:
    there = {key(fault) for module in modules() for fault in faults_of(module)}
    assert reasons().keys() <= there
    assert all(len(reason) > 20 for reason in reasons().values())
