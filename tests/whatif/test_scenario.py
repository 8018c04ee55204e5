"""Scenario files and ``--set``: what is read, what is refused with which line, and that nothing else happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mmiocost.errors import InvalidInput
from mmiocost.whatif.predict import predict
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
        (b"a" * ((1 << 16) + 1), "is larger than 64 KiB, which no scenario is"),
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


def test_a_file_may_say_what_it_is_about_where_its_values_come_from_and_what_to_ask(tmp_path: Path) -> None:
    text = """
about: one guest
set: {slots: 32, guest_levels: 4}
sources: {slots: "row williamson2011_wbtree-002", guest_levels: "assumption: a 64-bit guest"}
questions: ["saving:fast_mmio"]
"""
    file = written(tmp_path, text)
    found = read_scenario(file=file)
    assert (found.about, found.questions) == ("one guest", ("saving:fast_mmio",))
    assert found.sources == {"slots": "row williamson2011_wbtree-002", "guest_levels": "assumption: a 64-bit guest"}
    changed = read_scenario(["slots=8"], file)
    assert changed.sources == {"guest_levels": "assumption: a 64-bit guest"}, "the source is not that of the new value"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("about: [x]", "about=['x']: must be a text of at most 1000 characters"),
        ("sources: {slots: x}", "sources.slots: is no symbol that `set` gives a value"),
        (
            "set: {slots: 4}\nsources: {slot: x}",
            "sources.slot: is no symbol that `set` gives a value; did you mean 'slots'?",
        ),
        ("set: {slots: 4}\nsources: {slots: 4}", "sources={'slots': 4}: must be a mapping of symbols to texts"),
        (
            "questions: saving:fast_mmio",
            "questions=saving:fast_mmio: must be a list of quantities, such as [saving:fast_mmio]",
        ),
        ("name: no", "name=False: must be a text of at most 200 characters"),
        ("machine: 4", "machine=4: must be a text of at most 200 characters"),
        ("state: [x]", "state=['x']: must be the name of a state, or a mapping with kernel and mitigations"),
        ("state: {mitigations: some}", "state.mitigations=some: must be none or all"),
        ("state: {kernel: 6.8}", 'state.kernel=6.8: must be in quotes, such as "3.10", which is not 3.1'),
        ("compare: v31", "compare.: must be a mapping with before and after"),
    ],
)
def test_each_wrong_field_has_its_line(tmp_path: Path, text: str, line: str) -> None:
    assert lines(file=written(tmp_path, text)) == [f"scenario.yaml: {line}"]


def test_a_design_is_no_kernel_and_the_line_says_where_it_is_compared(tmp_path: Path) -> None:
    (line,) = lines(file=written(tmp_path, "compare: {after: unified}"))
    assert line.endswith("; the design unified is compared by `breakeven --between`")


# --- files that do not mean what they look like ----------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["set: {slots: 4, slots: 8}", "mode: ept\nmode: shadow", "name: x\n'name': y", "set: {? slots : 1, slots: 2}"],
)
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, text: str) -> None:
    """PyYAML takes the last one silently."""
    (line,) = lines(file=written(tmp_path, text))
    assert "stands twice" in line and "line" in line
    (line,) = lines(file=written(tmp_path, 'name = "x"\nname = "y"', "s.toml"))
    assert line.startswith("s.toml: is no TOML: ")


@pytest.mark.parametrize(
    ("written_as", "line"),
    [
        ("010", None), ("1:30", "slots=1:30: has the unknown unit ':30'"), ("1_000", "slots=1_000: is not a number"),
        ("0x20", "slots=0x20: has the unknown unit 'x20'"), ("0b11", "slots=0b11: has the unknown unit 'b11'"),
        (".inf", "slots=.inf: is not a number"), (".nan", "slots=.nan: is not a number"),
        ("-.inf", "slots=-.inf: is not a number"), ("2011-06-09", "slots=2011-06-09: is not a number"),
        ("1e400", "slots=1e400: is too large for a number"),
        ("9" * 5000, f"slots={'9' * 200}: is too large for a number"),
        ("-4", None), ("4.0", None), ("4e0", None), ("~", "slots=None: must be a number, with a unit or without"),
    ],
)  # fmt: skip
def test_a_number_is_what_it_looks_like(tmp_path: Path, written_as: str, line: str | None) -> None:
    """YAML 1.1 reads 010 as 8, 1:30 as 90, 1_000 as 1000: here each is decimal or refused."""
    file = written(tmp_path, f"set: {{slots: {written_as}}}")
    if line is None:
        assert read_scenario(file=file).counts == {"slots": {"010": 10, "-4": -4}.get(written_as, 4)}
    else:
        assert lines(file=file)[0].startswith(f"scenario.yaml: {line}")


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("2011-06-09", "must be a number"), ("nan", "is not a number"), ("inf", "is not a number"),
        ("1e999", "is not a number"), ("[1, 2]", "must be a number"), ("07:32:00", "must be a number"),
    ],
)  # fmt: skip
def test_toml_has_dates_and_infinities_and_neither_is_a_value(tmp_path: Path, value: str, part: str) -> None:
    (line,) = lines(file=written(tmp_path, f"[set]\nslots = {value}", "s.toml"))
    assert line.startswith("s.toml: slots=") and part in line


def test_merge_keys_that_would_unfold_without_end_are_refused(tmp_path: Path) -> None:
    """Nine levels of nine merges make 9⁹ entries in PyYAML."""
    bomb = "a0: &a0 {x: 1}\n"
    bomb += "".join(f"a{n}: &a{n} {{<<: [{','.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 10))
    (line,) = lines(file=written(tmp_path, bomb))
    assert "merge keys (<<) are not taken" in line


@pytest.mark.parametrize(
    "text", ["[" * 20000, "{a: " * 10000, "- " * 20000, "a:\n" + "\n".join(" " * n + "- " for n in range(300))]
)
def test_deep_nesting_is_refused(tmp_path: Path, text: str) -> None:
    found = lines(file=written(tmp_path, text))
    assert found and all(line.startswith("scenario.yaml: ") for line in found) and max(map(len, found)) < 2000
    found = lines(file=written(tmp_path, "a = " + "[" * 20000, "s.toml"))
    assert found[0].startswith("s.toml: is no TOML: ")


def test_a_file_of_a_hundred_megabytes_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    with file.open("wb") as stream:
        stream.truncate(100 << 20)
    assert lines(file=file) == ["s.yaml: is larger than 64 KiB, which no scenario is"]


def test_so_many_errors_are_not_all_said(tmp_path: Path) -> None:
    text = "set:\n" + "".join(f"  slot{n}: 1\n" for n in range(3000))
    found = lines(file=written(tmp_path, text))
    assert len(found) == 101 and found[-1] == "scenario.yaml: has more errors than these 100"


def test_what_an_editor_puts_in_front_of_a_text_is_skipped(tmp_path: Path) -> None:
    for name, text in (("s.yaml", "set: {slots: 8}"), ("s.toml", "[set]\nslots = 8")):
        assert read_scenario(file=written(tmp_path, b"\xef\xbb\xbf" + text.encode(), name)).counts == {"slots": 8}


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system [ls]", "!!python/name:os.system", "!include x", "!!float x"]
)
def test_a_tag_runs_nothing(tmp_path: Path, tag: str) -> None:
    found = lines(file=written(tmp_path, f"set: {{slots: {tag}}}"))
    assert len(found) == 1 and found[0].startswith("scenario.yaml: ")


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


def test_a_value_outside_its_domain_names_the_file_that_gave_it(tmp_path):
    """A file's values are held against the path like those of the options; each line says where its value is from."""
    file = written(tmp_path, "set: {guest_levels: 1, slots: 0, ram_slot: 9}")
    with pytest.raises(InvalidInput) as caught:
        read_scenario(["slots=4"], file, path="v31.ept.mmio_hit")
    found = [(Path(problem.where).name, problem.field) for problem in caught.value.problems]
    assert found == [("scenario.yaml", "ram_slot"), ("scenario.yaml", "guest_levels")]
    with pytest.raises(InvalidInput) as caught:
        predict("saving:fast_mmio", read_scenario(["guest_levels=7"], file))
    found = [(Path(problem.where).name, problem.field) for problem in caught.value.problems]
    assert found == [("scenario.yaml", "slots"), ("scenario.yaml", "ram_slot"), ("--set", "guest_levels")]


def test_a_part_of_the_updates_is_no_more_than_all_of_them():
    """Updates that zap are some of the updates (lambda_z <= lambda_g)."""
    with pytest.raises(InvalidInput, match="zapping_rate=5: must be at most generation_rate=1"):
        read_scenario(["zapping_rate=5", "generation_rate=1"])
    assert read_scenario(["zapping_rate=1", "generation_rate=1"]).mix == {"zapping_rate": 1, "generation_rate": 1}
