"""The shares that mixes rest on, by simulation: Poisson accesses to several pages, and memslot updates between them.

Nothing here knows a formula for a share. The reference machine runs a workload whose accesses and updates arrive at
exponentially distributed intervals, and each share that it shows is held against the closed form. A run is cut into
batches; the spread between them bounds the error of the mean (batch means), also where accesses hang together.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import NamedTuple

import numpy as np
import pytest
from sequences import OFFSET, guest

from mmiocost.equations.lowering import kernel
from mmiocost.mechanism import Access, SlotUpdate, run
from mmiocost.mechanism.slots import SlotBlock
from mmiocost.whatif.scenario import Scenario
from mmiocost.whatif.terms import design_terms, full_scenario, with_hit_fraction

BATCHES, ACCESSES, SIGMAS = 60, 100, 5.0
SLOTS = 5


class Workload(NamedTuple):
    """Rates per second: accesses to all pages together, updates of a slot's flags, and moves of a slot, which zap."""

    after: str
    mode: str
    pages: int
    accesses: float
    flags: float
    moves: float

    @property
    def scenario(self) -> Scenario:
        """The same as a question to the closed form."""
        rates = {"mmio_rate": self.accesses, "mmio_pages": float(self.pages)}
        updates = {"generation_rate": self.flags + self.moves, "zapping_rate": self.moves}
        return Scenario(after=self.after, mode=self.mode, counts={"slots": SLOTS}, mix={**rates, **updates})

    @property
    def spoiling(self) -> float:
        """Updates a second that make entries invalid: before 3.11 only those that zap."""
        return self.moves if self.after in ("v31", "v36") else self.flags + self.moves


@dataclass
class Seen:
    """What was counted, batch by batch; bumps of the generation number over the whole run of ``seconds``."""

    ways: list[dict[str, int]] = field(default_factory=list)
    events: list[dict[str, int]] = field(default_factory=list)
    bumps: int = 0
    seconds: float = 0.0

    def way(self, name: str) -> np.ndarray:
        """Accesses of each batch that took that way."""
        return np.array([batch.get(name, 0) for batch in self.ways], dtype=float)

    def event(self, name: str) -> np.ndarray:
        """Events of that name in each batch."""
        return np.array([batch.get(name, 0) for batch in self.events], dtype=float)


@cache
def simulated(load: Workload, seed: int = 2011) -> Seen:
    """Run the machine through BATCHES times ACCESSES accesses, and what comes between, in the order of arrival."""
    draw = Random(seed)
    g = guest(f"{load.after}.{load.mode}.mmio_first", {"slots": SLOTS}, load.pages)
    assert len(g.mmio) == load.pages
    world, seen = g.world, Seen()
    top = max(block.base + block.number * max(block.stride, block.npages) for block in world.memslots.blocks) + 64
    here, there = SlotBlock(top, 8), SlotBlock(top + 16, 8)
    run(world, SlotUpdate("create", new=here))
    for page in g.mmio:
        run(world, Access(page | OFFSET))
    rates: dict[int | str, float] = dict.fromkeys(g.mmio, load.accesses / load.pages)
    rates |= {kind: rate for kind, rate in (("flags", load.flags), ("move", load.moves)) if rate}
    arrivals = [(draw.expovariate(rate), number, what) for number, (what, rate) in enumerate(rates.items())]
    heapq.heapify(arrivals)
    begun = world.memslots.generation
    for _ in range(BATCHES):
        ways, events = Counter[str](), Counter[str]()
        while ways.total() < ACCESSES:
            seen.seconds, number, what = arrivals[0]
            heapq.heapreplace(arrivals, (seen.seconds + draw.expovariate(rates[what]), number, what))
            if what == "flags":
                run(world, SlotUpdate("flags", old=here))
            elif what == "move":
                run(world, SlotUpdate("move", old=here, new=there))
                here, there = there, here
            else:
                outcome = run(world, Access(int(what) | OFFSET))
                way = (outcome.path or "").rpartition(".")[2]
                walked = "rcu_read_section" in outcome.events
                ways[f"{way}_cached" if way == "mmio_hit" and not walked else way] += 1
                events.update(outcome.events)
        seen.ways.append(ways)
        seen.events.append(events)
    seen.bumps = world.memslots.generation - begun
    return seen


