"""``mmiocost import``: what a user sees of good files and of all others, and what is left on the disk."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from trace_texts import one_second

from mmiocost.evidence.importers import folder, recording
from mmiocost.evidence.importers.reading import Options
from mmiocost.evidence.importers.run import import_file

SAMPLES = Path(__file__).parents[1] / "evidence" / "importers" / "samples"
STALE = SAMPLES / "constructed" / "ftrace_stale_generation_k66.txt"
LINE = "       CPU 0/KVM-4111    [000] d..1.  1800.250002: kvm_entry: vcpu 0, rip 0x1\n"
EXIT = "       CPU 0/KVM-4111    [000] d..1.  {}: kvm_exit: vcpu 0 reason HLT rip 0x1 info 0 0\n"
ENTRY = "       CPU 0/KVM-4111    [000] d..1.  {}: kvm_entry: vcpu 0, rip 0x1\n"
Run = Callable[..., Any]


def left_in(to: Path) -> list[str]:
    """Names of all that lies in the folder of imports."""
    return sorted(path.name for path in (to / folder.IMPORTS).glob("*")) if to.exists() else []


def contents(to: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file of a folder as text: its bytes, and the words of a table."""
    for path in to.rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()
            if path.suffix == ".parquet":
                table = pq.read_table(path)
                yield path, json.dumps([table.to_pylist(), str(table.schema.metadata)], default=str).encode()


# --- what is said ------------------------------------------------------------------------------------------------


def test_text_and_json(cli_here: Run, tmp_path: Path) -> None:
    said = cli_here("import", STALE, "--to", tmp_path / "a")
    assert (said.status, said.err) == (0, "")
    assert "83 events, 14 pairs, 0 exits and 1 entries unpaired, 0 lines skipped; the trace is sound" in said.out
    document = cli_here("import", STALE, "--to", tmp_path / "b", "--json").json()
    (file,) = document["files"]
    assert {"version", "evidence"} <= document.keys()
    assert (file["file"], file["format"], file["rows"], file["time_unit"]) == (str(STALE), "ftrace", 83, "ns")


def test_standard_input_compressed(cli: Run, tmp_path: Path) -> None:
    stored = gzip.compress(STALE.read_bytes())
    command = [sys.executable, "-m", "mmiocost", "import", "-", "--to", str(tmp_path), "--json"]
    done = subprocess.run(command, input=stored, capture_output=True, check=True)
    (file,) = json.loads(done.stdout)["files"]
    assert (file["file"], file["events"], file["pairs"]) == ("-", 83, 14)


