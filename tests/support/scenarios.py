"""Admissible scenarios: the domains of the specification's table of symbols, stated here a second time.

Nothing of the package's own rules is used, so that tests can hold those rules against these.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from hypothesis import strategies as st

from mmiocost.vocabulary import PATHS

GENERATIONS = ("v30", "v31", "v36", "v311", "v315", "v40", "v414", "v56", "v517")
BINARY = ("v40", "v414", "v56")
LINEAR = GENERATIONS[:5]
BITS = (0, 1)
WHOLE = 10**6  # stands for "no upper end" where values are drawn
NAMES = (
    "slots", "ram_slot", "mmio_gap", "slot_cache_warm", "guest_levels", "leaf_level", "code_leaf_level", "is_write",
    "fault_level", "nested_levels", "ad_updates", "shadow_levels", "missing_levels", "prefetch_index",
    "fast_bus_devices", "decode_assist", "spte_accessed_bit", "mmio_cached", "userspace", "is_ioeventfd",
    "bus_devices", "bus_position", "bus_gap", "fast_bus_position", "fast_bus_gap", "host_hypervisor", "bypass",
    "guest_pte_bits", "shadow_pages", "sync", "is_mmio", "retries", "unlinked_levels", "fast_pio_in", "pm_timer",
    "timer_msr", "exit_mitigated", "userspace_mitigated", "emulation_mitigated",
)  # fmt: skip
_BIT_DEFAULTS = {
    "is_write": 1, "mmio_cached": 1, "userspace": 0, "host_hypervisor": 0, "sync": 1, "is_mmio": 1, "pm_timer": 0,
    "timer_msr": 0, "exit_mitigated": 0, "userspace_mitigated": 0, "emulation_mitigated": 0,
}  # fmt: skip

Domain = tuple[Sequence[int], int]


def rank(path: str) -> int:
    """Place of a path's generation in time; designs that never were a release rank as 3.1."""
    head = path.split(".")[0]
    return GENERATIONS.index(head) if head in GENERATIONS else 1


def since(path: str, generation: str) -> bool:
    """Whether a path belongs to that generation or a later one."""
    return rank(path) >= GENERATIONS.index(generation)


def top(levels: int) -> int:
    """Highest guest level that is read: two with PAE."""
    return 2 if levels == 3 else levels


def reads(levels: int, last: int) -> int:
    """r(L, e)."""
    return 0 if levels == 0 else top(levels) - last + 1


def walked(levels: int) -> int:
    """s of a hierarchy."""
    return 2 if levels == 3 else levels


def domain(path: str, name: str, v: dict[str, int]) -> Domain:
    """Allowed values and default of a symbol on a path, the symbols before it settled as ``v``."""
    parts = path.split(".")
    mode, way = (parts[1] if len(parts) == 3 else ""), parts[-1]
    if name in _BIT_DEFAULTS:
        return BITS, _BIT_DEFAULTS[name]
    if name == "guest_levels":
        return _guest_levels(path, mode)
    leaf_top = {0: 1, 2: 2, 3: 2}.get(v.get("guest_levels", 4), 3)
    direct = mode in ("shadow", "nonpaging")
    found: dict[str, Domain] = {
        "slots": (range(1, WHOLE), 4),
        "nested_levels": ((0, 2, 3, 4, 5), 0),
        "prefetch_index": (range(8), 0),
        "bus_devices": (range(1, WHOLE), 4),
        "shadow_pages": (range(WHOLE), 0),
        "retries": (range(WHOLE), 0),
        "fast_bus_devices": (range(1, WHOLE), 1) if way == "fast_mmio" else (range(WHOLE), 0),
        "leaf_level": (range(1, 2 if way.startswith("ram_fill") else leaf_top + 1), 1),
        "code_leaf_level": (range(1, leaf_top + 1), 1),
        "fast_pio_in": (BITS, int(since(path, "v414"))),
        "bypass": _bypass(path, mode, way),
    }
    if name in found:
        return found[name]
    if name == "shadow_levels":
        deep = {4: 4, 5: 5}.get(v["guest_levels"], 3)
        return ((deep,), deep) if direct else ((3, 4, 5) if since(path, "v414") else (3, 4), 4)
    return _dependent(path, name, v, mode, way)


