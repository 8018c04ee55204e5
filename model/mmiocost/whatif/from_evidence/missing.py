"""What a scenario needs and the evidence does not say, with what the model takes for it."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from ...vocabulary import MIX_SYMBOLS, SYMBOLS
from ..ranges import default_range

#: Symbols of one access that a scenario of evidence lists where they are not derived; no file shows the last five.
_COUNTED = ("guest_levels", "slots", "bus_devices", "bus_position", "fast_bus_devices", "shadow_pages")
_STATED = {
    "mode": ("ept", "ept, shadow or nonpaging", "how the guest's memory is paged"),
    "generation": ("v31, compared with v30", "any kernel release", "the host's kernel: host.txt or --kernel"),
    "mitigations": ("none", "none or all", "mitigations of the host: host.txt"),
    "clock_hz": ("that of the model's machine", "any", "clock of the TSC, for answers in ns: --clock-hz"),
    "is_write": ("1", "0 to 1", "share of accesses that are stores"),
    "stale_share": ("by the update rates", "0 to 1", "share of accesses that find an entry of an older generation"),
}  # fmt: skip


class Missing(NamedTuple):
    """A symbol that is not derived: its default, the range that a sensitivity study varies it over, its meaning."""

    symbol: str
    default: str
    range: str
    meaning: str


def missing(derived: Collection[str]) -> tuple[Missing, ...]:
    """Everything that is not derived, first what matters on most paths."""
    counts = {item.name: item for item in SYMBOLS}
    found = [Missing(name, counts[name].default, _range(name), counts[name].meaning) for name in _COUNTED]
    for item in MIX_SYMBOLS:
        default = "none" if item.default is None else f"{item.default:g}{_UNITS.get(item.unit, '')}"
        found.append(Missing(item.name, default, f"{_range(item.name)}{_UNITS.get(item.unit, '')}", item.meaning))
    found += [Missing(name, *said) for name, said in _STATED.items()]
    return tuple(item for item in found if item.symbol not in derived)


_UNITS = {"1/s": "/s", "s": " s", "cycle": " cycles"}


def _range(name: str) -> str:
    low, high = default_range(name)
    return f"{low:g} to {high:g}"