def test_a_named_pipe_is_read_once(cli_here: Run, tmp_path: Path) -> None:
    """What says of the host is imported first, and a look into a pipe would take from it what is then missing."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cp", STALE, pipe]):
        (file,) = cli_here("import", pipe, "--to", tmp_path / "to", "--json").json()["files"]
    assert file["events"] == 83


def test_help_and_every_refusal_say_how_to_record(cli_here: Run, tmp_path: Path) -> None:
    assert "perf kvm stat record" in cli_here("import", "--help").out
    assert "cat trace > ~/vm.ftrace.txt" in recording.ALL


REFUSED = {
    "empty": b"", "blank": b"\n  \n", "perf.data": b"PERFILE2" + bytes(100),
    "trace.dat": b"\x17\x08Dtracing" + bytes(50),
    "utf-16": LINE.encode("utf-16"), "utf-16-be": b"\xfe\xff" + LINE.encode("utf-16-be"),
    "binary": bytes(range(256)) * 50, "zeros": bytes(5000), "prose": b"Dear list,\nplease find below.\n" * 40,
    "one long line": b"x" * 3_000_000, "numbers": b"1 2 3\n" * 100,
    "times with a comma": LINE.replace(".25", ",25").encode() * 9,
    "negative times": LINE.replace(" 1800.", "-1800.").encode() * 9, "an empty archive": gzip.compress(b""),
    "an archive of zeros": gzip.compress(bytes(1 << 24)), "a broken archive": gzip.compress(LINE.encode())[:14],
    "cut before the first event": b"# tracer: nop\n" + LINE.encode()[:30],
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(what: str, cli_here: Run, tmp_path: Path) -> None:
    """One problem that says how to record, exit status 2, and nothing left behind."""
    path, to = tmp_path / "file.txt", tmp_path / "to"
    path.write_bytes(REFUSED[what])
    said = cli_here("import", path, "--to", to)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(f"{path}: ") and "Traceback" not in said.err
    assert any(command in said.err for command in ("perf script -i vm.data", "trace-cmd report -t"))
    assert left_in(to) == []
    document = cli_here("import", path, "--to", to, "--json").json()
    assert len(document["errors"]) == 1
    assert [(file["format"], file["rows"]) for file in document["files"]] == [(None, 0)]


def test_wrong_usage(cli_here: Run, tmp_path: Path) -> None:
    to = ("--to", tmp_path / "to")
    for words, named in (
        (("--format", "ftrac"), "did you mean 'ftrace'?"), (("--clock-hz", "0"), "above 0"),
        (("--window", "5:1"), "A below B"), (("--clock-hz", "fast"), "must be a number"),
    ):  # fmt: skip
        said = cli_here("import", STALE, *to, *words)
        assert said.status == 2 and named in said.err
    assert cli_here("import", tmp_path / "missing", *to).status == 2
    assert cli_here("import", STALE, "--to", STALE).status == 2
    assert left_in(tmp_path / "to") == []


def test_good_lines_are_kept_and_bad_ones_counted(cli_here: Run, tmp_path: Path) -> None:
    """Ten thousand bad lines of every kind: all are counted, a hundred are listed, what is between them is read."""
    bad = ["\0\0\0", "x" * 70_000, LINE.replace("vcpu 0", "vcpu"), "�" * 50, "\x1b[31m"]
    good = [EXIT.format("1800.000001"), ENTRY.format("1800.000003"), EXIT.format("1799.000000"), ENTRY.format("1799.5")]
    path = tmp_path / "mixed.txt"
    lines = [*good[:2], *(f"{line.rstrip()}\n" for line in bad * 2000), *good[2:]]
    path.write_bytes("".join([LINE, *lines]).encode())
    said = cli_here("import", path, "--to", tmp_path / "to", "--format", "ftrace", "--json").json()["files"][0]
    assert (said["skipped"], len(said["skipped_lines"]), said["pairs"]) == (10_000, 100, 2)
    assert said["skipped_lines"][:4] == [
        {"line": 4, "reason": "unrecognised"}, {"line": 5, "reason": "too_long"}, {"line": 6, "reason": "incomplete"},
        {"line": 7, "reason": "unrecognised"},
    ]  # fmt: skip
    assert said["out_of_order_events"] == 2
    assert any("more than half" in warning["text"] for warning in said["warnings"])


def test_time_that_goes_backwards_makes_no_duration(cli_here: Run, tmp_path: Path) -> None:
    path = tmp_path / "back.txt"
    path.write_text("".join([ENTRY.format("1.000000"), EXIT.format("5.000001"), ENTRY.format("4.999999")]))
    said = cli_here("import", path, "--to", tmp_path / "to", "--json").json()["files"][0]
    assert [said[key] for key in ("pairs", "negative_pairs", "out_of_order_events")] == [0, 1, 1]


def test_ticks_stay_ticks_unless_the_clock_is_given(cli_here: Run, tmp_path: Path) -> None:
    path = tmp_path / "ticks.txt"
    path.write_text("".join([ENTRY.format("2400000000"), EXIT.format("4800000000"), ENTRY.format("4800004800")]))
    ticks, ns = (
        cli_here("import", path, "--to", tmp_path / str(len(more)), "--json", *more).json()["files"][0]
        for more in ((), ("--clock-hz", "2.4e9"))
    )
    assert (ticks["time_unit"], ticks["reasons"]["HLT"]["total"]) == ("ticks", 4800)
    assert (ns["time_unit"], ns["reasons"]["HLT"]["total"]) == ("ns", 2000)


def test_a_window_of_a_trace(cli_here: Run, tmp_path: Path) -> None:
    path = tmp_path / "window.txt"
    times = [f"{second}.00000{part}" for second in range(1, 6) for part in (1, 3)]
    path.write_text("".join((ENTRY if number % 2 else EXIT).format(time) for number, time in enumerate(times)))
    said = cli_here("import", path, "--to", tmp_path / "to", "--json", "--window", "2:4").json()["files"][0]
    assert (said["events"], said["pairs"]) == (4, 2)


def test_a_page_that_is_searched_again_and_again_is_asked_for(cli_here: Run, tmp_path: Path) -> None:
    """Without kvmmmu events nobody knows whether an answer was cached: never inferred, always asked."""
    sample = SAMPLES / "constructed" / "ftrace_k2632_noflags.txt"
    asked = cli_here("import", sample, "--to", tmp_path / "a", "--json").json()["files"][0]["warnings"]
    assert any("is mmio_caching off? Pass --mmio-caching" in warning["text"] for warning in asked)
    told = cli_here("import", sample, "--to", tmp_path / "b", "--mmio-caching", "off", "--json").json()["files"][0]
    assert not any("Pass --mmio-caching" in warning["text"] for warning in told["warnings"])


def test_two_results_in_one_report(tmp_path: Path) -> None:
    """Two results in one file have different columns; no column of the second is lost."""
    netperf = [SAMPLES / "constructed" / f"netperf_tcp_{name}.txt" for name in ("rr", "stream")]
    path = tmp_path / "two.txt"
    path.write_bytes(b"\n".join(sample.read_bytes() for sample in netperf))
    import_file(str(path), tmp_path / "to", Options())
    (table,) = (tmp_path / "to").glob("imports/*/netperf.parquet")
    assert [(row["test"], row["message"]) for row in pq.read_table(table).to_pylist()] == [
        ("TCP_RR", None), ("TCP_STREAM", 16384),
    ]  # fmt: skip


# --- privacy -----------------------------------------------------------------------------------------------------


def test_no_name_is_written_unless_it_is_asked_for(cli_here: Run, tmp_path: Path) -> None:
    thread, host, address = "secret-thread", "secret.example.org", "203.0.113.77"
    private = {thread: thread.encode(), host: host.encode(), address: b"203.0.113"}
    perf = SAMPLES / "real" / "local_perf_script_k618_perf61_default.txt"
    header = "# hostname : secret.example.org\n# os release : 6.18.0\n# cmdline : /home/secret-thread/perf record\n"
    (tmp_path / "a.txt").write_text(header + perf.read_text().replace("    CPU 0/KVM", thread))
    frames = (SAMPLES / "real" / "local_perf_script_k618_callgraph.txt").read_text()
    (tmp_path / "b.txt").write_text(frames.replace("CPU 0/KVM", thread).replace("[kernel", f"/{host}/"))
    netperf = (SAMPLES / "constructed" / "netperf_tcp_rr.txt").read_text()
    (tmp_path / "c.txt").write_text(netperf.replace("192.0.2.7", address).replace("0.0.0.0", host))
    debugfs = (SAMPLES / "constructed" / "kvm_debugfs_grep.txt").read_text()
    (tmp_path / "d.txt").write_text(debugfs + "/home/secret-thread/kvm/secret.example.org: 1\n")
    files = [tmp_path / f"{name}.txt" for name in "abcd"]
    for words in (("--to", tmp_path / "x"), ("--to", tmp_path / "y", "--json")):
        shown = cli_here("import", *files, *words)
        assert shown.status == 0
        assert not any(name in shown.out + shown.err for name in private)
    for path, text in (*contents(tmp_path / "x"), *contents(tmp_path / "y")):
        assert not any(name in text for name in private.values()), path
    assert cli_here("import", files[0], "--to", tmp_path / "z", "--keep-names").status == 0
    assert any(b"secret-thread" in text for _, text in contents(tmp_path / "z"))


def test_values_are_kept_only_with_the_names(cli_here: Run, tmp_path: Path) -> None:
    for words, columns in (((), set()), (("--keep-names",), {"value"})):
        to = tmp_path / str(len(words))
        assert cli_here("import", STALE, "--to", to, *words).status == 0
        (table,) = to.glob("imports/*/events/accesses.parquet")
        assert {"value"} & set(pq.read_schema(table).names) == columns


def test_names_of_samples_are_not_written(tmp_path: Path) -> None:
    for path in (STALE, *SAMPLES.glob("real/*perf_script*.txt"), *SAMPLES.glob("constructed/netperf*.txt")):
        import_file(str(path), tmp_path, Options())
    for path, text in contents(tmp_path):
        assert not any(name in text for name in (b"CPU 0/KVM", b"CPU 1/KVM", b"192.0.2.7", b"./g 6")), path


# --- folders -----------------------------------------------------------------------------------------------------


def test_the_same_file_twice(cli_here: Run, tmp_path: Path) -> None:
    to = tmp_path / "to"
    cli_here("import", STALE, "--to", to)
    before = {path: path.read_bytes() for path in to.rglob("*") if path.is_file()}
    copy = shutil.copy(STALE, tmp_path / "another name.txt")
    said = cli_here("import", copy, STALE, "--to", to)
    assert said.status == 0 and said.out.count("has been imported before") == 2
    assert {path: path.read_bytes() for path in to.rglob("*") if path.is_file()} == before


def test_evidence_remove(cli_here: Run, tmp_path: Path) -> None:
    to = tmp_path / "to"
    other = SAMPLES / "constructed" / "vmexit_2026_pci.txt"
    cli_here("import", STALE, other, "--to", to)
    wrong = cli_here("evidence", "remove", "vmexit_2026_pc.txt", "--from", to)
    assert wrong.status == 2 and "did you mean 'vmexit_2026_pci.txt'?" in wrong.err
    assert cli_here("evidence", "remove", other.name, "--from", to).status == 0
    (kept,) = folder.imports(to)
    assert kept.entry["file"] == STALE.name
    assert cli_here("evidence", "remove", kept.id, "--from", to).status == 0
    assert left_in(to) == []
    assert cli_here("import", other, "--to", to).status == 0


def test_a_damaged_import_is_replaced(cli_here: Run, tmp_path: Path) -> None:
    cli_here("import", STALE, "--to", tmp_path)
    (found,) = folder.imports(tmp_path)
    (found.path / folder.ENTRY).write_text("{")
    said = cli_here("evidence", "remove", found.id, "--from", tmp_path)
    assert said.status == 0 and left_in(tmp_path) == []
    cli_here("import", STALE, "--to", tmp_path)
    assert len(folder.imports(tmp_path)) == 1


def made(base: Path, number: int) -> list[Path]:
    """Small traces, each of its own content."""
    text = one_second("ftrace", seed=5, vcpus=2, events=300)
    paths = [base / f"{name}.txt" for name in range(number)]
    for second, path in enumerate(paths, start=1000):
        path.write_bytes(text.replace(b"SSSSSSS", b"%7d" % second))
    return paths


IMPORTER = """
import sys
from pathlib import Path
from mmiocost.evidence.importers.reading import Options
from mmiocost.evidence.importers.run import import_file
print("ready", flush=True)
for path in sys.argv[2:]:
    import_file(path, Path(sys.argv[1]), Options())
