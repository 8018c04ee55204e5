"""What a person reads, held against kept texts; `make golden` writes them anew.

Numbers are made up, so that a better fit changes no text.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmiocost.cli.text import breakeven_text, prediction_text
from mmiocost.whatif.breakeven import BreakEven, Crossing
from mmiocost.whatif.predict import Prediction, Width

KEPT = Path(__file__).parent / "golden"

SAVING = Prediction(
    "saving:fast_mmio", 588.4, 408.2, 813.1, "cycle", 0.95, "new_machine", "population", False, (),
    ("slot_compare", "slot_search"), ("somewhere2011",), Width("the kind of exit", 0.38), 0.9741, (), "0123",
)  # fmt: skip
COST = replace(
    SAVING, quantity="cost:v517.any.hypercall", value=3478.0, low=3449.0, high=3508.0, interval="known_machine",
    machine="skylake-8160/a-6.8-off-host", prior_bounded=(), widest=None,
)  # fmt: skip
EVEN = BreakEven(
    "true_fault_fraction", "1", ("no-bypass", "bypass"), (0.0, 1.0), "crosses",
    (Crossing(0.0491, 0.0112, 0.171, "no-bypass", "bypass"),), "theta_x/theta_y",
    {"crosses": 0.981, "always": 0.0, "never": 0.019}, ("prefetch_pte_scan",), "population", "new_machine", "0123",
)  # fmt: skip
TEXTS: dict[str, tuple[Callable[[Any], str], Any]] = {
    "saving": (prediction_text, SAVING),
    "cost": (prediction_text, COST),
    "measurement": (prediction_text, replace(COST, interval="new_measurement", unit="ns", notes=("ns at 2.1e+09 Hz",))),
    "negative": (prediction_text, replace(SAVING, value=-12.0, low=-700.0, high=650.0, probability_positive=0.48)),
    "extrapolated": (prediction_text, replace(SAVING, extrapolates=True, outside=("slots", "guest_levels"))),
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
