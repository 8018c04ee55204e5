"""All expressions that are lowered, by the name under which the other rooms ask for them."""

from __future__ import annotations

from typing import Any

from ..vocabulary import GENERATIONS, PATHS
from . import generation_wrap, payoff, unified_loop
from .paths import terms


def all_expressions() -> dict[str, dict[str, Any]]:
    """Kernel name → named expressions. Terms are by cost parameter, plain formulas have one value."""
    found = {path.name: terms(path.name) for path in PATHS}
    for mode, after in payoff.designs():
        found[f"gain_of_hit:{mode}:{after}"] = payoff.gain_of_hit(mode, after)
        found[f"loss_of_refill:{mode}:{after}"] = payoff.loss_of_refill(mode, after)
        found[f"saving:{mode}:{after}"] = payoff.saving(mode, after)
        found[f"before:{mode}:{after}"] = payoff.before_terms(mode, after)
    for item in GENERATIONS[1:]:
        found[f"hit_fraction:{item.id}"] = {"value": payoff.hit_fraction(item.id)}
        if item.since("v311"):
            found[f"generation_wraps:{item.id}"] = {"value": generation_wrap.wraps_per_second(item.id)}
            found[f"generation_wrap:{item.id}"] = generation_wrap.wrap_terms(item.id)
    found["regression"] = payoff.regression()
    found["unified_trusting"] = payoff.unified_trusting()
    found["unified_checks"] = payoff.unified_checks()
    found["fault_saved"] = payoff.fault_saved()
    found["fill_paid"] = payoff.fill_paid()
    found["check_paid"] = payoff.check_paid()
    found["unsync_paid"] = payoff.unsync_paid()
    found["speedup"] = {"value": payoff.speedup()}
    found["break_even_hit_fraction"] = {"value": payoff.break_even_hit_fraction()}
    found["break_even_update_rate"] = {"value": payoff.break_even_update_rate()}
    found["expected_retries"] = {"value": unified_loop.expected_retries()}
    return found
