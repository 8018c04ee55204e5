"""The packaged evidence as the fit gets it, and the user's evidence on top."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from mmiocost import evidence
from mmiocost.errors import InvalidInput

HEADER = "id,quantity,value,unit,source_id,machine,state"
ROW = "own-001,mmio.write_userspace,9120,cycle,own,example-a,6.6-default"


def folder(tmp_path: Path, *lines: str, name: str = "own") -> Path:
    (tmp_path / name).mkdir()
    (tmp_path / name / "observations.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / name


def refused(*args: object) -> str:
    with pytest.raises(InvalidInput) as caught:
        evidence.load(*args)  # type: ignore[arg-type]
    return str(caught.value)


def test_rows_of_the_fit_are_counted_as_the_sources_table_says() -> None:
    """57 published rows of six machines and 15 states; with the probe's cells 64 rows, 7 machines, 17 states."""
    rows = [row for row in evidence.load().observations if row.use == "fit"]
    published = [row for row in rows if row.source_id != "probe2026"]
    assert (len(published), len(rows)) == (57, 64)
    assert len({row.machine for row in published}) == 6
    assert len({(row.machine, row.state) for row in published}) == 15
    assert len({row.machine for row in rows}) == 7
    assert len({(row.machine, row.state) for row in rows}) == 17


def test_every_row_rests_on_a_known_quantity_state_and_source() -> None:
    loaded = evidence.load()
    for row in loaded.observations:
        assert row.quantity in loaded.quantities
        assert row.source_id in loaded.sources
        assert not row.machine or (row.machine, row.state) in loaded.states


def test_missing_values_are_none_and_missing_text_is_empty() -> None:
    """First row of the evidence: 709.58 trans/s, one run, no spread and no CPU stated."""
    row = evidence.load().observations[0]
    assert (row.value, row.unit, row.n_runs, row.year, row.ept) == (709.58, "trans/s", 1, 2011, 1)
    assert (row.spread, row.spread_kind, row.clock_hz, row.cpu) == (None, "", None, "")


def test_quantities_carry_scenario_and_extra_events_as_numbers() -> None:
    quantities = evidence.load().quantities
    assert quantities["mmio.write_userspace"].scenario == {"is_write": 1, "userspace": 1}
    assert quantities["mmio.write_userspace"].extra_events == {"device_model": 1}
    assert quantities["userspace.minus_eventfd"].extra_events["ioeventfd_signal"] == -1
    assert not quantities["slot.lookup_max"].scored
    assert quantities["slot.lookup_max"].why_not


@pytest.mark.parametrize(
    ("state", "on"),
    [
        ("b-6.14-all-on", "vmscape spectre other guest vcpu_pmu"),
        ("a-6.8-nopti", "vmscape spectre other guest vcpu_pmu"),
        ("a-6.8-vmscape-off", "spectre other guest vcpu_pmu"),
        ("a-6.8-spectre-off", "other guest vcpu_pmu"),
        ("a-6.8-off-host", "guest vcpu_pmu"),
        ("a-6.8-off-host-guest", "vcpu_pmu"),
        ("a-6.8-off-host-guest-nopmu", ""),
    ],
)
def test_states_of_the_skylake_hosts_say_which_mitigations_are_on(state: str, on: str) -> None:
    settings = evidence.load().states[("skylake-8160", state)].settings
    assert {name for name, value in settings.items() if value} == set(on.split())


def test_states_of_other_machines_have_no_mitigation() -> None:
    states = evidence.load().states.values()
    on = {name for s in states if s.machine != "skylake-8160" for name, value in s.settings.items() if value}
    assert on == {"nested"}  # what the machine is, and no mitigation
    assert all(s.why for s in states)


def test_states_inside_another_hypervisor_say_so() -> None:
    nested = {s.machine for s in evidence.load().states.values() if s.settings["nested"]}
    assert {"unnamed-2019-nested", "unnamed-2018-hyperv"} <= nested
    assert not nested & {"skylake-8160", "zen5-pvm"}


def test_any_table_can_be_read_by_name_with_typed_cells() -> None:
    rows = evidence.load().table("exit_counts_by_reason_vmboot")
    by_reason = {row["exit_name"]: row["count"] for row in rows if row["ept"] == 0}
    assert by_reason["EXCEPTION_NMI"] == 1566621
    assert by_reason["INVLPG"] == 171510
    with pytest.raises(InvalidInput, match="did you mean 'kvm_stat_counters'"):
        evidence.load().table("kvm_stat_counter")


def test_evidence_survives_pickling() -> None:
    loaded = evidence.load()
    assert pickle.loads(pickle.dumps(loaded)) == loaded


