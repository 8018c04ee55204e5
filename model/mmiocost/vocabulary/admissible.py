"""Which scenarios a path admits: defaults filled in, every symbol held against its domain.

Nothing is corrected silently. A symbol that is not given takes its default; then every symbol, given or
default, is held against its domain, also where the path does not use it (model/mechanism.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import InvalidInput, Problem, nearest_name
from .generations import Generation, generation
from .paths import Path, path_named
from .symbols import SYMBOLS

_LARGE = 2**31 - 1


class _Domain(NamedTuple):
    """Allowed values, the default, and the symbols that both depend on."""

    allowed: range | tuple[int, ...]
    default: int
    depends: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Case:
    """A path and what is settled of its scenario so far."""

    path: Path
    gen: Generation
    value: dict[str, int]

    def __getitem__(self, name: str) -> int:
        return self.value[name]


def walked_levels(shadow_levels: int) -> int:
    """Levels of the hierarchy that a walk reads: the PAE root entry (3 levels) is a register-like array."""
    return 2 if shadow_levels == 3 else shadow_levels


def top_level(guest_levels: int) -> int:
    """Highest level read by a guest walk: PAE's root entries come from a register cache."""
    return 2 if guest_levels == 3 else guest_levels


def _guest_levels(c: _Case) -> _Domain:
    if c.path.mode == "nonpaging":
        return _Domain((0,), 0)
    if c.path.mode == "shadow":
        return _Domain((2, 3, 4, 5) if c.gen.since("v517") else (2, 3, 4), 4)
    return _Domain((0, 2, 3, 4, 5) if c.gen.since("v414") else (0, 2, 3, 4), 4)


def _leaf(c: _Case) -> range:
    return range(1, {0: 1, 2: 2, 3: 2}.get(c["guest_levels"], 3) + 1)


def _data_leaf(c: _Case) -> _Domain:
    allowed = range(1, 2) if c.path.way.startswith("ram_fill") else _leaf(c)
    return _Domain(allowed, 1, ("guest_levels",))


def _ad_updates(c: _Case) -> _Domain:
    reads = 0 if c["guest_levels"] == 0 else top_level(c["guest_levels"]) - c["leaf_level"] + 1
    extra = c["is_write"] if reads and not c.gen.since("v311") else 0
    return _Domain(range(reads + extra + 1), 0, ("guest_levels", "leaf_level", "is_write"))


def _shadow_levels(c: _Case) -> _Domain:
    if c.path.mode in ("shadow", "nonpaging"):
        levels = max(3, c["guest_levels"])
        return _Domain((levels,), levels, ("guest_levels",))
    return _Domain((3, 4, 5) if c.gen.since("v414") else (3, 4), 4)


def _below_root(lowest: int) -> Callable[[_Case], _Domain]:
    return lambda c: _Domain(range(lowest, walked_levels(c["shadow_levels"])), lowest, ("shadow_levels",))


def _decode_assist(c: _Case) -> _Domain:
    fast_bus = c.path.mode == "ept" and c["fast_bus_devices"] > 0
    return _Domain((0,) if fast_bus else (0, 1), 0, ("fast_bus_devices",))


def _spte_accessed_bit(c: _Case) -> _Domain:
    npt = c.path.mode == "ept" and c["decode_assist"] == 1
    return _Domain((1,) if npt else (0, 1), 1 if npt or c.gen.since("v311") else 0, ("decode_assist",))


def _ioeventfd(c: _Case) -> _Domain:
    return _Domain((0, 1) if c["is_write"] and c.path.way != "pio_read" else (0,), 0, ("is_write",))


def _bypass(c: _Case) -> _Domain:
    if c.path.way == "guest_fault_bypassed":
        return _Domain((1,), 1)
    both = c.path.generation == "proto" or (c.path.generation == "v30" and c.path.mode == "shadow")
    return _Domain((0, 1) if both else (0,), 0)


def _fixed(allowed: range | tuple[int, ...], default: int) -> Callable[[_Case], _Domain]:
    return lambda c: _Domain(allowed, default)


def _upto(name: str, lowest: int, default_top: bool = False) -> Callable[[_Case], _Domain]:
    return lambda c: _Domain(range(lowest, c[name] + 1), c[name] if default_top else lowest, (name,))


