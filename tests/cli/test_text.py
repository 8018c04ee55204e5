"""What a person reads, held against kept texts; `make golden` writes them anew.

Numbers are made up, so that a better fit changes no text.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmiocost.cli.breakeven import breakeven_text
from mmiocost.cli.maps import map_text
from mmiocost.cli.text import prediction_text
from mmiocost.whatif.breakeven import BreakEven, Crossing
from mmiocost.whatif.maps import Axis, WinningMap
from mmiocost.whatif.predict import Prediction, Width

KEPT = Path(__file__).parent / "golden"

SAVING = Prediction(
    "saving:fast_mmio", 588.4, 408.2, 813.1, "cycle", 0.95, "new_machine", "population", False, (),
    ("slot_compare", "slot_search"), ("somewhere2011",), Width("the kind of exit", 0.38), 0.9741, (), "0123",
    {"slot_compare": 0.31, "slot_search": 0.004}, 0.62,
)  # fmt: skip
COST = replace(
    SAVING, quantity="cost:v517.any.hypercall", value=3478.0, low=3449.0, high=3508.0, interval="known_machine",
    machine="skylake-8160/a-6.8-off-host", prior_bounded=(), prior_bounded_shares={}, assumed_share=0.0, widest=None,
)  # fmt: skip
EVEN = BreakEven(
    "true_fault_fraction", "1", ("no-bypass", "bypass"), (0.0, 1.0), "crosses",
    (Crossing(0.0491, 0.0112, 0.171, "no-bypass", "bypass"),), "theta_x/theta_y",
    {"crosses": 0.981, "always": 0.0, "never": 0.019}, ("prefetch_pte_scan",), "population", "new_machine", "0123",
    {"above": 0.981, "below": 0.0, "several": 0.0}, True, ("theta_y > 0: bypass is cheaper above it",),
)  # fmt: skip
WON = WinningMap(
    Axis("slots", np.array([1.0, 8.0])), Axis("ram_slot", np.array([1.0, 8.0])), ("before", "after"),
    np.array([[[0.4, np.nan], [0.01, 0.02]], [[0.6, np.nan], [0.99, 0.98]]]), np.zeros((1, 2, 2)), "cycle",
    ("slot_compare",), "population", "new_machine", "0123",
)  # fmt: skip
COUNTED = replace(
    EVEN, variable="slots", between=("after", "unified"), range=(1.0, 512.0), closed_form=None, holds=(),
    crossings=(Crossing(13.0, 2, 295, "unified", "after"), Crossing(400.0, None, None, "after", "unified")),
    shares={"crosses": 0.981, "always": 0.0, "never": 0.019}, cases={"above": 0.0, "below": 0.58, "several": 0.401},
)  # fmt: skip
TEXTS: dict[str, tuple[Callable[[Any], str], Any]] = {
    "saving": (prediction_text, SAVING),
    "cost": (prediction_text, COST),
    "measurement": (prediction_text, replace(COST, interval="new_measurement", unit="ns", notes=("ns at 2.1e+09 Hz",))),
    "negative": (prediction_text, replace(SAVING, value=-12.0, low=-700.0, high=650.0, probability_positive=0.48)),
    "extrapolated": (
        prediction_text,
        replace(
            SAVING,
            extrapolates=True,
            outside=("slots", "guest_levels"),
            notes=("slots=509: the evidence on slot_compare covers 13 to 117",),
        ),
    ),
    "speedup": (
        prediction_text,
        replace(SAVING, quantity="speedup:fast_mmio", value=1.0033, low=1.0021, high=1.0053, unit="1"),
    ),
    "crosses": (breakeven_text, EVEN),
    "open": (
        breakeven_text,
        replace(EVEN, crossings=(Crossing(0.56, 0.12, None, "no-bypass", "bypass"),), closed_form=None),
    ),
    "always": (
        breakeven_text,
        replace(EVEN, verdict="always", crossings=(), shares={"crosses": 0.0, "always": 1.0, "never": 0.0}),
    ),
    "never": (
        breakeven_text,
        replace(EVEN, verdict="never", crossings=(), shares={"crosses": 0.0, "always": 0.0, "never": 1.0}),
    ),
    "cannot_tell": (breakeven_text, replace(EVEN, verdict="cannot_tell", crossings=())),
    "several": (breakeven_text, COUNTED),
    "no_effect": (
        breakeven_text,
        replace(
            EVEN,
            verdict="cannot_tell",
            crossings=(),
            closed_form=None,
            holds=(),
            effect=False,
            shares={"crosses": 0.0, "always": 0.85, "never": 0.15},
            cases={"above": 0.0, "below": 0.0, "several": 0.0},
        ),
    ),
    "map": (map_text, WON),
}
COMMANDS: dict[str, tuple[str, ...]] = {
    "next": (),
    "paths": ("paths",),
    "count": ("count", "v31.ept.mmio_hit", "--set", "slots=6", "--set", "ram_slot=2", "--set", "userspace=1"),
    "wrong": (
        "predict",
        "saving:fast_mmio",
        "--set",
        "guest_level=4",
        "--set",
        "generation_rate=3ms",
        "--set",
        "slots",
    ),
}


def held_against(name: str, text: str) -> None:
    """Equal to the kept text; or kept, when new texts are asked for."""
    file = KEPT / f"{name}.txt"
    if os.environ.get("MMIOCOST_UPDATE_GOLDEN"):
        KEPT.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8")


@pytest.mark.parametrize("name", TEXTS)
def test_text_of_an_answer(name: str) -> None:
    say, found = TEXTS[name]
    held_against(name, say(found) + "\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_text_of_a_command(name: str, cli_here: Callable[..., Any]) -> None:
    ran = cli_here(*COMMANDS[name])
    assert (ran.status, ran.out == "") == ((2, True) if name == "wrong" else (0, False))
    held_against(f"command-{name}", ran.out + ran.err)


def test_every_kept_text_is_used() -> None:
    used = {f"{name}.txt" for name in TEXTS} | {f"command-{name}.txt" for name in COMMANDS}
    assert {file.name for file in KEPT.iterdir()} == used