def _guest_levels(path: str, mode: str) -> Domain:
    if mode == "nonpaging":
        return (0,), 0
    if mode == "shadow":
        return ((2, 3, 4, 5) if since(path, "v517") else (2, 3, 4)), 4
    return ((0, 2, 3, 4, 5) if since(path, "v414") else (0, 2, 3, 4)), 4


def _bypass(path: str, mode: str, way: str) -> Domain:
    if way == "guest_fault_bypassed":
        return (1,), 1
    allowed = path.startswith("proto.") or (path.startswith("v30.") and mode == "shadow")
    return (BITS if allowed else (0,)), 0


def _dependent(path: str, name: str, v: dict[str, int], mode: str, way: str) -> Domain:
    if name == "ram_slot":
        return range(1, v["slots"] + 1), 1
    if name == "mmio_gap":
        return range(v["slots"] + 1), v["slots"]
    if name == "slot_cache_warm":
        return ((1,) if path.split(".")[0] in BINARY and v["slots"] < 2 else BITS), 1
    if name == "fault_level":
        return range(1, max(1, top(v["guest_levels"])) + 1), 1
    if name == "ad_updates":
        entries = reads(v["guest_levels"], v["leaf_level"])
        return range(entries + (v["is_write"] if entries and not since(path, "v311") else 0) + 1), 0
    if name == "missing_levels":
        return range(walked(v["shadow_levels"])), 0
    if name == "unlinked_levels":
        return range(1, walked(v["shadow_levels"])), 1
    if name == "decode_assist":
        return ((0,) if mode == "ept" and v["fast_bus_devices"] else BITS), 0
    if name == "spte_accessed_bit":
        npt = mode == "ept" and v["decode_assist"] == 1
        return ((1,) if npt else BITS), int(npt or since(path, "v311"))
    if name == "is_ioeventfd":
        return (BITS if v["is_write"] and way != "pio_read" else (0,)), 0
    if name == "bus_position":
        return range(1, v["bus_devices"] + 1), 1
    if name == "bus_gap":
        return range(v["bus_devices"] + 1), v["bus_devices"]
    if name == "fast_bus_position":
        return range(1, max(1, v["fast_bus_devices"]) + 1), 1
    if name == "fast_bus_gap":
        return range(v["fast_bus_devices"] + 1), 0
    bits = 32 if v["guest_levels"] == 2 else 64
    return (bits,), bits


def settled(path: str, given: dict[str, int]) -> tuple[dict[str, int], list[str]]:
    """The whole scenario, and the symbols that lie outside their domain (these are then at their default)."""
    v: dict[str, int] = {}
    refused = []
    for name in NAMES:
        allowed, default = domain(path, name, v)
        value = given.get(name, default)
        if value not in allowed:
            refused.append(name)
        v[name] = value if value in allowed else default
    return v, refused


def paths(pattern: str = "*") -> st.SearchStrategy[str]:
    """Any path whose name matches."""
    return st.sampled_from([path.name for path in PATHS if fnmatchcase(path.name, pattern)])


_DRAWN_UP_TO = {"slots": 600, "bus_devices": 40, "fast_bus_devices": 12, "shadow_pages": 500, "retries": 6}


@st.composite
def scenarios(draw: st.DrawFn, path: str) -> dict[str, int]:
    """A whole admissible scenario of a path, every symbol given."""
    v: dict[str, int] = {}
    for name in NAMES:
        allowed, _ = domain(path, name, v)
        upper = min(len(allowed), _DRAWN_UP_TO.get(name, WHOLE)) - 1
        v[name] = allowed[draw(st.integers(0, upper))]
    return v


@st.composite
def cases(draw: st.DrawFn, pattern: str = "*") -> tuple[str, dict[str, int]]:
    """A path and one of its scenarios."""
    path = draw(paths(pattern))
    return path, draw(scenarios(path))
