"""A user's file is read whole or refused with every line that is wrong."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmiocost import evidence, resources
from mmiocost.errors import InvalidInput

HEADER = b"id,quantity,value,unit,source_id"
UNITS = "cycle, ns, us, ms, s, 1/s, trans/s, percent, 1, cycles"
GOOD = b"own-1,exit.hypercall,1300,cycle,own"


def refused(tmp_path: Path, content: bytes) -> list[str]:
    """Lines of the error that a file gives, without the file's own name."""
    file = tmp_path / "own.csv"
    file.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        evidence.read_observations(file)
    return [problem.line().removeprefix(str(file)) for problem in caught.value.problems]


def rows(*lines: bytes, header: bytes = HEADER) -> bytes:
    return b"\n".join((header, *lines)) + b"\n"


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (
            b"own-2,exit.hypercal,1,cycle,own",
            ":3: quantity=exit.hypercal: unknown quantity; did you mean 'exit.hypercall'?",
        ),
        (
            b"own-2,exit.hypercall,1,s/trans,own",
            f":3: unit=s/trans: must be one of {UNITS}; did you mean 'trans/s'?",
        ),
        (b"own-2,exit.hypercall,1,percent,own", ":3: unit=percent: exit.hypercall needs the dimension of cycle"),
        (
            b"own-2,workload.netperf_tcp_rr,1,cycle,own",
            ":3: unit=cycle: workload.netperf_tcp_rr needs the dimension of trans/s",
        ),
        (
            b'own-2,exit.hypercall,"1,5",cycle,own',
            ":3: value=1,5: must be a number (is not a number: write a decimal point, not a comma)",
        ),
        (b"own-2,exit.hypercall,nan,cycle,own", ":3: value=nan: must be a number (is not a number)"),
        (b"own-2,exit.hypercall,1e999,cycle,own", ":3: value=1e999: must be a number (is too large for a number)"),
        (b"own-2,exit.hypercall,0,cycle,own", ":3: value=0.0: must be above 0 in a row that is fitted"),
        (b"own-2,exit.hypercall,,cycle,own", ":3: value: must not be empty"),
        (b",exit.hypercall,1,cycle,own", ":3: id: must not be empty"),
        (b"own-1,exit.hypercall,1,cycle,own", ":3: id=own-1: must be unique, but stands on line 2 too"),
        (b"own-2,exit.hypercall,1,cycle", ":3: must have 5 cells, as the header, but has 4"),
        (b"own-2,exit.hypercall,1,cycle,own,more", ":3: must have 5 cells, as the header, but has 6"),
        (b"own-2,exit.hypercall,1,cycle,o\0wn", ":3: must be text: the line has a NUL byte"),
        (b"own-2,exit.hypercall,1,cycle,\xff", ":3: must be UTF-8: byte 30 of the line is not"),
        (b"own-2,exit.hypercall,1,cycle," + b"x" * (1 << 20), ":3: must have lines of at most 1048576 bytes"),
    ],
)
def test_each_kind_of_damage_gives_its_line(tmp_path: Path, row: bytes, line: str) -> None:
    assert refused(tmp_path, rows(GOOD, row)) == [line]


@pytest.mark.parametrize(
    ("extra", "cells", "line"),
    [
        (b"use", b"fitt", ":2: use=fitt: must be one of fit, check, validation, bound, excluded; did you mean 'fit'?"),
        (b"use", b"check", ":2: use_why: must say why the row is not fitted (use=check)"),
        (b"spread", b"12", ":2: spread_kind: must not be empty: spread and spread_kind come together"),
        (b"spread_kind", b"sd", ":2: spread: must not be empty: spread and spread_kind come together"),
        (b"spread,spread_kind", b"-1,sd", ":2: spread=-1: must be at least 0"),
        (b"n_runs", b"1.5", ":2: n_runs=1.5: must be a whole number of at most 18 digits"),
        (b"ept", b"2", ":2: ept=2: must be one of 0, 1"),
        (b"guest_levels", b"1", ":2: guest_levels=1: must be one of 0, 2, 3, 4, 5"),
        (
            b"mmio_shortcut",
            b"sptes",
            ":2: mmio_shortcut=sptes: must be one of none, spte, fast bus; did you mean 'spte'?",
        ),
        (
            b"served_by",
            b"user",
            ":2: served_by=user: must be one of kernel, userspace, none; did you mean 'userspace'?",
        ),
        (b"clock_hz", b"2.5", ":2: clock_hz=2.5: must be at least 1e+06"),
    ],
)
def test_a_cell_that_the_schema_does_not_allow_is_named(tmp_path: Path, extra: bytes, cells: bytes, line: str) -> None:
    assert refused(tmp_path, rows(GOOD + b"," + cells, header=HEADER + b"," + extra)) == [line]


