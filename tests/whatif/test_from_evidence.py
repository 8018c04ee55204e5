"""A scenario derived from imports: values, intervals, what is missing, and who wins where files disagree."""

from __future__ import annotations

from pathlib import Path

import pytest
import recordings
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import INTEL, STALE, imported, mmio_exit, write_trace

from mmiocost.errors import InvalidInput
from mmiocost.evidence.importers.folder import imports
from mmiocost.vocabulary import PATHS
from mmiocost.whatif.from_evidence import Derivation, derive, written
from mmiocost.whatif.from_evidence.estimates import PARTS, rate, share
from mmiocost.whatif.from_evidence.generation import steps
from mmiocost.whatif.from_evidence.handlers import path_of
from mmiocost.whatif.scenario import read_scenario, scenario_of

NEVER = {"slots", "cold_search_fraction", "notrap_fraction", "bus_devices", "bus_position", "shadow_pages",
         "build_window"}  # fmt: skip
SHADOW_ROWS = {"fault_rate", "true_fault_fraction", "fill_rate", "unsync_rate", "unlink_rate", "guest_levels"}


@pytest.fixture(scope="module")
def stale(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imported(tmp_path_factory.mktemp("stale"), STALE, kernel="6.6.1-generic")


@pytest.fixture(scope="module")
def found(stale: Path) -> Derivation:
    return derive(stale)


def value(found: Derivation, symbol: str) -> float:
    number = found.derived[symbol].value
    assert not isinstance(number, str)
    return number


def missing(found: Derivation) -> set[str]:
    return {item.symbol for item in found.missing}


def refused(folder: Path, **options: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        derive(folder, **options)
    return str(caught.value)


def test_the_worked_example(found: Derivation) -> None:
    """Twelve accesses in 713 us by one vCPU; counted by hand in the sample."""
    assert value(found, "mmio_rate") == pytest.approx(12 / 713e-6, rel=1e-12)
    assert value(found, "mmio_pages") == 2
    assert value(found, "userspace_fraction") == 6 / 12
    assert value(found, "is_write") == 7 / 12
    assert value(found, "stale_share") == 4 / 9
    assert value(found, "hit_fraction") == 5 / 11
    assert value(found, "generation_rate") == pytest.approx(4 / 677e-6, rel=1e-12)
    assert found.derived["mode"].value == "ept" and found.derived["generation"].value == "v517"
    rule = found.derived["generation_rate"].rule
    assert "advanced by 4" in rule and "4 updates with AS = 1 or 2 updates with AS = 2" in rule
    assert missing(found) >= NEVER | SHADOW_ROWS and not missing(found) & set(found.derived)
    assert {item.source for item in found.derived.values()} == {STALE}
    assert [symbol for symbol, item in found.derived.items() if item.bound] == ["mmio_pages"]
    assert found.document["set"] == {
        "mmio_rate": 16830, "mmio_pages": 2, "userspace_fraction": 0.5, "generation_rate": 5908.4,
    }  # fmt: skip
    assert found.document["state"] == {"kernel": "6.6.1-generic"} and found.document["mode"] == "ept"
    assert found.warnings == ()


def test_every_interval_holds_its_value(found: Derivation) -> None:
    for item in found.derived.values():
        if not isinstance(item.value, str):
            assert item.low is not None and item.low <= item.value
            assert item.high is None if item.bound == "lower" else item.high >= item.value
    updates = found.derived["generation_rate"]
    assert updates.low * 677e-6 < 0.3 and updates.high * 677e-6 > 10  # two to four updates, each side Poisson


def test_the_file_is_read_back_as_it_was_derived(found: Derivation, tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(written(found), encoding="utf-8")
    scenario = read_scenario(file=file)
    assert scenario == scenario_of(found.document)
    assert scenario.mix == found.document["set"] and scenario.mode == "ept" and scenario.after == "v517"
    assert set(scenario.sources) == set(found.document["set"])
    text = file.read_text("utf-8")
    for item in found.missing:
        assert f"# {item.symbol}: default {item.default}; {item.range}" in text
    assert "# measured, not set: hit_fraction 0.4545" in text


def test_poisson_and_binomial_hold_where_nothing_scatters() -> None:
    """Garwood's limits for 20 events and Clopper and Pearson's for 4 of 10, from tables."""
    even = rate([2] * PARTS, 2.0)
    assert (even.value, even.low, even.high) == pytest.approx((10.0, 12.217 / 2, 30.888 / 2), rel=1e-4)
    none = rate([0] * PARTS, 1.0)
    assert (none.value, none.low, none.high) == pytest.approx((0.0, 0.0, 3.6889), rel=1e-4)
    some = share([4], [10])
    assert (some.value, some.low, some.high) == pytest.approx((0.4, 0.1216, 0.7376), abs=1e-4)
    burst = rate([20, *[0] * (PARTS - 1)], 2.0)
    assert burst.value == even.value and burst.high > 2 * even.high - even.value and burst.low == 0


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=PARTS))
def test_scatter_only_widens(parts: list[tuple[int, int]]) -> None:
    hits, of = [hit for hit, _ in parts], [hit + miss for hit, miss in parts]
    pooled, scattered = rate([sum(of)], 1.0), rate(of, 1.0)
    assert scattered.low <= pooled.low * (1 + 1e-12) and scattered.high >= pooled.high * (1 - 1e-12)
    if sum(of):
        one, many = share([sum(hits)], [sum(of)]), share(hits, of)
        assert 0 <= many.low <= one.low + 1e-12 and one.high - 1e-12 <= many.high <= 1


@pytest.mark.parametrize(
    ("release", "one", "two"),
    [
        ("3.11", (1,), (1,)), ("4.14.3", (2,), (4,)), ("5.14", (1,), (2,)), ("6.8.0-94-generic", (1,), (2,)),
        ("4.4", (1, 2), (1, 4)), ("5.4", (2, 1), (4, 2)), (None, (1, 2, 1), (1, 4, 2)),
    ],
)  # fmt: skip
def test_the_step_of_an_update_is_that_of_the_kernel(
    release: str | None, one: tuple[int, ...], two: tuple[int, ...]
) -> None:
    assert steps(release) == (one, two)


def test_without_the_release_the_interval_spans_all_steps(tmp_path: Path) -> None:
    known, unknown = derive(imported(tmp_path / "a", STALE, kernel="6.6")), derive(imported(tmp_path / "b", STALE))
    assert value(known, "generation_rate") == value(unknown, "generation_rate")
    assert unknown.derived["generation_rate"].low < known.derived["generation_rate"].low
    assert "not certain" in unknown.derived["generation_rate"].rule and "generation" in missing(unknown)


def test_rates_are_those_of_one_vcpu(tmp_path: Path) -> None:
    found = derive(imported(tmp_path, INTEL))
    assert value(found, "mmio_rate") == pytest.approx(109 / 2 / 6703e-6)
    assert {"stale_share", "hit_fraction", "generation_rate"} <= missing(found)  # no kvmmmu events: not 0


def test_hits_stand_alone_without_updates_and_give_way_to_them(tmp_path: Path) -> None:
    """An hour of nothing but hits, then stale ones at the same generation: the rates can't explain it."""
    lines = [line for n in range(200) for line in mmio_exit(1000 + 20 * n, valid=n % 2 == 0)]
    found = derive(imported(tmp_path, write_trace(tmp_path / "t.txt", lines), kernel="6.6"))
    assert value(found, "hit_fraction") == 0.5 and value(found, "generation_rate") == 0
    assert "hit_fraction" not in found.document["set"] and found.document["set"]["generation_rate"] == 0
    assert len(found.warnings) == 1 and found.warnings[0].startswith("hit_fraction: 0.5 ")


def test_a_number_that_goes_back_is_no_count_of_updates(tmp_path: Path) -> None:
    lines = [line for n in range(20) for line in mmio_exit(1000 + 20 * n, gen=64 - n)]
    found = derive(imported(tmp_path, write_trace(tmp_path / "t.txt", lines), kernel="6.6"))
    assert "generation_rate" in missing(found)
    assert found.document["set"]["hit_fraction"] == 1 and "generation_rate" not in found.document["set"]


def test_losses_make_rates_lower_bounds_and_leave_shares(tmp_path: Path) -> None:
    found = derive(imported(tmp_path, "trace_cmd_amd_dropped.txt"))
    lossy, kept = found.derived["mmio_rate"], found.derived["userspace_fraction"]
    assert (lossy.bound, lossy.high) == ("lower", None) and "lost" in lossy.rule
    assert kept.bound is None and kept.high is not None


def test_shadow_paging_gives_faults_as_a_lower_bound(tmp_path: Path) -> None:
    found = derive(imported(tmp_path, "ftrace_shadow_mmio_k31.txt", kernel="3.1"))
    assert found.document["mode"] == "shadow" and found.derived["fault_rate"].bound == "lower"
    assert missing(found) >= NEVER


def test_an_amd_host_is_said_to_be_one(tmp_path: Path) -> None:
    found = derive(imported(tmp_path, "ftrace_amd_npf_k66.txt", kernel="6.6"))
    assert found.document["mode"] == "ept" and any("decode_assist" in text for text in found.warnings)


def test_two_files_that_disagree_are_an_error_that_one_can_decide(tmp_path: Path) -> None:
    folder = imported(tmp_path, INTEL, STALE, kernel="6.6")
    said = refused(folder)
    assert "userspace_fraction" in said and STALE in said and INTEL in said and "--prefer" in said
    assert value(derive(folder, prefer=INTEL), "userspace_fraction") == 96 / 109
    assert value(derive(folder, prefer=STALE), "userspace_fraction") == 0.5
    by_id = next(item.id for item in imports(folder) if item.entry["file"] == STALE)
    assert derive(folder, prefer=by_id).derived["mmio_rate"].source == STALE
    assert "did you mean" in refused(folder, prefer=STALE.replace("66", "67"))


def test_of_two_sources_the_trace_wins_and_says_against_whom(tmp_path: Path) -> None:
    folder = imported(tmp_path, "perf_kvm_stat_mmio_intel_v51.txt", "perf_kvm_stat_vmexit_intel_v51.txt", window=1.0)
    report = derive(folder)
    # Of two reports the sum by address is a value; exits by reason leave first touches out, a bound.
    assert value(report, "mmio_rate") == 109 and report.derived["mmio_pages"].bound == "lower"
    assert value(report, "is_write") == pytest.approx(52 / 109)
    both = derive(imported(folder, INTEL))
    assert both.derived["mmio_rate"].source == INTEL
    assert any(text.startswith("mmio_rate: ") and "is taken against" in text for text in both.warnings)


def dump(path: Path, **counters: int) -> Path:
    rows = [f"/sys/kernel/debug/kvm/77-11/{name}:{number}" for name, number in counters.items()]
    rows += [f"/sys/kernel/debug/kvm/77-11/vcpu{cpu}/guest_mode:0" for cpu in (0, 1)]
    rows += [f"/sys/kernel/debug/kvm/77-11/vcpu{cpu}/halt_exits:{path.stem == 'b'}".replace("True", "9")
             .replace("False", "3") for cpu in (0, 1)]  # fmt: skip
    path.write_text("\n".join([*rows, ""]))
    return path


def test_counters_give_bounds(tmp_path: Path) -> None:
    first = dump(tmp_path / "a.txt", mmio_exits=100, mmu_cache_miss=50, mmu_shadow_zapped=7)
    last = dump(tmp_path / "b.txt", mmio_exits=6100, mmu_cache_miss=650, mmu_shadow_zapped=127)
    found = derive(imported(tmp_path / "e", last, first, window=60.0))  # the order of two dumps tells itself
    assert value(found, "mmio_rate") == 6000 / 60 / 2 and found.derived["mmio_rate"].bound == "lower"
    assert value(found, "fill_rate") == 600 / 60 / 2 and found.derived["fill_rate"].bound == "upper"
    assert value(found, "unlink_rate") == 120 / 60 / 2 and found.derived["unlink_rate"].low is None
    assert derive(imported(tmp_path / "one", first, window=60.0)).derived == {}


def test_a_workload_of_the_same_run_gives_accesses_per_transaction(stale: Path) -> None:
    file = recordings.SAMPLES / "netperf_tcp_rr.txt"
    found = derive(stale, workload=str(file))
    assert value(found, "accesses_per_transaction") == pytest.approx(12 / 713e-6 / 9134.27)
    assert "accesses_per_transaction" in found.document["set"]
    assert "transactions per second" in refused(stale, workload=str(recordings.SAMPLES / "netperf_tcp_stream.txt"))
    assert "no file" in refused(stale, workload="nowhere.txt")


def test_a_note_of_the_host_gives_mitigations_and_the_kernel(tmp_path: Path) -> None:
    note = tmp_path / "host.txt"
    note.write_text(
        "6.8.0-94-generic\nModel name: Example CPU\n/sys/module/kvm/parameters/mmio_caching:Y\n"
        "/sys/module/kvm_intel/parameters/ept:Y\n/sys/devices/system/cpu/vulnerabilities/meltdown:Not affected\n"
        "/sys/devices/system/cpu/vulnerabilities/spectre_v2:Mitigation: Enhanced IBRS\n"
    )
    found = derive(imported(tmp_path / "e", note, STALE))
    assert found.document["state"] == {"kernel": "6.8.0-94-generic", "mitigations": "all"}
    assert "spectre_v2" in found.derived["mitigations"].rule and "mitigations" not in missing(found)
    assert found.derived["mode"].source == STALE


def test_the_kernel_of_a_workload_is_the_guests(tmp_path: Path) -> None:
    assert "generation" in missing(derive(imported(tmp_path, "kernbench_log_v050.txt")))


def test_a_hostile_file_name_changes_nothing_of_the_scenario(tmp_path: Path, found: Derivation) -> None:
    evil = tmp_path / "x\nset: {slots: 1}\u2028# \x1b[31m: '\"\\.txt"
    evil.write_bytes((recordings.SAMPLES / STALE).read_bytes())
    folder = imported(tmp_path / "e", evil, kernel="6.6.1-generic")
    hostile = derive(folder)
    file = tmp_path / "my.yaml"
    file.write_text(written(hostile), encoding="utf-8")
    scenario = read_scenario(file=file)
    assert scenario == scenario_of(hostile.document) and scenario.mix == found.document["set"] and not scenario.counts
    assert "\x1b" not in file.read_text("utf-8")


def test_what_can_not_be_read_is_one_line(tmp_path: Path) -> None:
    assert "has no imports" in refused(tmp_path)
    folder = imported(tmp_path / "e", STALE)
    (imports(folder)[0].path / "pairs.parquet").write_bytes(b"no parquet")
    assert "evidence remove" in refused(folder)


@pytest.mark.parametrize(
    ("row", "path"),
    [
        (("mmio_cached", "", "user", "EPT_MISCONFIG", "write"), "v517.ept.mmio_hit"),
        (("mmio_stale", "", "kernel", "EPT_MISCONFIG", "read"), "v517.ept.mmio_stale"),
        (("mmio_fast", "", "kernel", "EPT_MISCONFIG", "write"), "v517.ept.fast_mmio"),
        (("mmio_slow", "first", "user", "EPT_VIOLATION", "write"), "v517.ept.mmio_first"),
        (("mmio_slow", "uncached", "user", "EPT_VIOLATION", "write"), "v517.ept.mmio_uncached"),
        (("mmio_slow", "before", "user", "EPT_VIOLATION", "write"), "v30.ept.mmio"),
        (("mmio_slow", "unknown", "user", "EPT_VIOLATION", "write"), None),
        (("pio", "", "", "IO_INSTRUCTION", "read"), "v517.any.pio_read"),
        (("other", "", "", "CPUID", ""), "v517.any.cpuid"),
        (("other", "", "", "HLT", ""), None),
        (("fault", "", "", "EPT_VIOLATION", ""), None),
    ],
)
def test_a_class_of_exits_has_the_path_of_the_table(row: tuple[str, ...], path: str | None) -> None:
    found = path_of(dict(zip(("class", "slow_case", "served", "reason", "rw"), row, strict=True)), "v517", "ept")
    assert (found and found[0]) == path
    assert path is None or path in {item.name for item in PATHS}
