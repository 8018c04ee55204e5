"""The paths are those of the specification, by name, and no others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from mmiocost.errors import InvalidInput
from mmiocost.vocabulary import GENERATIONS, PATHS, Path, path_named

ALL = "{v30,v31,v36,v311,v315,v40,v414,v56,v517}"
MODES = "{ept,shadow,nonpaging}"
# The complete list, as the specification gives it.
COMPLETE = f"""
v30.{MODES}.mmio v30.shadow.{{guest_fault,guest_fault_bypassed,ram_fill}}
{{v31,v36}}.{MODES}.{{mmio_first,mmio_hit}} {{v31,v36}}.shadow.{{guest_fault,ram_fill}} v31.any.slot_update
v311.{MODES}.{{mmio_first,mmio_hit,mmio_stale}} v311.shadow.{{guest_fault,ram_fill}} v311.any.slot_update_wrap
{{v315,v40,v414,v56,v517}}.ept.{{mmio_first,mmio_hit,mmio_stale,fast_mmio}} v517.{MODES}.mmio_uncached
proto.shadow.ram_fill_checked proto.shadow.bypass_switch unified.shadow.access unified.ept.access
{ALL}.any.{{hypercall,cpuid,msr_read,msr_write,pio_write,pio_read,emulation}}
{ALL}.{{slot,bus}}.{{hit,miss}} {ALL}.guest_walk
"""


def spread(text: str) -> Iterator[str]:
    """``a.{b,c}`` as ``a.b``, ``a.c``."""
    group = re.search(r"\{([^}]*)\}", text)
    if group is None:
        yield text
        return
    for choice in group[1].split(","):
        yield from spread(text[: group.start()] + choice + text[group.end() :])


EXPECTED = [name for pattern in COMPLETE.split() for name in spread(pattern)]


def test_every_path_has_its_name_and_no_other_exists() -> None:
    assert Counter(path.name for path in PATHS) == Counter(EXPECTED)
    assert len(PATHS) == 170


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_a_path_is_found_by_its_name_and_says_what_it_is(path: Path) -> None:
    found = path_named(path.name)
    assert found is path
    assert found.name.startswith(f"{found.generation}.") and found.name.endswith(found.way)
    assert found.summary and "{" not in found.summary


def test_the_mode_of_a_building_block_is_none_and_any_where_modes_count_alike() -> None:
    modes = {path.name: path.mode for path in PATHS}
    assert modes["v31.ept.mmio_hit"] == "ept"
    assert modes["v31.any.hypercall"] == "any"
    assert modes["v31.guest_walk"] is None and modes["v517.slot.miss"] is None and modes["v40.bus.hit"] is None
    assert set(modes.values()) == {"ept", "shadow", "nonpaging", "any", None}


def test_an_unknown_path_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InvalidInput) as caught:
        path_named("v31.ept.mmio_hot", "case 3")
    (problem,) = caught.value.problems
    assert problem.line() == "case 3: path=v31.ept.mmio_hot: unknown path; did you mean 'v31.ept.mmio_hit'?"


@pytest.mark.parametrize(
    "name", ["v30.ept.mmio_hit", "v315.shadow.mmio_hit", "v36.any.slot_update", "proto.slot.hit", ""]
)
def test_a_path_that_no_kernel_had_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="unknown path"):
        path_named(name)


def test_generations_are_in_the_order_of_time() -> None:
    assert [item.id for item in GENERATIONS] == ["v30", "v31", "v36", "v311", "v315", "v40", "v414", "v56", "v517"]
    assert [item.rank for item in GENERATIONS] == list(range(9))
