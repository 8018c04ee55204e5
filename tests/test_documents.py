"""The model's documents against the vocabulary: generated tables, names in the text, worked examples."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from mmiocost.errors import InvalidInput
from mmiocost.resources import root
from mmiocost.vocabulary import COLD_COMPARE, EVENTS, GENERATIONS, MIX_SYMBOLS, PATHS, SYMBOLS, resolve
from mmiocost.vocabulary.tables import DOCUMENTS, Example, drifted, main, render, worked_examples

MODEL = root() / "model"
TEXTS = {name: (MODEL / name).read_text("utf-8") for name in DOCUMENTS}
MECHANISM = TEXTS["mechanism.md"]

EVENT_NAMES = {event.name for event in EVENTS}
PATH_NAMES = [path.name for path in PATHS]
VOCABULARY = {
    *EVENT_NAMES,
    COLD_COMPARE,
    *(symbol.name for symbol in SYMBOLS),
    *(symbol.name for symbol in MIX_SYMBOLS),
    *(path.way for path in PATHS),
    *(path.generation for path in PATHS),
    *(path.mode for path in PATHS if path.mode),
}

# Identifiers of the documents that are no names of ours to check: KVM's, and words that the pages define.
_OTHERS = """
bypass_guest_pf fault->slot gpa_val last_used_slot lru_slot mmio_caching mmio_gen mmu_lock nmemslots
check_mmio_spte handle_mmio_page_fault insn_emulation kvm_cpuid kvm_emulate_insn kvm_exit kvm_fast_mmio
kvm_hypercall kvm_inj_exception kvm_mmio kvm_mmu_pagetable_walk kvm_mmu_paging_element kvm_mmu_set_accessed_bit
kvm_mmu_set_dirty_bit kvm_mmu_walker_error kvm_msr kvm_page_fault kvm_pio kvm_userspace_exit mark_mmio_spte
mmio_exits mmu_cache_miss mmu_shadow_zapped pf_guest pf_mmio_spte_created pf_taken remote_tlb_flush
remote_tlb_flush_requests vcpu_match_mmio

bounded_above extrapolates identified known_machine mmio_completion new_machine new_measurement outside
prior_bounded
"""
OTHER_NAMES = frozenset(_OTHERS.split())


def prose(text: str) -> str:
    """A document without its fenced blocks and generated tables."""
    text = re.sub(r"^<!-- begin generated.*?^<!-- end generated[^\n]*", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def names_in(text: str) -> list[str]:
    """Everything in backticks that has the form of a name: a path, a piece of one, or an identifier."""
    return re.findall(r"`([A-Za-z_][\w>-]*(?:\.[\w*]+)*(?:\.\*)?)`", prose(text))


def unknown_names(text: str) -> list[str]:
    """Names in backticks that neither the vocabulary nor the lists above know, in the order of the text."""
    return [name for name in names_in(text) if not known(name)]


def known(name: str) -> bool:
    if name in VOCABULARY | OTHER_NAMES or re.fullmatch(r".*\.(c|h|md|csv)|[A-Z][A-Z_]+", name):
        return True
    if re.fullmatch(r"[a-z0-9]+(-[a-z0-9.]+)+", name):  # a machine or a state of the evidence
        return True
    head, dot, rest = name.partition(".")
    if head in ("GEN", "GENERATION"):
        return any(fnmatchcase(path, f"*.{rest.replace('MODE', '*').replace('WAY', '*')}") for path in PATH_NAMES)
    return bool(dot) and any(fnmatchcase(path, name) or path.endswith(f".{name}") for path in PATH_NAMES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the documents that a test may spoil."""
    for name in DOCUMENTS:
        shutil.copy(MODEL / name, tmp_path / name)
    return tmp_path