"""


def importer(to: Path, paths: list[Path]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", IMPORTER, to, *paths], stdout=subprocess.PIPE)


def assert_whole(to: Path, paths: list[Path]) -> int:
    """Every import that is there has all its tables; gives how many there are."""
    found = folder.imports(to)
    for item in found:
        assert item.entry["events"] == sum(pq.read_metadata(table).num_rows for table in item.tables("events"))
        assert item.entry["pairs"] == sum(pq.read_metadata(table).num_rows for table in item.tables("pairs"))
        assert (item.path / "observations.csv").read_text().endswith("\n")
    assert len({item.id for item in found}) == len(found) <= len(paths)
    return len(found)


def test_a_kill_leaves_whole_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL at moments drawn at random, in the midst of many imports; what is left is taken up again."""
    monkeypatch.setattr(folder, "_SETTLED", -1.0)
    paths, to = made(tmp_path, 40), tmp_path / "to"
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(2):
        with importer(to, paths) as process:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            before = len(left_in(to))
            deadline = time.monotonic() + 60
            while len(left_in(to)) <= before and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.15))
            process.send_signal(signal.SIGKILL)
        assert_whole(to, paths)
    for path in paths[:5]:
        import_file(str(path), to, Options())
    assert assert_whole(to, paths) >= 5
    assert [name for name in left_in(to) if name.startswith(".")] == []


def test_two_processes_at_once(tmp_path: Path) -> None:
    """Both import the same files into the same folder: each is there once, and neither process fails."""
    paths, to = made(tmp_path, 6), tmp_path / "to"
    processes = [importer(to, paths), importer(to, paths)]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0]
    assert assert_whole(to, paths) == 6
    assert len(left_in(to)) == 6


def test_another_process_may_be_faster_with_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place is taken between the last look and the renaming: the import that is there stays."""
    commit = folder.commit

    def late(staging: Path, entry: dict[str, Any]) -> Any:
        monkeypatch.setattr(folder, "commit", commit)
        import_file(str(STALE), tmp_path, Options())
        return commit(staging, entry)

    monkeypatch.setattr(folder, "commit", late)
    import_file(str(STALE), tmp_path, Options())
    assert len(left_in(tmp_path)) == len(folder.imports(tmp_path)) == 1


def test_a_full_disk_is_one_line(cli_here: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder, "_sync", full)
    said = cli_here("import", STALE, "--to", tmp_path / "to")
    assert said.status == 1 and said.err.strip().endswith("can't be written: No space left on device")
    assert left_in(tmp_path / "to") == []