def test_the_hash_follows_content_and_not_place(tmp_path: Path) -> None:
    first = folder(tmp_path, HEADER, ROW, name="first")
    second = folder(tmp_path, HEADER, ROW, name="second")
    other = folder(tmp_path, HEADER, ROW.replace("9120", "9121"), name="other")
    hashes = [evidence.evidence_hash([place]) for place in (first, second, other)]
    assert hashes[0] == hashes[1] == evidence.load([first]).hash
    assert len({evidence.evidence_hash(), *hashes}) == 3
    assert all(len(value) == 16 for value in hashes)


def test_users_rows_join_the_fit_with_states_and_sources_of_their_own(tmp_path: Path) -> None:
    loaded = evidence.load([folder(tmp_path, HEADER, ROW, ROW.replace("001", "002").replace("cycle", "cycles"))])
    first, second = loaded.observations[-2:]
    assert (first.id, first.use, first.value, first.spread, first.ept) == ("own-001", "fit", 9120.0, None, None)
    assert second.unit == "cycle"
    assert not any(loaded.states[("example-a", "6.6-default")].settings.values())
    assert loaded.sources["own"].title == "user's evidence"


def test_ids_stay_unique_over_folders(tmp_path: Path) -> None:
    packaged = ROW.replace("own-001", "bonzini2012_vmexit_pio-001")
    one = folder(tmp_path, HEADER, ROW, packaged, name="one")
    two = folder(tmp_path, HEADER, ROW, name="two")
    ids = [row.id for row in evidence.load([one, two]).observations]
    assert len(ids) == len(set(ids))
    assert ids[-3:] == ["own-001", "bonzini2012_vmexit_pio-001@1", "own-001@2"]


def test_a_quantity_that_no_path_predicts_is_not_fitted_unasked(tmp_path: Path) -> None:
    row = ROW.replace("mmio.write_userspace,9120,cycle", "handler.time_exit_to_entry,8,us")
    added = evidence.load([folder(tmp_path, HEADER, row)]).observations[-1]
    assert added.use == "excluded"
    assert "leaves out" in added.use_why
    asked = folder(tmp_path, f"{HEADER},use", f"{row},fit", name="asked")
    assert "handler.time_exit_to_entry cannot be fitted" in refused([asked])


def test_an_unknown_column_is_left_out_and_said(tmp_path: Path) -> None:
    loaded = evidence.load([folder(tmp_path, f"{HEADER},colour,sprad", f"{ROW},red,3")])
    assert [notice.rpartition("observations.csv")[2] for notice in loaded.notices] == [
        ":1: colour: unknown column, not used",
        ":1: sprad: unknown column, not used; did you mean 'spread'?",
    ]


def test_a_missing_folder_or_file_is_named(tmp_path: Path) -> None:
    assert refused([tmp_path / "none"]) == f"{tmp_path}/none: must be a folder with an observations.csv"
    (tmp_path / "empty").mkdir()
    assert (
        refused([tmp_path / "empty"]) == f"{tmp_path}/empty/observations.csv: cannot be read: No such file or directory"
    )
    with pytest.raises(InvalidInput, match="cannot be read"):
        evidence.evidence_hash([tmp_path / "empty"])


def test_fitted_rows_need_machine_and_state(tmp_path: Path) -> None:
    message = refused([folder(tmp_path, HEADER, "own-001,mmio.write_userspace,9120,cycle,own,,")])
    assert ":2: machine: must not be empty in a row that is fitted" in message
    assert ":2: state: must not be empty in a row that is fitted" in message


@pytest.mark.parametrize("name", ["observations.csv", "priors.csv", "probe/timings.csv", "probe/host.json"])
def test_a_changed_file_is_refused_until_it_is_sealed(data: Path, name: str) -> None:
    with (data / name).open("a") as file:
        file.write("\n")
    message = refused()
    assert message.startswith(f"data/{name}: hash=sha256:")
    assert "mmiocost.evidence.seal" in message


def test_a_missing_packaged_file_is_named(data: Path) -> None:
    (data / "states.csv").unlink()
    assert refused() == "data/states.csv: cannot be read: No such file or directory"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '"x"', '{"resources": [{}], "sources": []}', "[" * 100000, "\x00"]
)
def test_a_damaged_descriptor_is_refused(data: Path, text: str) -> None:
    (data / "datapackage.json").write_text(text)
    assert refused().startswith("data/datapackage.json: must be a Data Package descriptor")


def test_loading_needs_no_library_beyond_the_standard_one() -> None:
    code = "import sys; from mmiocost import evidence; evidence.load(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"numpy", "pandas", "frictionless", "pint", "sympy", "scipy"} & set(done.stdout.split())
