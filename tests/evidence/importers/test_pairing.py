"""Pairs and classes against an implementation that is made from the rules alone, on sequences of any kind."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import plain_pairs
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_pairs import MARKER, REASONS, Said

from mmiocost.evidence.importers.reading import Account, Options
from mmiocost.evidence.importers.source import Source
from mmiocost.evidence.importers.trace import columns, reader
from mmiocost.evidence.importers.trace import pairing as p
from mmiocost.evidence.importers.trace.naming import Naming

_codes = st.sampled_from([0, 1, 8, 9, 0xD, 0x100000008])
_small = st.sampled_from([0, 1, 8, 0xD])
_addresses = st.sampled_from([0xFEB91000, 0xFEB91FFC, 0xFE003000])
_directions = st.sampled_from(["read", "write", "unsatisfied-read"])
_EVENTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "kvm_exit": st.fixed_dictionaries(
        {"vcpu": st.integers(0, 2), "reason": st.sampled_from(sorted(REASONS)), "code": _small}
    ),
    "kvm_entry": st.fixed_dictionaries({"vcpu": st.integers(0, 2)}),
    "kvm_mmio": st.fixed_dictionaries({"rw": _directions, "gpa": _addresses}),
    "kvm_fast_mmio": st.fixed_dictionaries({"gpa": _addresses, "rw": st.just("write")}),
    "kvm_pio": st.fixed_dictionaries({"rw": st.sampled_from(["read", "write"]), "gpa": st.just(0x3F8)}),
    "kvm_userspace_exit": st.fixed_dictionaries({"to": st.sampled_from(["KVM_EXIT_MMIO", "KVM_EXIT_IO", "restart"])}),
    "kvm_page_fault": st.fixed_dictionaries({"code": _codes}),
    "check_mmio_spte": st.fixed_dictionaries({"valid": st.integers(0, 1)}),
    "handle_mmio_page_fault": st.just({}), "mark_mmio_spte": st.just({}), "kvm_msr": st.just({}),
}  # fmt: skip
_markers = st.builds(
    lambda cpu, lost: Said(MARKER, what={"cpu": cpu, "lost": max(lost, 0) if cpu < 0 else lost}),
    st.integers(-1, 2), st.integers(-1, 500),
)  # fmt: skip
# An exit and an entry as often as all others together, so that pairs come about.
_names = st.one_of(st.sampled_from(["kvm_exit", "kvm_entry"]), st.sampled_from(sorted(_EVENTS)))


@st.composite
def sequences(draw: Callable[..., Any]) -> list[Said]:
    """Events of three threads on three CPUs, times that mostly go on, and markers in between."""
    time, found = 10**9, list[Said]()
    for name in draw(st.lists(_names, max_size=40)):
        time = max(time + 1000 * draw(st.integers(-2, 6)), 0)
        tid, cpu = draw(st.integers(1, 3)), draw(st.integers(0, 2))
        found.append(Said(name, tid, cpu, time, draw(_EVENTS[name])))
        if draw(st.integers(0, 15)) == 0:
            found.append(draw(_markers))
    return found


def paired(events: list[Said]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The importer's pairs and totals of the events' text."""
    text = "".join(f"{plain_pairs.printed(said)}\n" for said in events).encode()
    trace = reader._Trace(Naming("ftrace", None, False), Account(), Options(), {}, Path("unused"))
    reader._blocks(Source(io.BytesIO(text), "trace"), trace)
    assert trace.account.skipped == 0
    trace.sums.end(trace.state[:, p.OPEN])
    names = trace.naming.names
    store, fields = trace.store, columns.FILES["pairs"]
    rows, used = store._columns[p.PAIRS], int(store.used[p.PAIRS])
    arrays = {field.name: columns._array(rows, used, field, names).to_pylist() for field in fields}
    pairs = [dict(zip(arrays, values, strict=True)) for values in zip(*arrays.values(), strict=True)]
    return pairs, trace.sums.document(names)


@settings(max_examples=60)
@given(sequences())
def test_pairs_are_those_of_the_rules(events: list[Said]) -> None:
    wanted = plain_pairs.pairs_of(events)
    pairs, said = paired(events)
    assert pairs == wanted.pairs
    counts = {name: getattr(wanted, name) for name in vars(wanted) if name != "pairs"}
    assert {name: said[name] for name in counts} == counts
    assert said["pairs"] == len(pairs)
    for reason, item in said["reasons"].items():
        durations = [pair["duration"] for pair in pairs if pair["reason"] == reason]
        ends = [min(durations), max(durations)] if durations else [None, None]
        assert [item["pairs"], item["total"], item["min"], item["max"]] == [len(durations), sum(durations), *ends]


def test_the_rules_tell_a_fault_in_the_importer() -> None:
    """What compares is itself held to notice: a pair over a lost marker is none."""
    exit_, entry = (
        Said("kvm_exit", 1, 0, 1000, {"vcpu": 0, "reason": "hlt"}),
        Said("kvm_entry", 1, 0, 3000, {"vcpu": 0}),
    )
    assert len(plain_pairs.pairs_of([exit_, entry]).pairs) == 1
    over_loss = plain_pairs.pairs_of([exit_, Said(MARKER, what={"cpu": 0, "lost": 3}), entry])
    assert (over_loss.pairs, over_loss.unpaired_exits, over_loss.unpaired_entries) == ([], 1, 1)
