"""Kernel generations: groups of releases whose MMIO handling makes the same events."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from ..errors import InvalidInput, nearest_name


class Generation(NamedTuple):
    """One generation. ``rank`` orders them in time; "from vX" in the text means a rank of at least vX's.

    ``indirect_page_searches`` is A: slot searches that the creation of one indirect shadow page costs.
    ``binary_tail`` says when a bisection ends with one more range test: always, or only below the end.
    """

    id: str
    rank: int
    kernels: str
    first_release: tuple[int, int]
    mmio_entries: str
    search: Literal["linear", "binary", "tree"]
    bus: Literal["linear", "sorted"]
    other: str
    indirect_page_searches: int
    binary_tail: Literal["always", "below_end"] = "always"

    def since(self, other: str) -> bool:
        """Whether this generation is ``other`` or a later one."""
        return self.rank >= generation(other).rank


# fmt: off
GENERATIONS: tuple[Generation, ...] = (
    Generation("v30", 0, "up to 3.0", (0, 0), "none", "linear", "linear", "bypass_guest_pf; slots in id order", 4),
    Generation("v31", 1, "3.1, 3.2 (3.2 has the sorted bus of v36)", (3, 1), "without generation", "linear", "linear", "bypass_guest_pf removed; slots in id order", 4),
    Generation("v36", 2, "3.3 to 3.10", (3, 3), "without generation", "linear", "sorted", "slots sorted by size", 2),
    Generation("v311", 3, "3.11 to 3.15", (3, 11), "with generation", "linear", "sorted", "", 2),
    Generation("v315", 4, "3.16 to 3.18", (3, 16), "with generation", "linear", "sorted", "fast MMIO bus", 2),
    Generation("v40", 5, "3.19 to 4.10", (3, 19), "with generation", "binary", "sorted", "fast MMIO bus; lru_slot", 2),
    Generation("v414", 6, "4.11 to 5.5", (4, 11), "with generation", "binary", "sorted", "the emulator reuses the fault's gpa under EPT", 2),
    Generation("v56", 7, "5.6 to 5.16", (5, 6), "with generation", "binary", "sorted", "one slot look-up per fault", 2, "below_end"),
    Generation("v517", 8, "5.17 and later", (5, 17), "with generation; mmio_caching", "tree", "sorted", "last_used_slot per vCPU; TDP MMU", 2),
)
# fmt: on

# Designs that never were a release rank as the kernel that they were posted against.
# fmt: off
DESIGNS: tuple[Generation, ...] = (
    Generation("proto", 1, "as posted in June 2011", (3, 1), "without generation", "linear", "linear", "MMIO sptes beside bypass_guest_pf=1", 4),
    Generation("unified", 1, "mail of 2011-06-09", (3, 1), "without generation", "linear", "linear", "one lockless loop", 4),
)
# fmt: on

_BY_ID = {item.id: item for item in GENERATIONS + DESIGNS}


def generation(name: str) -> Generation:
    """The generation or design of that id. Raises InvalidInput for an unknown one."""
    if name not in _BY_ID:
        raise InvalidInput.one(
            "", "generation", name, f"must be one of {', '.join(_BY_ID)}", nearest_name(name, _BY_ID)
        )
    return _BY_ID[name]


def generation_of_kernel(release: str) -> Generation:
    """The generation that a kernel release belongs to.

    Raises InvalidInput when the text does not begin with two numbers, as ``6.8.0-94-generic`` does.
    """
    match = re.match(r"~?v?([0-9]{1,3})\.([0-9]{1,3})(?![0-9])", release)
    if not match:
        raise InvalidInput.one(
            "", "kernel", release, "must begin with a release number such as 3.1 or 6.8.0-94-generic"
        )
    number = (int(match[1]), int(match[2]))
    return max((item for item in GENERATIONS if item.first_release <= number), key=lambda item: item.rank)