def sigmas(part: np.ndarray, whole: np.ndarray, share: float) -> float:
    """How many standard errors of batch means the ratio of two counts lies off a share."""
    off = part - share * whole
    spread = float(np.std(off, ddof=1)) / math.sqrt(len(off))
    return 0.0 if not spread and not off.any() else float(np.mean(off)) / spread if spread else math.inf


def closed(load: Workload, name: str) -> float:
    """What the closed form says of a share."""
    path = f"{load.after}.{load.mode}.mmio_hit"
    return float(with_hit_fraction(load.scenario, full_scenario(path, load.scenario))[name])


def cached_share(load: Workload) -> float:
    """The exact mean of c among hits, by hand.

    The last event before a hit on its page, of all accesses and updates that spoil entries, is an access to this page
    with probability (r/k)/(r + s); a hit has probability r/(r + k s). The quotient is (r + k s)/(k (r + s)).
    """
    r, k, s = load.accesses, load.pages, load.spoiling
    return (r + k * s) / (k * (r + s))


# fmt: off
RARE = (Workload("v31", "ept", 3, 1000, 0, 1), Workload("v414", "ept", 2, 1000, 2, 0),
        Workload("v517", "ept", 8, 2000, 1, 1))
OFTEN = (Workload("v31", "ept", 3, 100, 30, 10), Workload("v36", "shadow", 8, 100, 20, 5),
         Workload("v36", "nonpaging", 5, 100, 0, 20), Workload("v315", "ept", 1, 100, 20, 5),
         Workload("v414", "ept", 4, 100, 25, 0), Workload("v517", "ept", 8, 100, 5, 1))
WITHOUT_NUMBER = (Workload("v311", "ept", 1, 100, 20, 0), Workload("v311", "nonpaging", 2, 100, 20, 0))
ONE_PAGE = (Workload("v315", "ept", 1, 100, 20, 0), Workload("v414", "ept", 1, 100, 25, 0),
            Workload("v517", "ept", 1, 50, 30, 0))
# fmt: on


def hits(seen: Seen) -> np.ndarray:
    """Hits of each batch, by the vCPU's cache or by a walk."""
    found: np.ndarray = seen.way("mmio_hit") + seen.way("mmio_hit_cached")
    return found


@pytest.mark.parametrize("load", RARE + OFTEN + ONE_PAGE, ids=str)
def test_the_share_of_hits_is_the_closed_form(load: Workload) -> None:
    seen = simulated(load)
    assert abs(sigmas(hits(seen), np.full(BATCHES, ACCESSES), closed(load, "hit_fraction"))) < SIGMAS


@pytest.mark.parametrize("load", RARE + OFTEN, ids=str)
def test_accesses_after_a_zap_are_first_touches_and_all_others_are_stale(load: Workload) -> None:
    """A page is bare once it was zapped since its last access: k λ_z/(r + k λ_z), whatever else was updated."""
    seen, spoilt = simulated(load), load.pages * load.moves
    first = spoilt / (load.accesses + spoilt)
    assert abs(sigmas(seen.way("mmio_first"), np.full(BATCHES, ACCESSES), first)) < SIGMAS
    if load.after in ("v31", "v36"):
        assert not seen.way("mmio_stale").any()
        return
    stale = 1 - closed(load, "hit_fraction") - first
    assert abs(sigmas(seen.way("mmio_stale"), np.full(BATCHES, ACCESSES), stale)) < SIGMAS


@pytest.mark.parametrize("load", RARE + ONE_PAGE, ids=str)
def test_the_share_of_hits_from_the_cache_is_one_page_in_k_while_updates_are_rare(load: Workload) -> None:
    seen = simulated(load)
    assert abs(sigmas(seen.way("mmio_hit_cached"), hits(seen), closed(load, "mmio_cached"))) < SIGMAS


