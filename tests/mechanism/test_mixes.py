"""Expectations over mixes: the machine's counts weighted by their probability equal the closed form, exactly.

Both sides are rational: the machine is run for every combination, the closed form takes the means in their place.
"""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from mmiocost.equations.paths import counts
from mmiocost.equations.payoff import saving
from mmiocost.equations.symbols import symbol
from mmiocost.mechanism import simulate
from mmiocost.vocabulary import COLD_COMPARE, resolve

shares = st.fractions(0, 1, max_denominator=12)
MIXED = ("v30.ept.mmio", "v31.ept.mmio_hit", "v36.shadow.mmio_hit", "v311.nonpaging.mmio_hit", "v414.ept.mmio_hit",
         "v517.ept.mmio_stale", "v517.shadow.mmio_uncached", "unified.shadow.access")  # fmt: skip


def expected_by_machine(path: str, scenario: dict[str, int], means: dict[str, Fraction]) -> dict[str, Fraction]:
    """Mean count of each event when the symbols of ``means`` are 1 with that probability, independently."""
    total: dict[str, Fraction] = {}
    for values in itertools.product((0, 1), repeat=len(means)):
        chosen = dict(zip(means, values, strict=True))
        weight = Fraction(1)
        for name, value in chosen.items():
            weight *= means[name] if value else 1 - means[name]
        for event, count in simulate(path, {**scenario, **chosen}).items():
            total[event] = total.get(event, Fraction(0)) + weight * count
    return {event: mean for event, mean in total.items() if mean}


def expected_in_closed_form(path: str, scenario: dict[str, int], means: dict[str, Fraction]) -> dict[str, Fraction]:
    """The closed form with the means in place of the symbols."""
    exact = {name: sp.Rational(mean.numerator, mean.denominator) for name, mean in means.items()}
    values = {symbol(name): value for name, value in {**resolve(path, scenario), **exact}.items()}
    found = {event: sp.sympify(count).subs(values) for event, count in counts(path).items()}
    return {event: Fraction(int(mean.p), int(mean.q)) for event, mean in found.items() if mean != 0}


@pytest.mark.parametrize("path", MIXED)
@settings(max_examples=12)
@given(user=shares, write=shares, cached=shares, slots=st.integers(1, 40), leaf=st.integers(1, 2))
def test_the_mean_of_a_mix_is_the_closed_form_of_its_means(path, user, write, cached, slots, leaf):
    """u, w and c in any proportion: counts are linear in each, and their product needs independence only."""
    levels = {} if ".nonpaging." in path else {"leaf_level": leaf}
    means = {"userspace": user, "is_write": write, "mmio_cached": cached}
    scenario = {"slots": slots, **levels}
    assert expected_in_closed_form(path, scenario, means) == expected_by_machine(path, scenario, means)


@pytest.mark.parametrize(
    ("mode", "after", "refill"), [("ept", "v31", "mmio_first"), ("shadow", "v31", "mmio_first"),
                                  ("nonpaging", "v31", "mmio_first")],
)  # fmt: skip
@settings(max_examples=20)
@given(hits=shares, slots=st.integers(1, 200), write=st.integers(0, 1), missing=st.integers(0, 1))
def test_a_saving_is_what_the_machine_saves_on_average(mode, after, refill, hits, slots, write, missing):
    """Saving = before - (h hits + (1 - h) refills), event by event, with linear search and bus on both sides."""
    scenario = {"slots": slots, "is_write": write, "missing_levels": missing}
    before = simulate(f"v30.{mode}.mmio", scenario)
    hit, first = simulate(f"{after}.{mode}.mmio_hit", scenario), simulate(f"{after}.{mode}.{refill}", scenario)
    values = {symbol(name): value for name, value in resolve(f"{after}.{mode}.mmio_hit", scenario).items()}
    values |= {symbol("hit_fraction"): sp.Rational(hits.numerator, hits.denominator), symbol("cold_search_fraction"): 0}
    stated = {event: sp.sympify(count).subs(values) for event, count in saving(mode, after).items()}
    for event in {*before, *hit, *first, *stated} - {COLD_COMPARE}:
        mean = before.get(event, 0) - hits * hit.get(event, 0) - (1 - hits) * first.get(event, 0)
        assert stated.get(event, 0) == sp.Rational(mean.numerator, mean.denominator)
