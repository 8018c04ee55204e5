"""The published look-ups of a memslot: their rows, and every candidate form scored on them.

Ten means of one author, in two mails: eight with 13 and 117 slots, linear and binary, mostly the same slot (boot) or
slots at random (use); two of a boot with two or three slots in use, before and after the last-used slot was cached.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...evidence import Evidence, Observation
from ..solve import Problem
from ..weights import row_sd
from .forms import FREE, FREE_SLOTS, SMALL, LookupForm, costs_of, evaluate, lookup_forms, model, prior_variance
from .held_out import Fitted, fit
from .scores import Score, score

if TYPE_CHECKING:
    from ..design import Array

USED = "two cache regimes"  # what the equations have: a compare is warm or cold (slot_compare, slot_compare_cold)
MISSES = (0.03, 0.06, 0.12, 0.25, 0.5, 1.0)  # what a form may miss a row by, log standard deviation
FEW = 2.5  # slots in use in the boot of the cache's mail: "2-3 slots used"


class Lookup(NamedTuple):
    """A mean look-up: cycles, how it was searched, slots, and entries that a linear scan examines until it finds."""

    id: str
    source: str
    cycles: float
    sd: float
    search: str
    slots: float
    entries: float
    stated: bool
    place: str


def lookups(evidence: Evidence) -> tuple[Lookup, ...]:
    """The rows, in the order of the evidence."""
    means = (row for row in evidence.observations if row.quantity == "slot.lookup_mean")
    return tuple(_lookup(row) for row in means if row.slot_lookup.split(" ")[0] in ("linear", "binary"))


def _lookup(row: Observation) -> Lookup:
    cached_slot = "last-slot cache" in row.slot_lookup
    slots = row.slots or FEW
    same_slot = cached_slot and "random" not in row.workload
    kind = row.slot_lookup.split(" ")[0]
    # Without the cache a scan begins at once: one test fewer than a look-up that the cache does not answer.
    entries = (slots + 1) / 2 - (0 if cached_slot else 1)
    place = f"{kind}, {row.slots or '2 to 3'} slots, {'same slot' if same_slot else 'any slot'}"
    search = "cached" if same_slot else kind
    stated = row.slots is not None
    return Lookup(row.id, row.source_id, row.value, row_sd(row, False), search, slots, entries, stated, place)


class ScoredForm(NamedTuple):
    """A candidate form fitted to the look-ups, with its scores."""

    form: LookupForm
    fitted: Fitted
    score: Score

    @property
    def miss(self) -> float:
        """By how much the form misses a row: log standard deviation, over the grid."""
        sizes = np.array(MISSES * (len(self.fitted.points) // len(MISSES)))
        return float(np.sqrt(self.fitted.weights() @ sizes**2))

    def cycles(self, search: str, slots: Array) -> Array:
        """Cycles of a look-up of any slot among ``slots`` (n,), the last-used slot tested first: mean over the grid."""
        found = np.zeros(len(slots))
        for free, maximum, weight in zip(_free(self.form), self.fitted.maxima, self.fitted.weights(), strict=True):
            costs = costs_of(self.form, maximum.unknowns)
            found += weight * np.log(evaluate(self.form, search, costs, _symbols(slots, (slots + 1) / 2, free)))
        return np.asarray(np.exp(found))

    def entry(self, slots: float) -> float:
        """Cycles that a linear scan adds for one entry among so many slots, on the average of all places."""
        few = np.array([slots])
        return float((self.cycles("linear", few) - self.cycles("cached", few))[0] / ((slots + 1) / 2))


@lru_cache(maxsize=2)  # several views tell of the same forms
def scored_forms(rows: tuple[Lookup, ...]) -> tuple[ScoredForm, ...]:
    """Every candidate form, fitted to the rows whose slot count is published, and scored; loads SymPy.

    The cache's mail says no slot count and no place of the hits, so its rows serve as the other source only.
    """
    counted = [row for row in rows if row.stated]
    found = []
    for form in lookup_forms():
        fitted, both = (fit(points(form, some), _log_prior(form)) for some in (counted, rows))
        labels = {"row": [row.id for row in counted], "slot count": [f"{row.slots:g} slots" for row in counted]}
        own = score(form.name, len(form.parameters) + form.counts_free_slots, fitted, labels)
        by_source = score(form.name, own.parameters, both, {"source": [row.source for row in rows]})
        found.append(ScoredForm(form, fitted, replace(own, schemes=own.schemes + by_source.schemes)))
    return tuple(found)


def points(form: LookupForm, rows: Sequence[Lookup]) -> tuple[Problem, ...]:
    """The form against the rows, for each number of free slots and each size of what it may miss."""
    slots, entries, own = (
        np.array([getattr(row, name) for row in rows], dtype=float) for name in ("slots", "entries", "sd")
    )
    searches, target = [row.search for row in rows], np.log([row.cycles for row in rows])
    models = {free: model(form, searches, _symbols(slots, entries, free)) for free in dict.fromkeys(_free(form))}
    return tuple(
        Problem(values, target, np.hypot(own, miss), prior_variance(form))
        for values in models.values()
        for miss in MISSES
    )


def _free(form: LookupForm) -> list[float]:
    """Free slots of every point of the grid."""
    return [free for free in (FREE_SLOTS if form.counts_free_slots else (0.0,)) for _ in MISSES]


def _log_prior(form: LookupForm) -> list[float]:
    if not form.counts_free_slots:
        return []
    return [-0.5 * (math.log(free / FREE.median) / FREE.log_sd) ** 2 for free in _free(form)]


def _symbols(slots: Array, entries: Array, free: float) -> Array:
    """ROW_SYMBOLS of rows, (rows, 4)."""
    return np.column_stack([slots, entries, 1.0 * (slots < SMALL), np.full(len(slots), free)])
