"""Scenario files and ``--set``: what is read, what is refused with which line, and that nothing else happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mmiocost.errors import InvalidInput
from mmiocost.whatif.scenario import Scenario, read_scenario

FULL = """
name: netperf-2011
machine: skylake-8160
state: a-6.8-default
mode: ept
compare: {before: v30, after: v36}
set: {slots: 32, guest_levels: 4, mmio_rate: 20000/s, userspace_fraction: 0.1}
"""
FULL_TOML = """
name = "netperf-2011"
machine = "skylake-8160"
state = "a-6.8-default"
mode = "ept"
compare = {before = "v30", after = "v36"}
[set]
slots = 32
guest_levels = 4
mmio_rate = "20000/s"
userspace_fraction = 0.1
"""


def written(folder: Path, text: str | bytes, name: str = "scenario.yaml") -> Path:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def lines(*sets: str, file: Path | None = None) -> list[str]:
    """Lines of the error, the file by its name alone."""
    with pytest.raises(InvalidInput) as caught:
        read_scenario(sets, file)
    return [line.replace(f"{file.parent}/" if file else "\0", "") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize(("name", "text"), [("s.yaml", FULL), ("s.toml", FULL_TOML)])
def test_a_file_of_either_kind_gives_the_same_scenario(tmp_path: Path, name: str, text: str) -> None:
    assert read_scenario(file=written(tmp_path, text, name)) == Scenario(
        name="netperf-2011", machine="skylake-8160/a-6.8-default", mode="ept", before="v30", after="v36",
        counts={"slots": 32, "guest_levels": 4}, mix={"mmio_rate": 20000.0, "userspace_fraction": 0.1},
    )  # fmt: skip


def test_an_empty_mapping_and_no_file_give_the_defaults(tmp_path: Path) -> None:
    assert read_scenario() == read_scenario(file=written(tmp_path, "{}")) == Scenario()


def test_options_win_over_the_file_and_the_last_of_them_over_the_others(tmp_path: Path) -> None:
    found = read_scenario(["slots=64", "slots=8", "zapping_rate=3"], written(tmp_path, FULL), "unnamed-2012")
    assert found.counts == {"slots": 8, "guest_levels": 4}
    assert found.mix == {"mmio_rate": 20000.0, "userspace_fraction": 0.1, "zapping_rate": 3.0}
    assert found.machine == "unnamed-2012"


@pytest.mark.parametrize(
    ("text", "symbol", "value"),
    [("mmio_rate=20000/s", "mmio_rate", 20000), ("mmio_rate=20 kHz", None, 0), ("mmio_rate=2 MHz", "mmio_rate", 2e6),
     ("userspace_fraction=10 %", "userspace_fraction", 0.1),
     ("cycles_per_transaction=3.5e6", "cycles_per_transaction", 3.5e6),
     ("hit_fraction = 0.5", "hit_fraction", 0.5)],
)  # fmt: skip
def test_quantities_may_carry_units(text: str, symbol: str | None, value: float) -> None:
    if symbol is None:
        assert "unknown unit" in lines(text)[0]
    else:
        assert read_scenario([text]).mix[symbol] == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("guest_level=4", "--set: guest_level: unknown name; did you mean 'guest_levels'?"),
        ("generation_rate=3ms", "--set: generation_rate=3ms: is a time, must be a rate (1/s)"),
        ("mmio_rate=0", "--set: mmio_rate=0: must be 1e-06 or more"),
        ("hit_fraction=1.5", "--set: hit_fraction=1.5: must be 0 to 1"),
        ("address_spaces=3", "--set: address_spaces=3: must be 1 to 2"),
        ("slots=4.5", "--set: slots=4.5: must be an integer"),
        ("slots=many", "--set: slots=many: is not a number"),
        ("slots=", "--set: slots: is empty, must be a number"),
        ("slots", "--set: slots: must have the form name=value"),
        ("slots=1,5", "--set: slots=1,5: is not a number: write a decimal point, not a comma"),
        ("mmio_rate=inf", "--set: mmio_rate=inf: is not a number"),
        ("mmio_rate=1e999", "--set: mmio_rate=1e999: is too large for a number"),
        ("=5", "--set: unknown name"),
    ],
)
def test_each_wrong_value_has_its_line(text: str, line: str) -> None:
    assert lines(text) == [line]


def test_a_hit_fraction_and_the_rate_that_it_is_derived_from_exclude_each_other(tmp_path: Path) -> None:
    expected = [
        "hit_fraction, generation_rate: set one of them: hit_fraction is derived from generation_rate unless set"
    ]
    assert lines("hit_fraction=0.5", "generation_rate=3/s") == expected
    assert lines("hit_fraction=0.5", file=written(tmp_path, "set: {generation_rate: 3}")) == expected


def test_all_that_is_wrong_with_a_file_is_said_at_once_in_its_order(tmp_path: Path) -> None:
    text = """
