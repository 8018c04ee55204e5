"""The library: every scenario is admissible, sourced, found by name, and answers what it is about."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

import pytest

from mmiocost.errors import InvalidInput
from mmiocost.evidence import catalogue, load
from mmiocost.vocabulary import generation
from mmiocost.whatif.library import file_of, names
from mmiocost.whatif.predict import predict
from mmiocost.whatif.scenario import read_scenario

WANTED = {
    "netperf-2011", "virtio-1-doorbells", "passthrough-slots", "memory-hotplug", "nested-paging-depth", "slot-churn",
    "shadow-kernel-build",
}  # fmt: skip
QUESTIONS = [(name, question) for name in names() for question in read_scenario(file=name).questions]


def test_the_guests_that_were_asked_for_are_there() -> None:
    assert set(names()) == WANTED


@pytest.mark.parametrize("name", names())
def test_every_scenario_says_what_it_is_and_every_value_where_it_is_from(name: str) -> None:
    found, known = read_scenario(file=name), load()
    rows = {row.id for row in known.observations}
    assert found.name == name and len(found.about) > 80
    values = {*found.counts, *found.mix} - {"exit_mitigated", "userspace_mitigated", "emulation_mitigated"}
    assert found.sources.keys() == values
    for symbol, text in found.sources.items():
        kind, _, rest = text.partition(" ")
        assert kind in ("row", "source", "kernel:", "assumption:"), (symbol, text)
        if kind == "row":
            assert rest.split(":")[0].split(",")[0] in rows, text
        if kind == "source":
            assert rest.split(":")[0] in known.sources, text
        if kind == "kernel:":
            assert re.search(r"commit [0-9a-f]{12}|kvm_\w+", rest), text


@pytest.mark.parametrize(("name", "question"), QUESTIONS)
def test_every_scenario_gives_finite_answers_to_its_questions(name: str, question: str) -> None:
    path = question.removeprefix("cost:") if question.startswith("cost:") else None
    found = predict(question, read_scenario(file=name, path=path))
    assert found.low is not None and found.high is not None
    assert math.isfinite(found.value) and found.low < found.value < found.high


@pytest.mark.parametrize("name", names())
def test_every_scenario_asks_something_and_what_it_is_named_for_matters(name: str) -> None:
    """Two questions or more; one of them changes when the symbol that the scenario is about goes to its default."""
    found = read_scenario(file=name)
    assert len(found.questions) >= 2
    about = {
        "netperf-2011": "slots", "virtio-1-doorbells": "fast_bus_devices", "passthrough-slots": "slots",
        "memory-hotplug": "generation_rate", "nested-paging-depth": "nested_levels", "slot-churn": "generation_rate",
        "shadow-kernel-build": "fill_rate",
    }[name]  # fmt: skip
    value = {**found.counts, **found.mix}[about]
    other = {"slots": "4", "fast_bus_devices": "1", "nested_levels": "0"}.get(about, str(value / 2))
    changed = read_scenario([f"{about}={other}"], name)
    assert any(predict(item, found).value != predict(item, changed).value for item in found.questions)


def test_the_deepest_walk_reads_what_the_text_says() -> None:
    """Five levels of the guest, each reached through four of L1's, and the result through four more: 5 + 6·4."""
    from mmiocost.whatif.counting import count

    found = read_scenario(file="nested-paging-depth")
    assert count("v517.guest_walk", found.counts)["guest_pte_read"] == 29 and "29 entries" in found.about
    assert predict("cost:v517.guest_walk", found).outside == ("guest_levels", "nested_levels")


def test_numbers_taken_from_rows_are_those_of_the_rows() -> None:
    rows = {row.id: row for row in load().observations}
    netperf, build = read_scenario(file="netperf-2011"), read_scenario(file="shadow-kernel-build")
    assert netperf.counts["slots"] == rows["williamson2011_wbtree-002"].value
    before = [rows[f"xiao2011_v1-00{number}"].value for number in (1, 3, 5)]
    mean = sum(before) / 3
    accesses, clock = netperf.mix["accesses_per_transaction"], load().assumptions["clock_not_stated"].value
    assert netperf.mix["mmio_rate"] == pytest.approx(accesses * mean, rel=1e-3)
    assert netperf.mix["cycles_per_transaction"] == pytest.approx(clock / mean, rel=1e-3)
    stat = {str(row["counter"]): float(str(row["total"])) for row in load().table("kvm_stat_counters")}
    faults, rate = stat["pf_guest"] + stat["pf_fixed"], build.mix["fault_rate"]
    assert build.mix["true_fault_fraction"] == pytest.approx(stat["pf_guest"] / faults, rel=2e-3)
    assert build.mix["fill_rate"] == pytest.approx(rate * stat["mmu_cache_miss"] / faults, rel=2e-3)
    assert build.mix["unsync_rate"] == pytest.approx(rate * stat["mmu_unsync"] / faults, rel=2e-2)
    hotplug = read_scenario(file="memory-hotplug")
    assert hotplug.counts["slots"] == rows["mammedov2014_binsearch-012"].slots
    assert generation(hotplug.after).search == "binary"


def test_every_file_is_a_resource_with_the_sources_that_it_names() -> None:
    listed = {item.path: item for item in catalogue()}
    for name in names():
        item = listed[f"scenarios/{name}.yaml"]
        for text in read_scenario(file=name).sources.values():
            kind, _, rest = text.partition(" ")
            if kind in ("row", "source"):
                assert re.match(r"\w+", rest)[0] in item.sources  # type: ignore[index]


def test_a_file_that_is_there_wins_over_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_scenario(file="netperf-2011").counts["slots"] == 32
    (tmp_path / "netperf-2011").write_text("set: {slots: 5}")
    assert read_scenario(file="netperf-2011").counts == {"slots": 5}
    (tmp_path / "netperf-2011").unlink()
    (tmp_path / "netperf-2011").mkdir()  # as a batch of that name leaves behind
    assert read_scenario(file="netperf-2011").counts["slots"] == 32


def test_options_win_over_the_library_too() -> None:
    found = read_scenario(["slots=64"], "netperf-2011", "unnamed-2012")
    assert (found.counts["slots"], found.machine, found.name) == (64, "unnamed-2012", "netperf-2011")


@pytest.mark.parametrize(
    "name", ["netperf", "", "Netperf-2011 ", "netperf-2011.yml", "../scenarios/netperf-2011", "\0"]
)
def test_an_unknown_name_lists_the_library_and_a_path_is_no_name(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_scenario(file=name)
    (problem,) = caught.value.problems
    if os.sep in name or name.endswith(".yml") or name == "":
        assert problem.allowed.startswith("can't be read")
    else:
        assert all(item in problem.allowed for item in WANTED)


def test_the_nearest_name_is_said() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'slot-churn'"):
        file_of("slots-churn")