def test_all_problems_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    lines = refused(tmp_path, rows(b"a,exit.x,1,cycle,own", b"b,exit.hypercall,x,ns,own", b"c,exit.cpuid,1,kg,own"))
    assert [line.split("=")[0] for line in lines] == [":2: quantity", ":3: value", ":4: unit"]


def test_missing_columns_are_named_with_what_stands_in_their_place(tmp_path: Path) -> None:
    assert refused(tmp_path, rows(b"a,b,1,cycle", header=b"id,quanity,value,unit")) == [
        ":1: quantity: required column is missing",
        ":1: source_id: required column is missing",
        ":1: quanity: column is not in the schema; did you mean 'quantity'?",
    ]
    assert refused(tmp_path, b"") == [":1: must have a header line: the file is empty"]
    assert refused(tmp_path, rows(header=HEADER + b",id")) == [":1: id: column is there more than once"]


def test_errors_are_bounded_and_hold_no_control_characters(tmp_path: Path) -> None:
    lines = refused(tmp_path, rows(*(b"a%d,exit.\x1b[31m,1,cycle,own" % n for n in range(2000))))
    assert len(lines) == 1001
    assert lines[-1] == ": stopped after 1000 problems"
    assert "\x1b" not in "".join(lines)


def test_a_row_to_be_scored_needs_no_machine(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_bytes(rows(GOOD))
    (row,) = evidence.read_observations(tmp_path / "own.csv")
    assert (row.machine, row.use, row.value) == ("", "fit", 1300.0)


def test_byte_order_mark_windows_ends_and_any_order_of_columns_are_read(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_bytes(
        b"\xef\xbb\xbfvalue,unit,id,source_id,quantity\r\n7,ns,a,own,walk.level_read\r\n"
    )
    (row,) = evidence.read_observations(tmp_path / "own.csv")
    assert (row.id, row.value, row.unit) == ("a", 7.0, "ns")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="must be a CSV file"):
        evidence.read_observations(tmp_path)


def test_packaged_rows_written_and_read_again_are_the_same(tmp_path: Path) -> None:
    packaged = evidence.read_observations(resources.data_dir() / "observations.csv")
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(asdict(packaged[0])))
    writer.writeheader()
    writer.writerows(asdict(row) for row in packaged)
    (tmp_path / "again.csv").write_text(text.getvalue(), newline="")
    assert evidence.read_observations(tmp_path / "again.csv") == packaged


@settings(max_examples=200)
@given(
    content=st.one_of(
        st.binary(max_size=400),
        st.lists(st.lists(st.text(max_size=12), max_size=6).map(",".join), max_size=8).map(
            lambda x: "\n".join(x).encode("utf-8", "surrogatepass")
        ),
        st.binary(max_size=200).map(lambda tail: HEADER + b"\n" + GOOD + b"\n" + tail),
    )
)
@example(b'"' + b"x\n" * 100)
@example(HEADER + b'\n"own-1\n",exit.hypercall,1,cycle,own\n')
@example(HEADER + b"\rown-1")
@example(b"\xff\xfei\x00d\x00")
def test_any_bytes_are_rows_or_invalid_input(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzz.csv"
    file.write_bytes(content)
    try:
        read = evidence.read_observations(file)
    except InvalidInput as error:
        assert error.problems
        assert all(problem.where.startswith(str(file)) for problem in error.problems)
    else:
        assert all(row.id for row in read)