nmae: x
mode: epd
state: {kernl: "3.0"}
compare: {after: v37, aftr: v31}
set: {guest_level: 4, slots: "4 s", mmio_rate: [1]}
"""
    assert lines("slots=x", file=written(tmp_path, text)) == [
        "scenario.yaml: nmae: unknown field; did you mean 'name'?",
        "scenario.yaml: mode=epd: must be one of ept, shadow, nonpaging; did you mean 'ept'?",
        "scenario.yaml: state.kernl: unknown field; did you mean 'kernel'?",
        "scenario.yaml: compare.aftr: must be a mapping with before and after",
        "scenario.yaml: compare.after=v37: must be a kernel release or one of v30, v31, v36, v311, v315, v40, v414,"
        " v56, v517; did you mean 'v36'?",
        "scenario.yaml: guest_level: unknown name; did you mean 'guest_levels'?",
        "scenario.yaml: slots=4 s: is a time, must be a plain number (1)",
        "scenario.yaml: mmio_rate=[1]: must be a number, with a unit or without",
        "--set: slots=x: is not a number",
    ]


@pytest.mark.parametrize("text", ["", "- a\n- b", "just text", "4", "null", "2011-06-09"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert lines(file=written(tmp_path, text)) == [
        "scenario.yaml: must be a mapping of fields, such as `set: {slots: 32}`"
    ]


def test_a_set_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    assert lines(file=written(tmp_path, "set: 3")) == ["scenario.yaml: set=3: must be a mapping of symbols to values"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"name: \xff\xfe", "can't be read: is not UTF-8 text"),
        (b"a" * ((1 << 20) + 1), "is larger than 1 MiB, which no scenario is"),
    ],
)
def test_a_file_that_is_no_text_or_too_large_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    assert lines(file=written(tmp_path, content)) == [f"scenario.yaml: {reason}"]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert lines(file=tmp_path / "none.yaml") == ["none.yaml: can't be read: No such file or directory"]
    assert lines(file=tmp_path) == [f"{tmp_path.name}: can't be read: Is a directory"]


@pytest.mark.parametrize(
    "text",
    ["a: [", "a: b: c", "\t- x", "set: {slots: !!python/object/apply:os.system [ls]}", "a: *nowhere", "{" * 5000, "\0"],
)
def test_what_is_no_yaml_or_would_run_code_is_refused(tmp_path: Path, text: str) -> None:
    (line,) = lines(file=written(tmp_path, text))
    assert line.startswith("scenario.yaml: is no YAML: ")


def test_what_is_no_toml_is_refused(tmp_path: Path) -> None:
    (line,) = lines(file=written(tmp_path, "a = ", "s.toml"))
    assert line.startswith("s.toml: is no TOML: ")


def test_a_file_that_unfolds_into_billions_of_values_is_refused_quickly(tmp_path: Path) -> None:
    """Nine aliases of nine of nine …: 9⁹ texts, were they written out into the message."""
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
    bomb += "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    found = lines(
        file=written(tmp_path, f"{bomb}mode: *a9\nstate: *a9\nset: {{slots: *a9}}\ncompare: *a9\nname: *a9\n")
    )
    assert found and max(map(len, found)) < 2000


@pytest.mark.parametrize(
    ("release", "generation"), [("3.2", "v31"), ("3.6.11", "v36"), ("6.8.0-94-generic", "v517"), ("~3.10-rc", "v36")]
)
def test_a_kernel_release_is_resolved_and_the_answer_says_how(tmp_path: Path, release: str, generation: str) -> None:
    found = read_scenario(file=written(tmp_path, f"compare: {{after: '{release}'}}"))
    assert found.after == generation
    (note,) = found.notes
    assert note.startswith(f"after: kernel {release} is of generation {generation} (")


def test_a_release_written_as_a_number_is_not_taken_for_another(tmp_path: Path) -> None:
    """YAML reads 3.10 as 3.1, another generation: the file must quote it."""
    (line,) = lines(file=written(tmp_path, "compare: {after: 3.10}"))
    assert "quote" in line


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates()
nested = st.lists(scalars, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), scalars, max_size=3)
yaml_values = scalars | nested | st.lists(nested, max_size=2)
fields = st.sampled_from(["name", "machine", "state", "mode", "compare", "set", "zzz"])
symbols = st.sampled_from(["slots", "mmio_rate", "hit_fraction", "generation_rate", "before", "after", "zzz"])
documents = st.dictionaries(fields, yaml_values | st.dictionaries(symbols, yaml_values, max_size=3), max_size=4)


def read_or_refuse(folder: Path, content: bytes, name: str = "fuzz.yaml") -> None:
    try:
        found = read_scenario(file=written(folder, content, name))
    except InvalidInput as error:
        assert error.problems and all(problem.allowed for problem in error.problems)
    else:
        assert all(type(value) is int for value in found.counts.values())
        assert all(type(value) is float for value in found.mix.values())


tolerant = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@given(document=documents)
@example(document={"set": {"slots": float("nan")}})
@example(document={"set": {"slots": 10**400}})
@example(document={"compare": {"after": 1e300}})
@tolerant
def test_any_document_is_read_or_refused(tmp_path: Path, document: dict[str, Any]) -> None:
    read_or_refuse(tmp_path, yaml.safe_dump(document, allow_unicode=True).encode("utf-8", "surrogatepass"))


@given(content=st.binary(max_size=60) | st.text("{}[]:,-&*!#|>'\" \nas01%@`", max_size=40).map(str.encode))
@example(content=b"? {a: b}\n: c")
@example(content=b"{[1]: 2}")
@example(content=b"2001-99-99")
@example(content=b"a: 2001-02-30")
@example(content=b"a: 0o9")
@example(content=b"=")
@example(content=b"a: !!int x")
@example(content=b"a: !!binary x")
@example(content=b"a: !!timestamp x")
@example(content=b"a: !!bool x")
@example(content=b"a: !!int ''")
@example(content=b"<<: 1")
@example(content=b"a: 1:99:99")
@example(content=b"!!set {a}")
@tolerant
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    for name in ("fuzz.yaml", "fuzz.toml"):
        read_or_refuse(tmp_path, content, name)


@given(sets=st.lists(st.text(max_size=30) | st.tuples(symbols, st.text(max_size=10)).map("=".join), max_size=4))
@tolerant
def test_any_option_is_read_or_refused(sets: list[str]) -> None:
    try:
        read_scenario(sets)
    except InvalidInput as error:
        assert error.problems


def test_a_state_in_words_sets_the_kernel_and_the_mitigations(tmp_path):
    """``state`` may say kernel and mitigations in place of a state's name; values set by name win."""
    text = 'state: {kernel: "6.8.0-94-generic", mitigations: all}\nset: {exit_mitigated: 0}\n'
    found = read_scenario(file=written(tmp_path, text))
    assert found.after == "v517"
    assert found.counts == {"exit_mitigated": 0, "userspace_mitigated": 1, "emulation_mitigated": 1}
    assert "kernel 6.8.0-94-generic is of generation v517" in found.notes[0]


def test_a_part_of_the_updates_is_no_more_than_all_of_them():
    """Updates that zap are some of the updates (lambda_z <= lambda_g)."""
    with pytest.raises(InvalidInput, match="zapping_rate=5: must be at most generation_rate=1"):
        read_scenario(["zapping_rate=5", "generation_rate=1"])
    assert read_scenario(["zapping_rate=1", "generation_rate=1"]).mix == {"zapping_rate": 1, "generation_rate": 1}
