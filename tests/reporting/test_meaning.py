"""The sentence that a prediction begins with: sign, ground, reach; each word held against the numbers behind it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmiocost.reporting.meaning import assumed_text, meaning_text
from mmiocost.whatif.predict import Prediction, predict
from mmiocost.whatif.scenario import Scenario

MADE = Prediction(
    "saving:fast_mmio", 588.0, 408.0, 813.0, "cycle", 0.95, "new_machine", "population", False, (), ("x", "y", "z"), (),
    None, 0.98, (), "0123", {"x": 0.1, "y": 0.6, "z": 0.001}, 0.8,
)  # fmt: skip


def said(**changes: object) -> str:
    return meaning_text(replace(MADE, **changes), plain=True)  # type: ignore[arg-type]


def test_the_whole_sentence() -> None:
    assert said() == "The sign is safe (it saves in 98 % of the draws), the size rests on y, which nothing measures."


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (1.0, "safe (it saves in 100 %"), (0.975, "safe (it saves"), (0.974, "likely (it saves"), (0.9, "likely"),
        (0.89, "open (it saves in 89 %"), (0.5, "open (it saves"), (0.4, "open (it costs more in 60 %"),
        (0.06, "likely (it costs more in 94 %"), (0.0, "safe (it costs more in 100 %"),
    ],
)  # fmt: skip
def test_the_sign_is_safe_where_the_interval_leaves_no_change_out(share: float, words: str) -> None:
    assert f"The sign is {words}" in said(probability_positive=share)


@pytest.mark.parametrize(
    ("quantity", "words"),
    [("speedup:fast_mmio", "it is faster in"), ("regression:bypass_guest_pf", "it loses in")],
)
def test_each_signed_quantity_has_its_words(quantity: str, words: str) -> None:
    assert words in said(quantity=quantity)


def test_a_cost_has_no_sign() -> None:
    assert said(quantity="cost:v31.ept.mmio_hit") == "The size rests on y, which nothing measures."


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"assumed_share": 0.49}, "the size rests on how machines differ"),
        ({"assumed_share": 0.1, "machine": "skylake-8160"}, "the size rests on costs that were measured"),
        ({"prior_bounded_shares": {"x": 0.3, "y": 0.31, "z": 0.28}}, "rests on y and x, which"),
        ({"prior_bounded_shares": {"x": 0.1, "y": 0.2}}, "rests on y, which"),
        (
            {"prior_bounded_shares": {"vm_exit_a": 0.2, "vm_exit_b": 0.2, "y": 0.3}},
            "rests on what one kind of exit costs more than another and y, which",
        ),
        ({"outside": ("slots",)}, "which nothing measures, and it extrapolates in slots."),
        ({"outside": ("slots", "guest_levels")}, "and it extrapolates in slots and guest_levels."),
    ],
)
def test_the_ground_and_the_reach(changes: dict[str, object], words: str) -> None:
    assert words in said(**changes)


def test_nothing_counted() -> None:
    assert said(value=0.0, low=0.0, high=0.0) == "No event with a cost occurs: the value is exact."


def test_the_assumed_costs_come_with_their_shares_the_largest_first() -> None:
    assert assumed_text(MADE, plain=True) == "y (60 %), x (10 %); with less than 1 % each z"
    assert assumed_text(replace(MADE, prior_bounded_shares={}), plain=True) == "x, y, z"
    assert assumed_text(replace(MADE, prior_bounded=(), prior_bounded_shares={}), plain=True) == ""


def test_the_sentence_of_a_fit_agrees_with_its_interval() -> None:
    """Safe exactly where both ends of the interval lie on one side."""
    for slots in (1, 8, 32, 64, 117, 509):
        found = predict("saving:fast_mmio", Scenario(counts={"slots": slots}))
        assert found.low is not None and found.high is not None
        one_sided = found.low > 0 or found.high < 0
        near_the_edge = abs(found.probability_positive - 0.975) < 0.002  # ends lie between two draws
        assert near_the_edge or ("The sign is safe" in meaning_text(found)) == one_sided
