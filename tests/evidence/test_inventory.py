"""What is there, from where, and whether it is sound: ``catalogue``, ``show``, ``verify`` and the seal."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from mmiocost import evidence, resources
from mmiocost.errors import InvalidInput
from mmiocost.evidence import seal

VMEXIT = "tables/vmexit_nested_2019.csv"
LADDER = "tables/exit_ladder_skylakesp_2026.csv"


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")


def problems() -> dict[str, tuple[str, ...]]:
    return {verdict.resource: verdict.problems for verdict in evidence.verify() if not verdict.ok}


def test_the_packaged_evidence_is_sound() -> None:
    verdicts = evidence.verify()
    assert [verdict for verdict in verdicts if not verdict.ok] == []
    assert [verdict.resource for verdict in verdicts] == [resource.name for resource in evidence.catalogue()]


def test_the_catalogue_counts_rows_and_names_sources() -> None:
    by_name = {resource.name: resource for resource in evidence.catalogue()}
    assert by_name["observations"].rows == 436
    assert by_name["probe_timings"].rows == 8371
    assert by_name["probe_counters"].rows == 9725
    assert by_name["probe_host"].rows is None
    assert by_name["vmexit_nested_2019"].sources == ("bonzini2019_vmxopt",)


def test_every_file_under_data_is_in_the_catalogue() -> None:
    beside = {"datapackage.json", "README.md", *(f"validation/{name}.json" for name in ("result", "selection", "plan"))}
    known = {resource.path for resource in evidence.catalogue()} | beside
    found = {str(f.relative_to(resources.data_dir())) for f in resources.data_dir().rglob("*") if f.is_file()}
    assert found == known


def test_every_resource_and_field_says_what_it_is() -> None:
    descriptor = json.loads((resources.data_dir() / "datapackage.json").read_text(encoding="utf-8"))
    for source in descriptor["sources"]:
        assert source["title"], source["id"]
        assert source["description"], source["id"]
        assert source["obtained"], source["id"]
    for resource in descriptor["resources"]:
        assert resource["description"], resource["name"]
        assert resource["obtained"], resource["name"]
        assert resource["licenses"], resource["name"]
        for field in resource.get("schema", {}).get("fields", ()):
            assert field["description"], (resource["name"], field["name"])
            assert field["type"] == "string" or field["unit"], (resource["name"], field["name"])


def test_a_source_is_shown_with_its_rows() -> None:
    shown = evidence.show("bonzini2012_vmexit_pio")
    assert shown["author"] == "Paolo Bonzini"
    assert [row["value"] for row in shown["observations"]] == [3898, 24615, 20574, 7237, 4451]


def test_an_observation_and_a_resource_are_shown_by_name() -> None:
    shown = evidence.show("tsirkin2013_pcitestdev-002")
    assert (shown["value"], shown["source"]["author"]) == (3609, "Michael S. Tsirkin")
    assert evidence.show("quantities")["path"] == "quantities.csv"


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'bonzini2012_vmexit_pio'"):
        evidence.show("bonzini2012_vmexit")


def test_a_changed_checksum_is_found(data: Path) -> None:
    change(data / "tables" / "vmexit_nested_2019.csv", "14886", "14887")
    found = problems()
    assert list(found) == ["vmexit_nested_2019"]
    assert "hash=sha256:" in found["vmexit_nested_2019"][0]


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "says"),
    [
        ("vmexit_nested_2019", VMEXIT, "14886,cycle", "14886,ns", "unit=ns"),
        ("vmexit_nested_2019", VMEXIT, "bonzini2019_vmxopt", "bonzini2019", "source 'bonzini2019'"),
        ("exit_ladder_skylakesp_2026", LADDER, "b-6.14-all-on", "b-6.14", "state 'b-6.14'"),
        ("observations", "observations.csv", "slot.lookup_max", "slot.lookup_most", "did you mean 'slot.lookup_max'"),
        ("observations", "observations.csv", "1450,,,,cycle", "1450,,,,percent", "needs the dimension of cycle"),
        ("observations", "observations.csv", "3.0-ept-before", "3.0-ept", "must be a state of unnamed-2011-x86-64"),
        ("quantities", "quantities.csv", "userspace=1 pm_timer=0", "userspace=1 pm_timer", "must be name=count"),
    ],
)
def test_what_no_other_table_explains_is_found(data: Path, name: str, file: str, old: str, new: str, says: str) -> None:
    change(data / file, old, new)
    seal.seal()
    assert any(says in problem for problem in problems()[name])


def test_a_users_folder_has_its_own_verdict(tmp_path: Path) -> None:
    (tmp_path / "observations.csv").write_text("id,quantity,value,unit,source_id\na,exit.hypercal,1,cycle,own\n")
    verdict = evidence.verify([tmp_path, tmp_path / "none"])[-2:]
    assert "did you mean 'exit.hypercall'" in verdict[0].problems[0]
    assert "must be a folder" in verdict[1].problems[0]


def test_sealing_takes_a_change_over_and_nothing_else(data: Path) -> None:
    before = json.loads((data / "datapackage.json").read_text(encoding="utf-8"))
    assert seal.seal() == []
    with (data / "tables" / "kvm_stat_counters.csv").open("a", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(["kvmstat_sample_doc", "more", 1, 1, "made up"])
    assert seal.seal() == ["kvm_stat_counters"]
    after = json.loads((data / "datapackage.json").read_text(encoding="utf-8"))
    for old, new in zip(before["resources"], after["resources"], strict=True):
        changed = {key for key in new if new[key] != old[key]}
        assert changed == ({"hash", "bytes"} if old["name"] == "kvm_stat_counters" else set())
    assert {k: v for k, v in before.items() if k != "resources"} == {k: v for k, v in after.items() if k != "resources"}
    assert problems() == {}


def test_the_seal_says_what_it_did(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert seal.main() == 0
    assert capsys.readouterr().out == "all checksums hold\n"
    (data / "states.csv").unlink()
    assert seal.main() == 2
    assert capsys.readouterr().err == "data/states.csv: cannot be read: No such file or directory\n"
