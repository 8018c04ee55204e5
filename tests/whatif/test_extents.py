"""Where a scenario leaves the evidence, held against the rows by hand and by the reference machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmiocost.errors import InvalidInput
from mmiocost.evidence import load
from mmiocost.fitting.fit import NOT_INFORMED
from mmiocost.fitting.rows import fit_rows
from mmiocost.fitting.store import current_fit
from mmiocost.mechanism import simulate
from mmiocost.vocabulary import generation, path_named, resolve
from mmiocost.whatif.extents import EXTENTS, measured
from mmiocost.whatif.predict import predict
from mmiocost.whatif.scenario import Scenario

SAVING = "saving:fast_mmio"


def outside(quantity: str, after: str = "v31", **counts: int) -> tuple[str, ...]:
    return predict(quantity, Scenario(after=after, counts=counts)).outside


@pytest.mark.parametrize(
    ("quantity", "after", "symbol", "inside", "beyond"),
    [
        (SAVING, "v31", "slots", 13, 12),
        (SAVING, "v31", "slots", 117, 118),
        (SAVING, "v40", "slots", 117, 118),
        ("cost:v414.slot.miss", "v31", "slots", 13, 12),
        ("cost:v517.ept.mmio_hit", "v31", "guest_levels", 4, 5),
        ("cost:v31.guest_walk", "v31", "guest_levels", 2, 2),
        ("cost:v31.guest_walk", "v31", "nested_levels", 0, 2),
    ],
)
def test_a_step_over_the_edge_of_the_evidence_flips_that_name_alone(
    quantity: str, after: str, symbol: str, inside: int, beyond: int
) -> None:
    """Linear and binary searches were measured at 13 and 117 slots, walks of 2 to 4 levels, none of them nested."""
    assert outside(quantity, after, **{symbol: inside}) == ()
    assert outside(quantity, after, **{symbol: beyond}) == ((symbol,) if beyond != inside else ())


@pytest.mark.parametrize(
    ("quantity", "after", "counts"),
    [
        # The search that finds the cached slot compares one entry, however many there are.
        ("cost:v414.ept.mmio_hit", "v31", {"slots": 30000}),
        # A linear scan that finds the first entry.
        ("cost:v31.ept.mmio_hit", "v31", {"slots": 500}),
        # Nothing measures these costs: they are assumed at every extent.
        ("cost:v36.bus.miss", "v31", {"bus_devices": 900}),
        ("cost:v36.ept.mmio_hit", "v31", {"mmio_cached": 0, "shadow_levels": 3}),
        ("cost:v517.ept.mmio_first", "v31", {"missing_levels": 3, "slots": 1}),
        ("overhead:generation_wrap", "v414", {"slots": 30000, "shadow_pages": 100000}),
        # Paging off: no entry is read.
        ("cost:v31.guest_walk", "v31", {"guest_levels": 0}),
        # An exit touches none of it.
        ("cost:v517.any.hypercall", "v31", {"slots": 30000, "guest_levels": 5}),
    ],
)
def test_what_a_quantity_does_not_use_never_makes_it_an_extrapolation(
    quantity: str, after: str, counts: dict[str, int]
) -> None:
    assert outside(quantity, after, **counts) == ()


def test_a_search_without_its_cached_slot_depends_on_their_number() -> None:
    assert outside("cost:v414.ept.mmio_hit", slots=300, slot_cache_warm=0) == ("slots",)
    assert outside("cost:v414.ept.mmio_hit", slots=30, slot_cache_warm=0) == ()


def test_the_note_says_what_the_evidence_covers() -> None:
    far = predict(SAVING, Scenario(counts={"slots": 509}))
    assert far.extrapolates
    assert "slots=509: the evidence on slot_compare covers 13 to 117" in far.notes


def test_a_row_of_the_user_that_states_its_slots_widens_the_range(tmp_path: Path) -> None:
    (tmp_path / "observations.csv").write_text(
        "id,quantity,value,unit,source_id,generation,machine,state,slots,ept,mmio_shortcut\n"
        "one,mmio.write_userspace,30000,cycle,mine,v30,mine,one,200,1,none\n"
    )
    found = measured(load([tmp_path]), ())
    assert found["slot_compare:linear"]["slots"] == (13, 200)
    assert found["slot_compare:binary"]["slots"] == (13, 117)


# --- the same from the rows, by executing them -----------------------------------------------------------------


def changes(path: str, scenario: Mapping[str, int], extent: str) -> Iterator[set[str]]:
    """Events whose count differs at another value of the extent, all else equal; by the reference machine."""
    counts = simulate(path, scenario)
    for value in EXTENTS[extent]:
        try:
            other = simulate(path, {**scenario, extent: value})
        except InvalidInput:
            continue
        yield {name for name in {*counts, *other} if counts.get(name, 0) != other.get(name, 0)}


@cache
def by_hand() -> dict[tuple[str, str, str], tuple[float, float]]:
    """(event, extent, kind of search for slots) → values in the rows that inform it."""
    evidence, fit = load(), current_fit()
    seen: dict[tuple[str, str, str], set[float]] = {}
    for path, scenario, names in {
        (row.path, tuple(row.scenario.items()), frozenset({*row.counts, *row.per}))
        for row in fit_rows(evidence)
        if row.path
    }:
        for extent in EXTENTS:
            if extent in ("slots", "bus_devices", "fast_bus_devices") and extent not in dict(scenario):
                continue
            kind = generation(path.split(".")[0]).search if extent == "slots" else ""
            value = resolve(path, dict(scenario))[extent]
            for name in set().union(*changes(path, dict(scenario), extent)) & names:
                seen.setdefault((name, extent, kind), set()).add(value)
    for row in evidence.observations:
        if row.source_id == "mammedov2014_binsearch":  # what the prior of a compare cites
            seen.setdefault(("slot_compare", "slots", row.slot_lookup.split()[0]), set()).add(float(row.slots or 0))
    informed = {name for name in fit.priors if fit.priors[name].source or fit.width_left(name) <= NOT_INFORMED}
    return {key: (min(values), max(values)) for key, values in seen.items() if key[0] in informed}


PATHS = (
    "v30.ept.mmio", "v31.shadow.mmio_hit", "v31.shadow.mmio_first", "v36.nonpaging.mmio_first", "v311.ept.mmio_stale",
    "v40.slot.miss", "v414.ept.mmio_first", "v414.any.pio_read", "v517.guest_walk", "v517.ept.mmio_uncached",
    "v517.slot.hit", "v30.shadow.guest_fault", "unified.shadow.access",
)  # fmt: skip


@given(data=st.data(), path=st.sampled_from(PATHS))
@settings(max_examples=40)
def test_outside_is_what_the_rows_leave_out(data: st.DataObject, path: str) -> None:
    drawn = {
        "slots": data.draw(st.sampled_from([1, 2, 4, 12, 13, 50, 117, 118, 300])),
        "guest_levels": data.draw(st.sampled_from([0, 2, 3, 4, 5])),
        "nested_levels": data.draw(st.sampled_from([0, 0, 2, 5])),
        "bus_devices": data.draw(st.sampled_from([1, 4, 90])),
        "slot_cache_warm": data.draw(st.sampled_from([0, 1])),
    }
    scenario: dict[str, int] = {}
    for name, value in drawn.items():  # what the path does not admit keeps its default
        try:
            resolve(path, {**scenario, name: value})
        except InvalidInput:
            continue
        scenario[name] = value
    full = resolve(path, scenario)
    kind = generation(path_named(path).generation).search
    used = simulate(path, full)
    expected = set()
    for extent in EXTENTS:
        changed = set().union(*changes(path, scenario, extent))
        for name in changed & used.keys():
            limit = by_hand().get((name, extent, kind if extent == "slots" else ""))
            if limit and not limit[0] <= full[extent] <= limit[1]:
                expected.add(extent)
    found = predict(f"cost:{path}", Scenario(counts=scenario))
    assert set(found.outside) == expected
    assert found.extrapolates == bool(expected)