@pytest.mark.parametrize("load", RARE + OFTEN + ONE_PAGE, ids=str)
def test_the_share_of_hits_from_the_cache_is_the_one_derived_by_hand(load: Workload) -> None:
    seen = simulated(load)
    assert abs(sigmas(seen.way("mmio_hit_cached"), hits(seen), cached_share(load))) < SIGMAS


@pytest.mark.xfail(strict=True, reason="the mean of c is 1/k only while updates are rare against accesses to a page")
def test_the_share_of_hits_from_the_cache_at_any_update_rate() -> None:
    load = Workload("v414", "ept", 4, 100, 25, 0)  # simulated and by hand 0.40, closed form 0.25
    seen = simulated(load)
    assert abs(sigmas(seen.way("mmio_hit_cached"), hits(seen), closed(load, "mmio_cached"))) < SIGMAS


@pytest.mark.parametrize("load", WITHOUT_NUMBER, ids=str)
def test_before_3_16_the_cache_answers_across_updates(load: Workload) -> None:
    """Its entry holds no generation there: the page accessed last is a hit whatever was updated since.

    By hand, looking back from an access to a page, with q = 1/k and a = r/(r + s) the chance that no update falls
    between two accesses: it is the page accessed last (q); or another was (1 - q), and without an update on the way
    back stands an access to this page that walked and so renewed the entry, since one that the cache answered did not.
    """
    q, a = 1 / load.pages, load.accesses / (load.accesses + load.spoiling)
    renewed = (1 - q) / (1 - q * a)  # from an access to this page on
    behind = a * q * renewed / (1 - a * (1 - q))  # from an access to another page on
    seen = simulated(load)
    assert abs(sigmas(hits(seen), np.full(BATCHES, ACCESSES), q + (1 - q) * a * behind)) < SIGMAS


@pytest.mark.xfail(strict=True, reason="hit_fraction of v311 leaves out the cache that answers across updates")
@pytest.mark.parametrize("load", WITHOUT_NUMBER, ids=str)
def test_the_share_of_hits_before_3_16_is_the_closed_form(load: Workload) -> None:
    seen = simulated(load)
    assert abs(sigmas(hits(seen), np.full(BATCHES, ACCESSES), closed(load, "hit_fraction"))) < SIGMAS


@pytest.mark.parametrize("load", ONE_PAGE, ids=str)
def test_the_events_of_an_access_are_those_of_the_mix(load: Workload) -> None:
    """Mean events an access with one page, where every share of the closed form holds: locks, installs, walks."""
    seen, (terms, _) = simulated(load), design_terms("after", load.scenario)
    for event in ("mmu_lock_acquire", "mmio_spte_install", "rcu_read_section", "shadow_pte_read", "generation_check",
                  "vm_exit_ept_misconfig", "emulate_instruction"):  # fmt: skip
        assert abs(sigmas(seen.event(event), np.full(BATCHES, ACCESSES), float(terms.get(event, 0)))) < SIGMAS, event


@pytest.mark.parametrize("load", [load for load in OFTEN if load.after not in ("v31", "v36")], ids=str)
def test_the_generation_number_advances_as_its_wraps_suppose(load: Workload) -> None:
    """Bumps are Poisson: one of each update, two of each that zaps; their rate over 2^19 is that of the wraps."""
    seen = simulated(load)
    expected = kernel(f"generation_wraps:{load.after}")(full_scenario(f"{load.after}.ept.mmio_hit", load.scenario))
    spread = math.sqrt((load.flags + 4 * load.moves) * seen.seconds)
    assert abs(seen.bumps - float(expected["value"]) * 2**19 * seen.seconds) < SIGMAS * spread


def test_a_share_that_is_off_by_a_little_is_rejected() -> None:
    """The bounds are no formality: four points off the true share are more than they let pass."""
    seen = simulated(ONE_PAGE[0])
    share = closed(ONE_PAGE[0], "hit_fraction")
    assert abs(sigmas(hits(seen), np.full(BATCHES, ACCESSES), share + 0.04)) > SIGMAS
