"""What a scenario may say: defaults, domains, and errors that name the symbol, its value and what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenarios import NAMES, cases, domain, paths, settled

from mmiocost.errors import InvalidInput
from mmiocost.vocabulary import resolve


def problems(path: str, given_: dict[str, Any]) -> list[str]:
    """Names in the errors, in their order."""
    with pytest.raises(InvalidInput) as caught:
        resolve(path, given_)
    return [problem.field for problem in caught.value.problems]


@given(path=paths())
def test_no_default_lies_outside_its_domain(path: str) -> None:
    full = resolve(path, {})
    assert tuple(full) == NAMES
    assert full == settled(path, {})[0]


@given(case=cases())
def test_an_admissible_scenario_is_taken_as_it_is(case: tuple[str, dict[str, int]]) -> None:
    path, scenario = case
    assert resolve(path, scenario) == scenario


@given(case=cases(), kept=st.sets(st.sampled_from(NAMES), max_size=6))
def test_what_is_not_given_takes_a_default_that_fits_the_rest(case: tuple[str, dict[str, int]], kept: set[str]) -> None:
    path, scenario = case
    chosen = {name: scenario[name] for name in kept}
    expected, refused = settled(path, chosen)
    if refused:
        assert problems(path, chosen) == refused
    else:
        assert resolve(path, chosen) == expected


@given(
    path=paths(),
    chosen=st.dictionaries(st.sampled_from(NAMES), st.integers(-2, 9) | st.sampled_from([32, 64]), max_size=5),
)
def test_exactly_the_symbols_outside_their_domain_are_refused_all_at_once(path: str, chosen: dict[str, int]) -> None:
    expected, refused = settled(path, chosen)
    if refused:
        assert problems(path, chosen) == refused
    else:
        assert resolve(path, chosen) == expected


# path, scenario, the symbol that the error names or None where the scenario is admissible
BORDERS: list[tuple[str, dict[str, int], str | None]] = [
    ("v31.ept.mmio_hit", {"slots": 0}, "slots"),
    ("v31.ept.mmio_hit", {"slots": 1}, None),
    ("v31.ept.mmio_hit", {"slots": 8, "ram_slot": 8}, None),
    ("v31.ept.mmio_hit", {"slots": 8, "ram_slot": 9}, "ram_slot"),
    ("v40.slot.miss", {"slots": 8, "mmio_gap": 8}, None),
    ("v40.slot.miss", {"slots": 8, "mmio_gap": 9}, "mmio_gap"),
    ("v30.slot.miss", {"mmio_gap": 5}, "mmio_gap"),  # held against its domain where it is not used, too
    ("v40.slot.hit", {"slots": 1, "slot_cache_warm": 0}, "slot_cache_warm"),
    ("v40.slot.hit", {"slots": 2, "slot_cache_warm": 0}, None),
    ("v517.slot.hit", {"slots": 1, "slot_cache_warm": 0}, None),
    ("v36.slot.hit", {"slots": 1, "slot_cache_warm": 0}, None),
    ("v31.nonpaging.mmio_hit", {"guest_levels": 0}, None),
    ("v31.nonpaging.mmio_hit", {"guest_levels": 4}, "guest_levels"),
    ("v31.shadow.mmio_hit", {"guest_levels": 0}, "guest_levels"),
    ("v311.shadow.mmio_hit", {"guest_levels": 5}, "guest_levels"),
    ("v517.shadow.mmio_uncached", {"guest_levels": 5}, None),
    ("v40.ept.mmio_hit", {"guest_levels": 5}, "guest_levels"),
    ("v414.ept.mmio_hit", {"guest_levels": 5}, None),
    ("v31.ept.mmio_hit", {"guest_levels": 1}, "guest_levels"),
    ("v31.any.emulation", {"guest_levels": 0}, None),
    ("v31.ept.mmio_hit", {"guest_levels": 0, "leaf_level": 2}, "leaf_level"),
    ("v31.ept.mmio_hit", {"guest_levels": 2, "leaf_level": 3}, "leaf_level"),
    ("v31.ept.mmio_hit", {"guest_levels": 4, "leaf_level": 3}, None),
    ("v31.shadow.ram_fill", {"leaf_level": 2}, "leaf_level"),
    ("proto.shadow.ram_fill_checked", {"leaf_level": 2}, "leaf_level"),
    ("v31.shadow.ram_fill", {"code_leaf_level": 2}, None),
    ("v31.shadow.guest_fault", {"guest_levels": 3, "fault_level": 2}, None),
    ("v31.shadow.guest_fault", {"guest_levels": 3, "fault_level": 3}, "fault_level"),
    ("v31.guest_walk", {"nested_levels": 1}, "nested_levels"),
    ("v31.guest_walk", {"nested_levels": 5}, None),
    ("v36.ept.mmio_first", {"ad_updates": 5}, None),  # 4 entries and the dirty bit of a store
    ("v36.ept.mmio_first", {"ad_updates": 5, "is_write": 0}, "ad_updates"),
    ("v311.ept.mmio_first", {"ad_updates": 5}, "ad_updates"),
    ("v36.ept.mmio_first", {"ad_updates": 1, "guest_levels": 0}, "ad_updates"),
    ("v31.shadow.mmio_hit", {"guest_levels": 4, "shadow_levels": 3}, "shadow_levels"),
    ("v31.shadow.mmio_hit", {"guest_levels": 3, "shadow_levels": 3}, None),
    ("v31.nonpaging.mmio_hit", {"shadow_levels": 4}, "shadow_levels"),
    ("v31.ept.mmio_hit", {"shadow_levels": 3}, None),
    ("v40.ept.mmio_hit", {"shadow_levels": 5}, "shadow_levels"),
    ("v414.ept.mmio_hit", {"shadow_levels": 5}, None),
    ("v31.ept.mmio_first", {"missing_levels": 3}, None),
    ("v31.ept.mmio_first", {"missing_levels": 4}, "missing_levels"),
    ("v31.ept.mmio_first", {"missing_levels": 2, "shadow_levels": 3}, "missing_levels"),
    ("v31.ept.mmio_first", {"prefetch_index": 8}, "prefetch_index"),
    ("v315.ept.fast_mmio", {"fast_bus_devices": 0}, "fast_bus_devices"),
    ("v315.ept.fast_mmio", {"decode_assist": 1}, "decode_assist"),
    ("v414.ept.mmio_hit", {"decode_assist": 1, "fast_bus_devices": 1}, "decode_assist"),
    ("v414.ept.mmio_hit", {"decode_assist": 1}, None),
    ("v31.shadow.mmio_hit", {"decode_assist": 1, "fast_bus_devices": 1}, None),
    ("v31.ept.mmio_first", {"decode_assist": 1, "spte_accessed_bit": 0}, "spte_accessed_bit"),
    ("v31.ept.mmio_first", {"spte_accessed_bit": 0}, None),
    ("v31.shadow.mmio_first", {"decode_assist": 1, "spte_accessed_bit": 0}, None),
    ("v31.ept.mmio_hit", {"is_ioeventfd": 1}, None),
    ("v31.ept.mmio_hit", {"is_ioeventfd": 1, "is_write": 0}, "is_ioeventfd"),
    ("v31.any.pio_read", {"is_ioeventfd": 1}, "is_ioeventfd"),
    ("v31.any.pio_write", {"is_ioeventfd": 1}, None),
    ("v31.bus.hit", {"bus_devices": 0}, "bus_devices"),
    ("v31.bus.hit", {"bus_devices": 3, "bus_position": 4}, "bus_position"),
    ("v36.bus.miss", {"bus_devices": 6, "bus_gap": 0}, None),
    ("v36.bus.miss", {"bus_devices": 6, "bus_gap": 7}, "bus_gap"),
    ("v315.ept.mmio_hit", {"fast_bus_position": 1}, None),
    ("v315.ept.mmio_hit", {"fast_bus_position": 2}, "fast_bus_position"),
    ("v315.ept.mmio_hit", {"fast_bus_gap": 1}, "fast_bus_gap"),
    ("v30.shadow.ram_fill", {"bypass": 1}, None),
    ("v30.shadow.guest_fault_bypassed", {"bypass": 0}, "bypass"),
    ("v30.ept.mmio", {"bypass": 1}, "bypass"),
    ("v31.shadow.ram_fill", {"bypass": 1}, "bypass"),
    ("proto.shadow.bypass_switch", {"bypass": 1}, None),
    ("unified.shadow.access", {"bypass": 1}, "bypass"),
    ("v31.shadow.ram_fill", {"guest_levels": 2, "guest_pte_bits": 64}, "guest_pte_bits"),
    ("v31.shadow.ram_fill", {"guest_levels": 2, "guest_pte_bits": 32}, None),
    ("unified.ept.access", {"unlinked_levels": 0}, "unlinked_levels"),
    ("unified.ept.access", {"unlinked_levels": 4}, "unlinked_levels"),
    ("unified.ept.access", {"retries": 3}, None),
    ("v31.ept.mmio_hit", {"userspace": 2}, "userspace"),
    ("v31.any.pio_read", {"pm_timer": -1}, "pm_timer"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "scenario", "named"), BORDERS, ids=str)
def test_the_borders_of_each_domain(path: str, scenario: dict[str, int], named: str | None) -> None:
    if named is None:
        assert resolve(path, scenario).items() >= scenario.items()
    else:
        assert problems(path, scenario) == [named]


@pytest.mark.parametrize(
    ("path", "given_", "expected"),
    [
        ("v31.nonpaging.mmio_hit", {}, {"guest_levels": 0, "shadow_levels": 3, "guest_pte_bits": 64}),
        ("v31.shadow.mmio_hit", {"guest_levels": 2}, {"shadow_levels": 3, "guest_pte_bits": 32}),
        ("v517.shadow.mmio_uncached", {"guest_levels": 5}, {"shadow_levels": 5}),
        ("v31.ept.mmio_hit", {"slots": 9}, {"mmio_gap": 9, "ram_slot": 1, "shadow_levels": 4}),
        ("v31.ept.mmio_hit", {"bus_devices": 7}, {"bus_gap": 7, "bus_position": 1}),
        ("v36.ept.mmio_first", {}, {"spte_accessed_bit": 0}),
        ("v36.ept.mmio_first", {"decode_assist": 1}, {"spte_accessed_bit": 1}),
        ("v311.ept.mmio_first", {}, {"spte_accessed_bit": 1}),
        ("v40.any.pio_read", {}, {"fast_pio_in": 0}),
        ("v414.any.pio_read", {}, {"fast_pio_in": 1}),
        ("v315.ept.fast_mmio", {}, {"fast_bus_devices": 1, "fast_bus_position": 1, "fast_bus_gap": 0}),
        ("v30.shadow.guest_fault_bypassed", {}, {"bypass": 1}),
    ],
)
def test_defaults_that_depend_on_the_path_or_on_other_symbols(
    path: str, given_: dict[str, int], expected: dict[str, int]
) -> None:
    assert resolve(path, given_).items() >= expected.items()


@pytest.mark.parametrize("value", [True, False, 4.0, 2.5, "4", None, [4], float("nan")])
def test_only_an_integer_is_an_integer(value: object) -> None:
    assert problems("v31.ept.mmio_hit", {"slots": value}) == ["slots"]


def test_an_error_names_the_symbol_its_value_what_is_allowed_and_on_what_that_depends() -> None:
    with pytest.raises(InvalidInput) as caught:
        resolve("v31.ept.mmio_hit", {"slots": 8, "ram_slot": 9}, "--set")
    assert str(caught.value) == "--set: ram_slot=9: must be 1 to 8 on v31.ept.mmio_hit with slots=8"


@pytest.mark.parametrize(
    ("path", "given_", "line"),
    [
        ("v31.shadow.mmio_hit", {"guest_levels": 1}, "guest_levels=1: must be one of 2, 3, 4 on v31.shadow.mmio_hit"),
        ("v31.ept.mmio_hit", {"bypass": 1}, "bypass=1: must be 0 on v31.ept.mmio_hit"),
        ("v31.slot.miss", {"slots": 0}, "slots=0: must be an integer of 1 or more on v31.slot.miss"),
        (
            "v31.ept.mmio_hit",
            {"is_write": 0, "is_ioeventfd": 1},
            "is_ioeventfd=1: must be 0 on v31.ept.mmio_hit with is_write=0",
        ),
    ],
)
def test_the_line_of_an_error(path: str, given_: dict[str, int], line: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        resolve(path, given_)
    assert str(caught.value) == line


def test_all_that_is_wrong_is_reported_at_once_with_the_nearest_names() -> None:
    with pytest.raises(InvalidInput) as caught:
        resolve("v31.ept.mmio_hit", {"guest_level": 4, "slots": 0, "zzz": 1, "userspace": 5}, "file.yaml")
    found = [(problem.where, problem.field, problem.nearest) for problem in caught.value.problems]
    assert found == [
        ("file.yaml", "guest_level", "guest_levels"), ("file.yaml", "zzz", None),
        ("file.yaml", "slots", None), ("file.yaml", "userspace", None),
    ]  # fmt: skip


def test_an_unknown_path_is_refused() -> None:
    assert problems("v99.ept.mmio", {}) == ["path"]


@given(case=cases(), name=st.sampled_from(NAMES), value=st.integers(-(10**12), 10**12))
def test_any_integer_is_taken_or_refused_by_name(case: tuple[str, dict[str, int]], name: str, value: int) -> None:
    """Nothing is corrected silently: a changed symbol is either in the result or in the error."""
    path, scenario = case
    changed = {**scenario, name: value}
    try:
        assert resolve(path, changed)[name] == value
    except InvalidInput as error:
        fields = [problem.field for problem in error.problems]
        in_domain = value in domain(path, name, scenario)[0]
        assert fields and (in_domain or name in fields or value >= 10**6)
