"""Every key of expected.json for every sample, as `mmiocost import --json` and the written tables say it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mmiocost.evidence.importers import folder
from mmiocost.evidence.importers.reading import Options
from mmiocost.evidence.importers.run import import_file
from mmiocost.evidence.importers.trace.exit_reasons import VMX

SAMPLES = Path(__file__).parent / "samples"
EXPECTED: dict[str, dict[str, Any]] = {
    name: expected
    for name, expected in json.loads((SAMPLES / "expected.json").read_text()).items()
    if not expected["format"].startswith("(")
}
TRACES = [name for name, expected in EXPECTED.items() if "events" in expected]
ALL = "read_parquet('{}/events/*.parquet', union_by_name=true)"
Rows = list[dict[str, Any]]


class Imported:
    """A sample as it was imported: its object of the JSON, and queries over its tables."""

    def __init__(self, said: dict[str, Any], place: Path) -> None:
        self.said, self.place = said, place

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(config={"threads": 1}) as connection:
            return connection.execute(sql.format(events=ALL.format(self.place), pairs=self._pairs())).fetchall()

    def _pairs(self) -> str:
        return f"read_parquet('{self.place}/pairs.parquet')"

    def rows(self, table: str) -> Rows:
        import pyarrow.parquet as pq

        path = self.place / f"{table}.parquet"
        found: Rows = pq.read_table(path).to_pylist() if path.is_file() else []
        return found


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Imported]:
    """Import a sample, once."""
    base = tmp_path_factory.mktemp("evidence")
    done: dict[str, Imported] = {}

    def get(name: str) -> Imported:
        if name not in done:
            to = base / str(len(done))  # a folder each: what one file says of the host is taken for the others' too
            said = import_file(str(SAMPLES / name), to, Options())
            done[name] = Imported(json.loads(json.dumps(said)), to / folder.IMPORTS / said["id"])
        return done[name]

    return get


def of_format(name: str) -> list[str]:
    return [sample for sample, expected in EXPECTED.items() if expected["format"] == name]


@pytest.mark.parametrize("name", EXPECTED)
def test_format_and_skipped_lines(name: str, imported: Callable[[str], Imported]) -> None:
    expected, said = EXPECTED[name], imported(name).said
    assert said["format"] == expected["format"]
    lines = [item["line"] for item in said["skipped_lines"]]
    assert lines == expected.get("skipped_lines", [])
    assert said["skipped"] == len(lines)


@pytest.mark.parametrize("name", TRACES)
def test_totals_of_a_trace(name: str, imported: Callable[[str], Imported]) -> None:
    expected, said = EXPECTED[name], imported(name).said
    keys = ("events", "pairs", "unpaired_exits", "unpaired_entries", "negative_pairs", "out_of_order_events",
            "lost_markers", "lost", "reasons", "event_counts")  # fmt: skip
    assert {key: said[key] for key in keys} == {key: expected[key] for key in keys}
    assert said["rows"] == said["events"]
    assert said["time_unit"] == (expected["time_unit"] if said["events"] else None)
    classes = {name: [item["pairs"], item["total"]] for name, item in said["classes"].items()}
    assert classes == expected["classes"]
    assert sum(total for _, total in classes.values()) == expected["total"]
    unknown = any("of unknown number" in warning["text"] for warning in said["warnings"])
    assert unknown == bool(expected["lost_unknown"])


@pytest.mark.parametrize("name", [name for name in TRACES if EXPECTED[name]["events"]])
def test_tables_of_a_trace(name: str, imported: Callable[[str], Imported]) -> None:
    expected, found = EXPECTED[name], imported(name)
    counts = dict(found.query("select event, count(*) from {events} group by event"))
    assert counts == expected["event_counts"]
    assert [counts.get(event, 0) for event in ("kvm_exit", "kvm_entry")] == [
        expected["kvm_exit"],
        expected["kvm_entry"],
    ]
    assert found.query("select min(time), max(time) from {events}") == [(expected["first"], expected["last"])]
    for event in ("mmio", "pio"):
        by_direction = f"select rw, count(*) from {{events}} where event = 'kvm_{event}' group by rw"
        assert dict(found.query(by_direction)) == expected[event]
    to_user = "select count(*) from {events} where event = 'kvm_userspace_exit' and valid = 1"
    if "kvm_userspace_exit" in counts:
        assert found.query(to_user) == [(expected["userspace_exit"].get("KVM_EXIT_MMIO", 0),)]
    lines = found.query("select line, count(*) from {events} group by line having count(*) > 1 or line < 1")
    assert lines == []


@pytest.mark.parametrize("name", [name for name in TRACES if EXPECTED[name]["pairs"]])
def test_pairs_of_a_trace(name: str, imported: Callable[[str], Imported]) -> None:
    expected, found = EXPECTED[name], imported(name)
    cases = "select slow_case, count(*), sum(duration) from {pairs} where class = 'mmio_slow' group by slow_case"
    assert {case: [pairs, total] for case, pairs, total in found.query(cases)} == expected["slow_cases"]
    # perf learns a thread at its first kvm_entry: pairs that began before it are not pairs to perf
    by_perf = """select count(*), sum(duration) from {pairs} join (select tid, min(line) as first from {events}
                 where event = 'kvm_entry' group by tid) using (tid) where line_exit > first"""
    assert found.query(by_perf) == [(expected["perf_rule_pairs"], expected["perf_rule_total"])]


@pytest.mark.parametrize("name", of_format("perf-kvm-stat"))
def test_perf_kvm_stat(name: str, imported: Callable[[str], Imported]) -> None:
    expected, found = EXPECTED[name], imported(name)
    rows = found.rows("kvm_stat")
    blocks = expected["blocks"]
    assert found.said["rows"] == len(rows) == sum(len(block["rows"]) for block in blocks)
    assert found.said["blocks"] == len(blocks)
    assert found.said["lost"] == sum(block.get("lost", 0) for block in blocks)
    wanted = [(block, row) for block in blocks for row in block["rows"]]
    for got, (block, row) in zip(rows, wanted, strict=True):
        assert got["scope"] == block["scope"]
        assert got["event"] == ("VM-EXIT" if block["event"] == "(not stated)" else block["event"])
        assert (got["printed"], got["samples"]) == (row["name"], row["samples"])
        single = row["samples"] == 1  # perf prints 0.00 %, and means: unknown
        if "mean_ns" in row:
            times = [row[f"{what}_ns"] / 1000 for what in ("mean", "min", "max", "total")]
            assert [got["mean_us"], got["min_us"], got["max_us"], got["total_us"]] == times
        else:
            assert got["mean_us"] == row["avg_us"]
            assert [got["min_us"], got["max_us"]] == [row.get("min_us"), row.get("max_us")]
            assert got["rel_sem_percent"] == (None if single else row["rel_sem_pct"])
    # The code that perf could not name stands in a line before; by the SDM's table it has a name.
    unknown = [row["name"] for row in rows if row["printed"] == "UNKNOWN"]
    assert unknown == [VMX[code] for _, code in expected["unknown_exit_codes"]]
    if all("total_samples" in block for block in blocks):
        assert sum(row["samples"] for row in rows) == sum(block["total_samples"] for block in blocks)


@pytest.mark.parametrize("name", of_format("vmexit"))
def test_vmexit(name: str, imported: Callable[[str], Imported]) -> None:
    rows = imported(name).rows("vmexit")
    found = [{"name": row["printed"], "cycles": row["cycles"], "valid": row["valid"]} for row in rows]
    assert found == EXPECTED[name]["rows"]
    assert imported(name).said["rows"] == len(rows)


@pytest.mark.parametrize("name", of_format("perf-stat"))
def test_perf_stat(name: str, imported: Callable[[str], Imported]) -> None:
    rows, expected = imported(name).rows("counters"), EXPECTED[name]
    assert len(rows) == imported(name).said["rows"]
    assert len({row["event"] for row in rows}) == expected["counters"]
    assert {row["event"]: row["count"] for row in rows if row["count"]} == expected["nonzero"]
    assert sum(row["count"] or 0 for row in rows) == expected["total"]


@pytest.mark.parametrize("name", of_format("netperf"))
def test_netperf(name: str, imported: Callable[[str], Imported]) -> None:
    expected = EXPECTED[name]
    (row,) = imported(name).rows("netperf")
    assert row["test"] == expected["test"]
    unit = {"transactions/s": "trans/s"}.get(expected["unit"], expected["unit"])
    assert (row["value"], row["unit"], row["elapsed_s"]) == (expected["value"], unit, expected["elapsed_s"])
    same = ("request", "response", "message", "cpu_local_pct", "cpu_remote_pct", "sdem_local_us", "sdem_remote_us",
            "mean_latency_us")  # fmt: skip
    assert {key: row[key] for key in same if key in expected} == {key: expected[key] for key in same if key in expected}
    if "keywords" in expected:
        assert row["mean_latency_us"] == float(expected["keywords"]["MEAN_LATENCY"])
    assert [item["value"] for item in imported(name).rows("interim")] == expected.get("interim", [])


@pytest.mark.parametrize("name", of_format("kernbench"))
def test_kernbench(name: str, imported: Callable[[str], Imported]) -> None:
    rows = imported(name).rows("kernbench")
    found: dict[int, dict[str, dict[str, Any]]] = {}
    for row in rows:
        load = f"{row['load']} -j {row['jobs']}".strip()
        found.setdefault(row["run"], {}).setdefault(load, {})[row["name"]] = [row["mean"], row["sd"]]
    runs = EXPECTED[name]["runs"]
    assert list(found.values()) == [run["loads"] for run in runs]
    assert {row["kernel"] for row in rows} == {run["kernel"] for run in runs}
    assert imported(name).said["rows"] == sum(len(run["loads"]) for run in runs)


def test_kvm_stat_batch(imported: Callable[[str], Imported]) -> None:
    for name in of_format("kvm-stat-batch"):
        rows = imported(name).rows("counters")
        assert {row["name"]: [row["total"], row["delta"]] for row in rows} == EXPECTED[name]["rows"]


@pytest.mark.parametrize("name", of_format("kvm-stat-log"))
def test_kvm_stat_log(name: str, imported: Callable[[str], Imported]) -> None:
    rows, expected, said = imported(name).rows("counters"), EXPECTED[name], imported(name).said
    assert said["rows"] == expected["records"]
    assert list(dict.fromkeys(row["name"] for row in rows)) == expected["columns"]
    sums = {column: sum(row["delta"] for row in rows if row["name"] == column) for column in expected["columns"]}
    assert sums == expected["sums"]
    if "first" in expected:
        assert [rows[0]["time"], rows[-1]["time"]] == [expected["first"], expected["last"]]
        facts = json.loads((imported(name).place / folder.ENTRY).read_text())["facts"]
        assert facts["window_s"] == expected["interval_s"] * expected["records"]
    else:
        assert {row["time"] for row in rows} == {""}


def test_debugfs(imported: Callable[[str], Imported]) -> None:
    for name in of_format("kvm-debugfs"):
        found: dict[str, dict[str, Any]] = {"host": {}, "vm": {}, "vcpu": {}}
        for row in imported(name).rows("counters"):
            level = "vcpu" if row["vcpu"] else "vm" if row["vm"] else "host"
            if level == "host":
                found["host"][row["name"]] = row["value"]
            else:
                place = "/".join(filter(None, (row["vm"], row["vcpu"])))
                found[level].setdefault(place, {})[row["name"]] = row["value"]
        assert found == {level: EXPECTED[name][level] for level in found}


@pytest.mark.parametrize("name", of_format("kvm-stats"))
def test_kvm_stats(name: str, imported: Callable[[str], Imported]) -> None:
    rows, expected = imported(name).rows("statistics"), EXPECTED[name]
    assert {row["name"]: row["value"] for row in rows if row["buckets"] is None} == expected["values"]
    histograms = {row["name"]: json.loads(row["buckets"]) for row in rows if row["buckets"] is not None}
    assert histograms == expected["histograms"]
    units = {row["name"]: row["unit"] for row in rows if row["unit"] and row["buckets"] is None}
    assert units == expected.get("units", {})


@pytest.mark.parametrize("name", of_format("bcc-kvmexit"))
def test_bcc_kvmexit(name: str, imported: Callable[[str], Imported]) -> None:
    rows, expected = imported(name).rows("exits"), EXPECTED[name]
    assert [[row["pid"], row["tid"], row["reason"], row["count"]] for row in rows] == expected["rows"]
    assert sum(row["count"] for row in rows) == expected["total"]
    facts = json.loads((imported(name).place / folder.ENTRY).read_text())["facts"]
    assert facts.get("window_s") == expected["window_s"]


def test_bpftrace(imported: Callable[[str], Imported]) -> None:
    counts, hist = of_format("bpftrace-map")
    rows = imported(counts).rows("maps")
    assert {row["key"]: row["count"] for row in rows} == EXPECTED[counts]["counts"]
    assert {row["map"] for row in rows} == {EXPECTED[counts]["map"]}
    rows = imported(hist).rows("maps")
    buckets = [[row["low"], row["high"], row["count"]] for row in rows if row["count"]]
    assert buckets == EXPECTED[hist]["buckets"]
    assert {(row["map"], row["key"]) for row in rows} == {(EXPECTED[hist]["map"], EXPECTED[hist]["key"])}
    assert sum(row["count"] for row in rows) == EXPECTED[hist]["total"]


def test_tidy(imported: Callable[[str], Imported]) -> None:
    for name in of_format("tidy"):
        assert imported(name).said["rows"] == EXPECTED[name]["rows"]
