"""Grid files: the product and single scenarios on top of a base, and everything that is wrong with one at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmiocost import resources
from mmiocost.errors import InvalidInput
from mmiocost.whatif.grid import Grid, read_grid
from mmiocost.whatif.scenario import scenario_of

EXAMPLE = resources.notebooks_dir() / "example-grid.yaml"


def grid(folder: Path, text: str) -> Grid:
    file = folder / "grid.yaml"
    file.write_text(text, encoding="utf-8")
    return read_grid(file)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        grid(folder, text)
    return [problem.line().removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_the_example_has_24_scenarios_of_different_names() -> None:
    found = read_grid(EXAMPLE)
    assert found.notebooks == ("what-if-scenario",)
    assert len({member.name for member in found.members}) == 24
    assert {member.scenario.mix["mmio_rate"] for member in found.members} == {20000.0}
    assert {member.scenario.mode for member in found.members} == {"ept", "shadow"}


def test_the_product_comes_first_and_its_last_name_varies_fastest(tmp_path: Path) -> None:
    found = grid(
        tmp_path,
        """
        base: {name: b, mode: shadow, set: {mmio_rate: 500/s, slots: 8}, compare: {after: v311}}
        notebooks: [a, b]
        over: {slots: [16, 32], after: [v31, "3.11"]}
        scenarios: [{name: churn, set: {generation_rate: 50/s}}]
        """,
    )
    assert [member.name for member in found.members] == [
        "b-slots-16-after-v31", "b-slots-16-after-3.11", "b-slots-32-after-v31", "b-slots-32-after-3.11", "churn",
    ]  # fmt: skip
    assert [member.scenario.counts["slots"] for member in found.members] == [16, 16, 32, 32, 8]
    assert [member.scenario.after for member in found.members] == ["v31", "v311", "v31", "v311", "v311"]
    assert found.members[-1].scenario.mix == {"mmio_rate": 500.0, "generation_rate": 50.0}


def test_a_member_means_the_same_in_a_scenario_file(tmp_path: Path) -> None:
    """What a notebook is given is read again there, as what it was checked as here."""
    for member in read_grid(EXAMPLE).members:
        assert scenario_of(member.document) == member.scenario


def test_the_base_is_a_mapping_a_file_beside_the_grid_or_one_of_the_library(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("name: own\nset: {slots: 40}\n")
    assert grid(tmp_path, "base: own.yaml\nnotebooks: [a]").members[0].scenario.counts == {"slots": 40}
    found = grid(tmp_path, "base: netperf-2011\nnotebooks: [a]\nover: {slots: [9]}").members[0]
    assert found.scenario.counts["slots"] == 9
    assert "slots" not in found.scenario.sources  # its source was that of the value that is replaced


def test_all_that_is_wrong_with_the_file_is_told_at_once(tmp_path: Path) -> None:
    text = """
    bse: 1
    notebooks: []
    over: {slots: [8, 8], guest_level: [1], mode: ept, ad_updates: {a: 1}}
    scenarios: [{name: a}, {name: a}, {set: {}}]
    """
    assert problems(tmp_path, text) == [
        "grid.yaml: bse: unknown field; did you mean 'base'?",
        "grid.yaml: notebooks=[]: must be a list of different names or paths of notebooks, such as [what-if-scenario]",
        "grid.yaml: over.slots=[8, 8]: must be a list of different values",
        "grid.yaml: over.guest_level: unknown name; did you mean 'guest_levels'?",
        "grid.yaml: over.mode=ept: must be a list of numbers or texts, such as [8, 32]",
        "grid.yaml: over.ad_updates={'a': 1}: must be a list of numbers or texts, such as [8, 32]",
        "grid.yaml: scenarios[2].name=a: stands twice",
        "grid.yaml: scenarios[3].name: must be a text: it names the files",
    ]


def test_all_that_is_wrong_with_the_scenarios_is_told_once_each(tmp_path: Path) -> None:
    text = """
    base: {name: x, set: {slot: 3}}
    notebooks: [a]
    over: {slots: [8, 0], guest_levels: [1, 4]}
    scenarios: [{name: late, set: {mmio_rate: 3 ms}}, {name: odd, mode: epd}]
    """
    assert problems(tmp_path, text) == [
        "grid.yaml: x-slots-8-guest_levels-1: slot: unknown name; did you mean 'slots'?",
        "grid.yaml: x-slots-8-guest_levels-1: guest_levels=1: must be one of 0, 2, 3, 4 on v31.ept.mmio_hit",
        "grid.yaml: x-slots-0-guest_levels-1: slots=0: must be an integer of 1 or more on v31.ept.mmio_hit",
        "grid.yaml: late: mmio_rate=3 ms: is a time, must be a rate (1/s)",
        "grid.yaml: odd: mode=epd: must be one of ept, shadow, nonpaging; did you mean 'ept'?",
    ]


def test_two_ways_to_say_one_thing_and_a_pair_that_cannot_be_asked(tmp_path: Path) -> None:
    text = "base: {set: {hit_fraction: 0.5}}\nnotebooks: [a]\nover: {generation_rate: [5/s]}"
    assert "set one of them" in problems(tmp_path, text)[0]
    text = "notebooks: [a]\nover: {after: [v30]}"
    assert problems(tmp_path, text) == [
        "grid.yaml: scenario-after-v30: after=v30: must be a generation with MMIO sptes: v31 or later"
    ]


def test_a_grid_that_never_ends_is_refused_before_it_is_made(tmp_path: Path) -> None:
    many = ", ".join(map(str, range(1, 200)))
    text = f"notebooks: [a]\nover: {{slots: [{many}], mmio_pages: [{many}]}}"
    assert problems(tmp_path, text) == ["grid.yaml: over: makes 39601 scenarios; a batch has at most 10000"]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60))
def test_any_text_is_a_grid_or_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "grid.yaml"
    file.write_bytes(text.encode(errors="surrogatepass"))
    try:
        read_grid(file)
    except InvalidInput as error:
        assert str(error)
