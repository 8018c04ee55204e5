"""Compiled code says of every line what ``lines`` and ``payloads`` say, and nothing of a line depends on its place."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trace_runs import both, read
from trace_texts import one_second

from mmiocost.evidence.importers.trace import block as s
from mmiocost.evidence.importers.trace import naming as naming_module
from mmiocost.evidence.importers.trace.exit_reasons import canonical
from mmiocost.evidence.importers.trace.naming import Naming
from mmiocost.evidence.importers.trace.payloads import EVENTS, Event, payload

SAMPLES = Path(__file__).parent / "samples"
PREFIXES = {"perf_script": "perf-script", "ftrace": "ftrace", "trace_cmd": "trace-cmd"}
TRACES = {
    str(path.relative_to(SAMPLES)): form
    for path in sorted(SAMPLES.glob("*/*.txt"))
    for prefix, form in PREFIXES.items()
    if path.name.removeprefix("local_").startswith(prefix)
}
#: A line of each event and reason of every sample, behind which a changed line is read by who knows its names.
KINDS = re.compile(rb"(\w+): +((?:vcpu \d+ )?reason [\w ]+? rip|mmio \S+|pio_\w+|reason \S+|\[FAILED|\S)")


def _kinds(data: bytes) -> list[bytes]:
    found: dict[Any, bytes] = {}
    for line in data.split(b"\n"):
        match = KINDS.search(line)
        found.setdefault((match[1], match[2]) if match else line[:8], line)
    return [line for line in found.values() if line]


LINES = {name: _kinds((SAMPLES / name).read_bytes()) for name in TRACES}
INSERTED = [
    b" ", b"0", b"9" * 10, b"9" * 19, b"f" * 16, b"\t", b"\0", b"\r", b"[", b"]", b": ", b"\xc3\xa9", b"\xff",
    b"-1 [0] 1: a: ", b" error_code 0x5", b" intr_info 0x80000b0e", b"KVM_EXIT_MMIO", b" rip 0x1",
    b" 7 [000] 1.000001:", b"0xffffffffffffffff", b"<script>", b"../../x", b"PERF_RECORD_LOST lost 7",
    b"address 0x1 error_code 0x2 ",
]  # fmt: skip


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize("block", [1 << 18, 2000])
def test_samples(name: str, block: int) -> None:
    compiled, plain = both((SAMPLES / name).read_bytes(), TRACES[name], block)
    assert compiled == plain


@pytest.mark.parametrize("form", ["perf-script", "ftrace"])
def test_a_trace_of_today(form: str) -> None:
    data = one_second(form, seed=3, vcpus=3, events=1500).replace(b"SSSSSSS", b"   5300")
    compiled, plain = both(data, form)
    assert compiled == plain
    assert len(compiled.rows) == data.count(b"\n") and compiled.skipped == []


@st.composite
def changed(draw: Callable[..., Any], lines: list[bytes]) -> bytes:
    """A line of the file with a few of its bytes or words changed."""
    line = bytearray(draw(st.sampled_from(lines)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(line) - 1, 0)))
        how = draw(st.sampled_from(("flip", "delete", "insert", "digit", "cut", "word", "splice", "swap")))
        words = bytes(line).split(b" ")
        number = draw(st.integers(0, len(words) - 1))
        if how == "flip" and line:
            line[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "delete":
            del line[at : at + draw(st.integers(1, 6))]
        elif how == "insert":
            line[at:at] = draw(st.sampled_from(INSERTED))
        elif how == "digit":
            places = [place for place, letter in enumerate(line) if letter in b"0123456789abcdef"]
            if places:
                line[draw(st.sampled_from(places))] = draw(st.sampled_from(b"0123456789abcdefx"))
        elif how == "cut":
            del line[at:]
        elif how == "word":
            words[number] = draw(st.sampled_from([b"", *INSERTED]))
            line = bytearray(b" ".join(words))
        elif how == "splice":
            line = line[:at] + bytearray(draw(st.sampled_from(lines)))[draw(st.integers(0, 40)) :]
        else:
            other = draw(st.integers(0, len(words) - 1))
            words[number], words[other] = words[other], words[number]
            line = bytearray(b" ".join(words))
    return bytes(line).replace(b"\n", b"")


@settings(max_examples=50)
@given(st.data())
def test_changed_lines(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(TRACES)))
    lines = LINES[name]
    more = data.draw(st.lists(changed(lines), min_size=1, max_size=20))
    end = data.draw(st.sampled_from([b"\n", b"\r\n"]))
    text = end.join([*lines, *more, *lines[-3:], b""])
    block = data.draw(st.sampled_from([1 << 16, 4096, 700]))
    compiled, plain = both(text, TRACES[name], block)
    assert compiled == plain


@pytest.mark.parametrize("name", sorted(TRACES))
def test_a_last_line_that_is_cut_counts_if_it_is_complete(name: str) -> None:
    lines = LINES[name][-8:]
    text, form = b"\n".join([*lines, b""]), TRACES[name]
    whole = read(text, form)
    before = read(b"\n".join([*lines[:-1], b""]), form)
    for cut in range(1, min(200, len(lines[-1]) + 1)):
        part = text[: -1 - cut]
        found = read(part, form, block=900)
        new_rows, new_skips = found.rows[len(before.rows) :], found.skipped[len(before.skipped) :]
        assert found.rows[: len(before.rows)] == before.rows and found.skipped[: len(before.skipped)] == before.skipped
        last = lines[-1][: len(lines[-1]) - cut]
        if new_rows:
            assert new_rows[0][: s.KIND + 1] == whole.rows[-1][: s.KIND + 1]
        elif new_skips:
            assert new_skips == [(len(lines), "incomplete")]
        else:
            assert not last.strip() or last.startswith((b"#", b"\t"))


PERF = "       CPU 0/KVM  4111 [000]  1800.250063:                  kvm:kvm_exit: vcpu 0 reason {} rip 0x1 {}"
FTRACE = "       CPU 0/KVM-4111    [000] d..1.  1800.250002: kvm_entry: vcpu 0, rip 0x1"
NAMES = [
    "<script>", "../../x", "=cmd|' /C calc'!A0", "a [001] 1.000001:", "x-1 [000] 2.5:", "=>", "latency trace v", "#",
    "kvm_exit: vcpu 0", "1 2 3", "é" * 4, "-", "a\tb", "CPU:0 [LOST 7 EV", "cpus=4",
]  # fmt: skip


@pytest.mark.parametrize("comm", NAMES)
@pytest.mark.parametrize("form", ["perf-script", "ftrace"])
def test_a_name_may_look_like_anything(comm: str, form: str) -> None:
    """A name of at most 15 bytes is cut by its position; what follows is read as always."""
    line = (PERF.format("HLT", "info1 0x0") if form == "perf-script" else FTRACE).encode()
    name = comm.encode()[:15].rjust(16)
    known = line[:16].replace(line[:16], name) + line[16:]
    compiled, plain = both(b"\n".join([line, known, line, known, line, known, b""]), form)
    assert compiled == plain
    if not comm.startswith(("#", "=>", "latency", "é")):  # these can't be told from what is no event
        assert len(compiled.rows) == 6


AWKWARD = {
    # what was found: a time above 2^63 ns, a fraction of seven digits, reasons that are all prefix or bad numbers
    "ten digits of seconds": PERF.format("HLT", "").replace("1800.", "9999999999."),
    "seven digits": PERF.format("HLT", "").replace(".250063", ".2500631"),
    "all prefix": PERF.format("EXIT_", ""), "all long prefix": PERF.format("EXIT_REASON_EXIT_", ""),
    "leading zero": PERF.format("09", ""), "hexadecimal": PERF.format("0x4b", ""),
    "error code of 64 bits": PERF.format(
        "EXCEPTION_NMI", "info1 0x0 info2 0x0 intr_info 0x80000b0e error_code 0xffffffffffffffff"
    ),
    "exit info of 64 bits": PERF.format("npf", "info1 0xffffffffffffffff info2 0x0"),
    "a thread id of 34 bits": PERF.format("HLT", "").replace(" 4111 ", " 9999999999 "),
    "a process id of 34 bits": PERF.format("HLT", "").replace(" 4111 ", " 9999999999/4111 "),
    "a loss in a payload": PERF.format("HLT", "PERF_RECORD_LOST lost 5"),
    "two error codes": PERF.format("EXCEPTION_NMI", "info1 0x0 intr_info 0x80000b0e error_code 0x8 error_code 0x0"),
    "a symbol": PERF.format("npf", "do_x+0x12 info1 0xd info2 0x0"),
    "user space twice": PERF.format("x", "").replace("kvm_exit", "kvm_userspace_exit").replace(
        "vcpu 0 reason x rip 0x1", "reason KVM_EXIT_IO KVM_EXIT_MMIO"
    ),
    "page fault twice": PERF.format("x", "").replace("kvm_exit", "kvm_page_fault").replace(
        "reason x rip 0x1", "rip 0x1 address 0x1 error_code 0x8 address 0x2 error_code 0x0"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", AWKWARD)
def test_awkward_lines(what: str) -> None:
    good = [PERF.format(reason, "info1 0x0") for reason in ("HLT", "npf", "EXCEPTION_NMI")]
    good += [line.replace("kvm_exit", name) for line in good for name in ("kvm_userspace_exit", "kvm_page_fault")]
    text = "\n".join([*good, AWKWARD[what], *good, AWKWARD[what], AWKWARD[what], ""]).encode()
    compiled, plain = both(text, "perf-script")
    assert compiled == plain


def test_a_number_gets_its_name_when_the_isa_is_known() -> None:
    """An old plugin prints bare numbers; the first reason that only one ISA has tells which table holds."""
    lines = [PERF.format(reason, "") for reason in ("UNKNOWN (75)", "UNKNOWN (75)", "EPT_VIOLATION", "UNKNOWN (75)")]
    compiled, plain = both("\n".join([*lines, lines[0], ""]).encode(), "perf-script")
    assert compiled == plain
    named = [compiled.names["reason"][row[s.REASON]] for row in compiled.rows]
    assert named == ["UNKNOWN (75)", "UNKNOWN (75)", "EPT_VIOLATION", "NOTIFY", "NOTIFY"]


def test_nothing_is_read_behind_a_line() -> None:
    """What an earlier block left in the buffer, or the next line, does not complete a line."""
    good = PERF.format("HLT", "info1 0x0")
    half = "kvm_exit: vcpu 0 reason HLT rip 0x"
    cut = good[: good.index(half) + len(half)]
    for rest in (b"1\n", b"\n1 info\n", b"\r\n", b""):
        text = f"{good}\n{good}\n{cut}".encode() + rest
        for block in (1 << 16, 300, 256):
            compiled, plain = both(text, "perf-script", block)
            assert compiled == plain
            assert len(compiled.rows) == (3 if rest == b"1\n" else 2)


@pytest.mark.parametrize("length", [-1, 0, 1])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_longest_line(length: int, end: bytes) -> None:
    """64 KiB are read, one more byte is not, wherever a block ends; a comment is no exception."""
    good = PERF.format("HLT", "").encode()
    long = good + b"x" * ((1 << 16) + length - len(good))
    comment = b"#" * ((1 << 16) + length)
    text = end.join([good, long, good, comment, good, b""])
    wanted = [(2, "too_long"), (4, "too_long")] if length > 0 else []
    for block in (1 << 18, 1 << 17, (1 << 16) + 200, (1 << 16) + 201):
        found = read(text, "perf-script", block=block)
        assert found.skipped == wanted
        assert [row[s.LINE] for row in found.rows] == [1, 3, 5] if length > 0 else [1, 2, 3, 5]


def test_lines_behind_a_nested_vmrun_are_its_continuation() -> None:
    nested = PERF.format("x", "").replace("kvm_exit", "kvm_nested_vmrun")
    text = "\n".join([PERF.format("HLT", ""), *[nested, "  int_ctl: 0x0"] * 400, ""]).encode()
    compiled, plain = both(text, "perf-script")
    assert compiled == plain
    assert {reason for _, reason in compiled.skipped} == {"continuation"}


def test_frames_of_a_call_graph_are_known_and_other_lines_with_a_tab_are_skipped() -> None:
    frame = "\tffffffff81204f89 vmx_vcpu_run+0x39 ([kvm_intel])"
    text = "\n".join([PERF.format("HLT", ""), frame, frame, "\tno frame", "\t\t  ff x", ""]).encode()
    compiled, plain = both(text, "perf-script")
    assert compiled == plain
    assert compiled.skipped == [(4, "unrecognised")]


def test_more_threads_reasons_and_events_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming_module, "THREADS", 20)
    monkeypatch.setattr(naming_module, "REASONS", 20)
    monkeypatch.setattr(naming_module, "EVENTS", len(EVENTS) + 20)
    lines = [PERF.format(f"R{number}", "").replace(" 4111 ", f" {number} ") for number in range(15)]
    lines += [PERF.format(f"R{number}", "") for number in range(40)]
    lines += [PERF.format("x", "").replace("kvm_exit", f"kvm_new{number}") for number in range(40)]
    lines += [PERF.format("HLT", "").replace(" 4111 ", f" {number} ") for number in range(40)]
    compiled, plain = both("\n".join([*lines, *lines, ""]).encode(), "perf-script")
    assert compiled == plain
    assert len(compiled.names["reason"]) == 20 and len(compiled.names["tid"]) == 20
    assert len(compiled.names["event"]) == len(EVENTS) + 20
    assert all(reason == "unrecognised" for _, reason in compiled.skipped)
    assert len(compiled.rows) + len(compiled.skipped) == 2 * len(lines)


def test_names_beyond_the_table_are_read_line_by_line() -> None:
    many = [PERF.format("HLT", "").replace(" 4111 ", f" {number:5} ") for number in range(9000)]
    compiled, plain = both("\n".join([*many, *many[-40:], ""]).encode(), "perf-script", block=1 << 22)
    assert compiled == plain
    assert len(compiled.rows) == 9040


def test_a_block_of_rows_may_be_full_at_any_line() -> None:
    line = PERF.format("HLT", "")
    for number in (s.ROOM, s.ROOM + 1):
        found = read((line + "\n").encode() * number, "perf-script", block=1 << 24)
        assert [len(found.rows), found.rows[-1][s.LINE], found.skipped] == [number, number, []]


@pytest.mark.parametrize(
    ("event", "text", "said"),
    [
        ("kvm_exit", "exit_reason=48 guest_rip=0xfff0 isa=1 info1=0x181 info2=0x0 intr_info=0x0 error_code=0 vcpu_id=2",
         Event(vcpu=2, reason="EPT_VIOLATION", printed="48")),
        ("kvm_exit", "exit_reason=0x400 guest_rip=0x1 isa=2 info1=0x10000000f info2=0xfeb91000 vcpu_id=1",
         Event(vcpu=1, reason="NPF", printed="1024", error_code=0x10000000F)),
        ("kvm_exit", "[FAILED TO PARSE] exit_reason=12 guest_rip=1 isa=1", Event(reason="HLT", printed="12")),
        ("kvm_entry", "[FAILED TO PARSE] vcpu_id=3 rip=0x0", Event(vcpu=3)),
        ("kvm_mmio", "[FAILED TO PARSE] type=2 len=4 gpa=0xfeb91000 val=7",
         Event(address=0xFEB91000, number=4, rw=2, value=7)),
        ("kvm_mmio", "[FAILED TO PARSE] type=9 len=4 gpa=0xfeb91000 val=7", "bad_number"),
        ("kvm_mmu_get_page", "[FAILED TO PARSE] mmu_valid_gen=0x0 gfn=256 role=2 root_count=0 unsync=0 created=1",
         Event(flag=1)),
    ],
)  # fmt: skip
def test_raw_fields(event: str, text: str, said: Event | str) -> None:
    """trace-cmd -R, and what perf prints where it can't parse a payload."""
    assert payload(event, text) == said


def test_learned_reasons_hold_where_the_error_code_stands() -> None:
    naming = Naming("ftrace", None, False)
    assert canonical("EXIT_NPF") == canonical("npf") == "NPF"
    assert naming.reason("NPF", "npf") == (0, 0) and naming.isa == "svm"