_BIT = (0, 1)
# In an order in which each symbol comes after those that its domain depends on: that of the symbol table.
_RULES: dict[str, Callable[[_Case], _Domain]] = {
    "slots": _fixed(range(1, _LARGE), 4),
    "ram_slot": _upto("slots", 1),
    "mmio_gap": _upto("slots", 0, default_top=True),
    "slot_cache_warm": lambda c: _Domain((1,) if c.gen.search == "binary" and c["slots"] < 2 else _BIT, 1, ("slots",)),
    "guest_levels": _guest_levels,
    "leaf_level": _data_leaf,
    "code_leaf_level": lambda c: _Domain(_leaf(c), 1, ("guest_levels",)),
    "is_write": _fixed(_BIT, 1),
    "fault_level": lambda c: _Domain(range(1, max(1, top_level(c["guest_levels"])) + 1), 1, ("guest_levels",)),
    "nested_levels": _fixed((0, 2, 3, 4, 5), 0),
    "ad_updates": _ad_updates,
    "shadow_levels": _shadow_levels,
    "missing_levels": _below_root(0),
    "prefetch_index": _fixed(range(8), 0),
    "fast_bus_devices": lambda c: _Domain(
        range(int(c.path.way == "fast_mmio"), _LARGE), int(c.path.way == "fast_mmio")
    ),
    "decode_assist": _decode_assist,
    "spte_accessed_bit": _spte_accessed_bit,
    "mmio_cached": _fixed(_BIT, 1),
    "userspace": _fixed(_BIT, 0),
    "is_ioeventfd": _ioeventfd,
    "bus_devices": _fixed(range(1, _LARGE), 4),
    "bus_position": _upto("bus_devices", 1),
    "bus_gap": _upto("bus_devices", 0, default_top=True),
    "fast_bus_position": lambda c: _Domain(range(1, max(1, c["fast_bus_devices"]) + 1), 1, ("fast_bus_devices",)),
    "fast_bus_gap": _upto("fast_bus_devices", 0),
    "host_hypervisor": _fixed(_BIT, 0),
    "bypass": _bypass,
    "guest_pte_bits": lambda c: _Domain(*((32,), 32) if c["guest_levels"] == 2 else ((64,), 64), ("guest_levels",)),
    "shadow_pages": _fixed(range(_LARGE), 0),
    "sync": _fixed(_BIT, 1),
    "is_mmio": _fixed(_BIT, 1),
    "retries": _fixed(range(_LARGE), 0),
    "unlinked_levels": _below_root(1),
    "fast_pio_in": lambda c: _Domain(_BIT, int(c.gen.since("v414"))),
    "pm_timer": _fixed(_BIT, 0),
    "timer_msr": _fixed(_BIT, 0),
    "exit_mitigated": _fixed(_BIT, 0),
    "userspace_mitigated": _fixed(_BIT, 0),
    "emulation_mitigated": _fixed(_BIT, 0),
}


def _text(domain: _Domain, case: _Case) -> str:
    if isinstance(domain.allowed, range):
        low, high = domain.allowed.start, domain.allowed.stop - 1
        allowed = (
            f"an integer of {low} or more" if high >= _LARGE - 1 else f"{low}" if low == high else f"{low} to {high}"
        )
    else:
        allowed = f"one of {', '.join(map(str, domain.allowed))}" if len(domain.allowed) > 1 else f"{domain.allowed[0]}"
    depends = ", ".join(f"{name}={case[name]}" for name in domain.depends)
    return f"must be {allowed} on {case.path.name}" + (f" with {depends}" if depends else "")


def resolve(path: Path | str, given: Mapping[str, int], where: str = "") -> dict[str, int]:
    """The whole scenario of a path: the given symbols and the defaults of all others.

    Raises InvalidInput with every unknown name, every value that is not an integer and every one outside its
    domain; each problem names the symbol, its value, what is allowed and the symbols on which that depends.
    ``where`` says where the values come from, for the message.
    """
    path = path_named(path, where) if isinstance(path, str) else path
    problems = _unknown(given, where)
    case = _Case(path, generation(path.generation), {})
    for name, rule in _RULES.items():
        domain = rule(case)
        value = given.get(name, domain.default)
        if type(value) is int and value in domain.allowed:
            case.value[name] = value
        else:
            problems.append(Problem(where, name, str(value), _text(domain, case)))
            case.value[name] = domain.default
    if problems:
        raise InvalidInput(problems)
    return case.value


def _unknown(given: Iterable[str], where: str) -> list[Problem]:
    return [
        Problem(where, str(name), "", "unknown name", nearest_name(str(name), _RULES))
        for name in given
        if name not in _RULES
    ]


assert tuple(_RULES) == tuple(symbol.name for symbol in SYMBOLS)
