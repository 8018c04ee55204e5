"""Which paths a host showed, from its counters: shadow faults or EPT, MMIO entries or none, interpreted modes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import raw
from .counts import Key, per_turn
from .guest_tables import SMALL_PAGE

_HALF = 0.5  # a counter moves once a turn or not at all
_MODE, _CPL = raw.SETTING.index("mode"), raw.SETTING.index("cpl")
_PAGE = raw.SETTING.index("guest_page_size")
DIRECT, INTERPRETED = "direct", "interpreted"


@dataclass(frozen=True)
class Seen:
    """What the counters of a run, or of its steady loops, say of the host.

    ``loops``: counters per turn by setting; ``tdp``: EPT or NPT; ``caching``: whether MMIO accesses leave an entry
    that the next one hits (None: neither module parameter nor counters tell).
    """

    loops: Mapping[Key, Mapping[str, float]]
    tdp: bool
    isa: str
    caching: bool | None

    def slope(self, probe: str, mode: str, cpl: int, counter: str, page: int = SMALL_PAGE) -> float | None:
        """What a counter moves by per turn; 0 where it did not move, None where nothing was counted."""
        for key, found in self.loops.items():
            if key[1] == probe and (key[_MODE], key[_CPL], key[_PAGE]) == (mode, cpl, page):
                return found.get(counter, 0.0)
        return None

    def runs(self, mode: str, cpl: int) -> str | None:
        """Whether a guest mode runs directly or is interpreted by KVM's emulator, instruction by instruction."""
        emulated = self.emulated("loop", mode, cpl)
        return None if emulated is None else INTERPRETED if emulated else DIRECT

    def emulated(self, probe: str, mode: str, cpl: int) -> bool | None:
        """Whether KVM's emulator takes part in an operation of a directly running guest; None if not counted."""
        found = self.slope(probe, mode, cpl, "insn_emulation")
        return None if found is None else found > _HALF

    def exits(self, probe: str, mode: str, cpl: int) -> float | None:
        """Exits per turn without those of host interrupts; None where nothing was counted."""
        found = self.slope(probe, mode, cpl, "exits")
        return None if found is None else found - (self.slope(probe, mode, cpl, "irq_exits") or 0.0)

    def lines(self) -> list[str]:
        """The same in words, one line each."""
        exits = "EPT or NPT faults" if self.tdp else "page faults under shadow paging, no EPT misconfigurations"
        said = [f"MMIO exits are {exits}"]
        if self.caching is None:
            said.append("whether MMIO entries are cached can't be told: no parameter, no counters")
        elif self.caching:
            said.append("mmio_caching is on: first touch, hit and stale refill are different paths")
        else:
            said.append("mmio_caching is off: every access is the mmio_uncached path, none first, hit or stale")
        modes = sorted({(str(key[_MODE]), int(key[_CPL])) for key in self.loops})
        interpreted = [f"{mode} at CPL {cpl}" for mode, cpl in modes if self.runs(mode, cpl) == INTERPRETED]
        if interpreted:
            said.append(f"interpreted instruction by instruction, so no MMIO path: {', '.join(interpreted)}")
        return said


def seen(counts: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> Seen:
    """What a run saw, by its :func:`counts.counts` and :func:`host.facts` (``tdp``, ``isa``, ``mmio_caching``)."""
    known = Seen(
        per_turn(counts, "counters"), bool(facts.get("tdp")), str(facts.get("isa", "")), facts.get("mmio_caching")
    )
    faults = known.slope("mmio_store_any", "long", 3, "pf_taken")
    if known.caching is None and faults is not None and known.runs("long", 3) == DIRECT:
        return Seen(known.loops, known.tdp, known.isa, faults < _HALF)
    return known