def alter(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_the_tables_are_those_of_the_vocabulary() -> None:
    assert drifted(MODEL) == []


def test_check_names_an_altered_document_and_leaves_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alter(folder / "mechanism.md", "| `slot_search` | one look-up", "| `slot_search` | a look-up")
    altered = (folder / "mechanism.md").read_bytes()
    assert main(["--check"], folder) == 1
    printed = capsys.readouterr().out
    assert "mechanism.md" in printed and "statistics.md" not in printed
    assert (folder / "mechanism.md").read_bytes() == altered


def test_rewriting_repairs_an_altered_table(folder: Path) -> None:
    alter(folder / "mechanism.md", "| `v31` |", "| `v32` |")
    assert main([], folder) == 0
    assert (folder / "mechanism.md").read_text("utf-8") == MECHANISM
    assert main(["--check"], folder) == 0
    assert sorted(path.name for path in folder.iterdir()) == sorted(DOCUMENTS)


def test_text_outside_the_marks_is_kept() -> None:
    text = "before\n<!-- begin generated: generations -->\nold\n<!-- end generated: generations -->\nafter | `x`\n"
    made = render(text)
    assert made.startswith("before\n<!-- begin generated: generations -->\n\n| generation |")
    assert made.endswith("\n<!-- end generated: generations -->\nafter | `x`\n")
    assert "old" not in made
    assert all(f"| `{generation.id}` |" in made for generation in GENERATIONS)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("x\n<!-- begin generated: events -->\n", ["line 2"]),
        ("<!-- end generated: events -->\n", ["line 1"]),
        ("<!-- begin generated: event -->\n<!-- end generated: event -->\n", ["line 1", "line 2"]),
        ("<!-- begin generated: events -->\n<!-- end generated: paths -->\n", ["line 2", "line 1"]),
    ],
)
def test_misplaced_marks_are_refused_with_their_lines(text: str, where: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        render(text)
    assert [problem.where for problem in caught.value.problems] == where


def test_an_unknown_table_is_answered_with_the_nearest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alter(folder / "mechanism.md", "begin generated: symbols", "begin generated: symbol")
    assert main(["--check"], folder) == 2
    assert "did you mean 'symbols'?" in capsys.readouterr().err


def test_an_unknown_option_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--chek"]) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_name_in_the_text_exists(document: str) -> None:
    assert unknown_names(TEXTS[document]) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "slot_serach",
        "guest_level",
        "v32",
        "GEN.ept.mmio_frist",
        "v30.ept.mmio_hit",
        "v315.shadow.*",
        "bus.mis",
        "shaddow",
    ],
)
def test_a_mistyped_name_is_found(wrong: str) -> None:
    assert unknown_names(f"{MECHANISM}\nAs in `slot_search` and `{wrong}`.\n") == [wrong]


@pytest.mark.parametrize("right", ["GEN.MODE.WAY", "GEN.MODE.mmio_hit", "v30.shadow.*", "proto.*", "slot.hit", "vmx.c"])
def test_a_name_with_placeholders_is_known(right: str) -> None:
    assert unknown_names(f"`{right}`") == []


def test_the_text_explains_every_event_symbol_and_path() -> None:
    """A table row is not enough: each name is used in the text that says when and how often."""
    named = set(names_in(MECHANISM))
    ways = {name.rpartition(".")[2] for name in named}
    symbols = {symbol.name for symbol in SYMBOLS}
    assert EVENT_NAMES - named == set()
    assert symbols - named == set()
    assert {path.way for path in PATHS} - ways == set()


def examples() -> Iterator[tuple[str, Example]]:
    return ((example.path, example) for example in worked_examples(MECHANISM))


def test_the_worked_examples_are_read_in_order_and_complete() -> None:
    found = worked_examples(MECHANISM)
    block = re.findall(r"^[a-z]\w*\.[\w.]+ .*->.*$", MECHANISM, flags=re.MULTILINE)
    assert [example.path for example in found] == [line.split()[0] for line in block]
    assert [example.complete for example in found] == [not line.endswith(", ...") for line in block]
    assert len({(example.path, *sorted(example.scenario.items())) for example in found}) == len(found)


def test_worked_examples_name_paths_symbols_and_events_that_exist() -> None:
    for path, example in examples():
        resolve(path, example.scenario, path)
        assert set(example.events) <= EVENT_NAMES, example


def test_every_searching_example_gives_its_compares() -> None:
    """A complete example holds all events, so searches without compares would be a slip of the pen."""
    for _, example in examples():
        if example.complete:
            assert ("slot_search" in example.events) == ("slot_compare" in example.events), example
            assert example.events.get("slot_compare", 0) >= example.events.get("slot_search", 0)
            assert 0 not in example.events.values()


def test_an_example_is_read_field_by_field() -> None:
    text = "```counts\n# note\n\nv31.any.cpuid slots=6 -> cpuid_search 1, ...\nv36.bus.miss -> io_bus_compare 3\n```\n"
    assert worked_examples(text) == [
        Example("v31.any.cpuid", {"slots": 6}, {"cpuid_search": 1}, complete=False),
        Example("v36.bus.miss", {}, {"io_bus_compare": 3}, complete=True),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "v31.any.cpuid cpuid_search 1",
        "v31.any.cpuid slots=x -> cpuid_search 1",
        "v31.any.cpuid slots=1 slots=2 -> cpuid_search 1",
        "v31.any.cpuid -> cpuid_search 1, cpuid_search 2",
        "v31.any.cpuid -> cpuid_search",
        "v31.any.cpuid -> cpuid_search 1,",
        "v31.any.cpuid -> ...",
    ],
)
def test_a_line_that_is_no_example_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        worked_examples(f"text\n```counts\nv36.bus.miss -> io_bus_compare 3\n{line}\nalso wrong\n```\n")
    assert [problem.where for problem in caught.value.problems] == ["line 4", "line 5"]


def test_the_pages_need_no_tex_and_speak_in_plain_code() -> None:
    for text in TEXTS.values():
        assert "$" not in text and "\\" not in text.replace("\\|", "")
        assert text.count("\n```") % 2 == 0
