"""Costs of a scenario as occurrences of cost parameters: what the equations give once symbols have values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..equations.lowering import kernel
from ..errors import InvalidInput, nearest_name
from ..fitting.fit import Fit
from ..fitting.parameters import SETTINGS, parameter_counts
from ..vocabulary import MIX_SYMBOLS, generation, path_named, resolve
from .scenario import Scenario

DESIGNS = ("before", "after", "unified", "bypass", "no-bypass")
SAVING, SPEEDUP, REGRESSION = "saving:fast_mmio", "speedup:fast_mmio", "regression:bypass_guest_pf"
_FIRST_WITH_ENTRIES = "v31"


def full_scenario(path: str, scenario: Scenario, **values: Any) -> dict[str, Any]:
    """All symbols of a path with their values, means and rates among them; ``values`` override.

    Raises InvalidInput for a value outside its domain on that path.
    """
    found: dict[str, Any] = {**resolve(path, scenario.counts, "--set")}
    found.update({symbol.name: symbol.default for symbol in MIX_SYMBOLS if symbol.default is not None})
    found.update(scenario.mix)
    if "userspace_fraction" in scenario.mix:
        found["userspace"] = scenario.mix["userspace_fraction"]
    found.update(values)
    found.setdefault("generation_rate", found["zapping_rate"])
    if "mmio_cached" not in scenario.counts and "mmio_cached" not in values:
        found["mmio_cached"] = 1 / found["mmio_pages"]
    if found["unlink_rate"] and "retries" not in {**scenario.counts, **values}:
        found["retries"] = kernel("expected_retries")(found)["value"]
    return found


def check_after(scenario: Scenario) -> None:
    """Refuse a pair of generations or a mode in which fast MMIO can't be asked about."""
    if scenario.before != "v30":
        raise InvalidInput.one("", "before", scenario.before, "must be v30, the kernel before the series")
    if scenario.after == "v30":
        raise InvalidInput.one("", "after", "v30", "must be a generation with MMIO sptes: v31 or later")
    modes = [mode for mode in ("ept", "shadow", "nonpaging") if _covers(mode, scenario.after)]
    if scenario.mode not in modes:
        allowed = f"must be one of {', '.join(modes)} with after={scenario.after}"
        raise InvalidInput.one("", "mode", scenario.mode, allowed)


def _covers(mode: str, after: str) -> bool:
    try:
        kernel(f"saving:{mode}:{after}")
    except KeyError:
        return False
    return True


def hit_path(scenario: Scenario) -> str:
    """The path of a hit after the change, whose domains a question about fast MMIO is held against."""
    return f"{scenario.after}.{scenario.mode}.mmio_hit"


def with_hit_fraction(scenario: Scenario, values: dict[str, Any]) -> dict[str, Any]:
    """The scenario with its hit fraction, derived from the update rates unless set."""
    if "hit_fraction" not in values:
        values["hit_fraction"] = kernel(f"hit_fraction:{scenario.after}")(values)["value"]
    return values


def remarks(scenario: Scenario) -> tuple[str, ...]:
    """What a user should know of a scenario that is admissible but may not mean what it seems to."""
    mute = "generation_rate" in scenario.mix and "zapping_rate" not in scenario.mix
    if mute and not generation(scenario.after).since("v311"):
        return (
            f"generation_rate has no effect with after={scenario.after}: before 3.11 only updates that zap spoil"
            f" entries; set zapping_rate",
        )
    return ()


def quantity_terms(quantity: str, scenario: Scenario, **values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Occurrences of each event in a quantity, and the scenario behind them.

    The quantity is ``cost:PATH``, ``saving:fast_mmio`` (per access) or ``regression:bypass_guest_pf`` (per
    second). Raises InvalidInput for an unknown one.
    """
    if quantity.startswith("cost:"):
        path = path_named(quantity.removeprefix("cost:"), "quantity").name
        full = full_scenario(path, scenario, **values)
        return kernel(path)(full), full
    if quantity in (SAVING, SPEEDUP):
        check_after(scenario)
        full = with_hit_fraction(scenario, full_scenario(hit_path(scenario), scenario, **values))
        return kernel(f"saving:{scenario.mode}:{scenario.after}")(full), full
    if quantity == REGRESSION:
        return _regression(scenario, values)
    known = (SAVING, SPEEDUP, REGRESSION, "cost:PATH")
    nearest = nearest_name(quantity, known[:3])
    raise InvalidInput.one("", "quantity", quantity, f"must be one of {', '.join(known)}", nearest)


def _regression(scenario: Scenario, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    full = full_scenario("v30.shadow.guest_fault", scenario, **values)
    if "hit_fraction" not in full:
        full["hit_fraction"] = kernel(f"hit_fraction:{_FIRST_WITH_ENTRIES}")(full)["value"]
    return kernel("regression")(full), full


def design_terms(design: str, scenario: Scenario, **values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Occurrences of each event in one access under a design, in a second for bypass and no-bypass, or on a path.

    Raises InvalidInput for a name that is neither a design nor a path.
    """
    if design == "before":
        check_after(scenario)
        full = full_scenario(hit_path(scenario), scenario, **values)
        return kernel(f"before:{scenario.mode}:{scenario.after}")(full), full
    if design == "after":
        before, _ = design_terms("before", scenario, **values)
        saved, full = quantity_terms(SAVING, scenario, **values)
        return _minus(before, saved), full
    if design == "unified":
        path = f"unified.{scenario.mode}.access"
        full = full_scenario(path, scenario, **values)
        return kernel(path)(full), full
    if design in ("bypass", "no-bypass"):
        found, full = _regression(scenario, values)
        return (found if design == "bypass" else dict.fromkeys(found, 0)), full
    if "." not in design:
        nearest = nearest_name(design, DESIGNS)
        allowed = f"must be a path or one of {', '.join(DESIGNS)}"
        raise InvalidInput.one("--between", "design", design, allowed, nearest)
    return quantity_terms(f"cost:{design}", scenario, **values)


def _minus(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    return {name: left.get(name, 0) - right.get(name, 0) for name in dict.fromkeys([*left, *right])}


def by_parameter(terms: Mapping[str, Any], scenario: Scenario, fit: Fit) -> dict[str, Any]:
    """Occurrences by cost parameter: a known state's settings stand in for the scenario's indicators."""
    machine, state = fit.locate(scenario.machine)
    settings = fit.states.get((machine, state))
    chosen = any(name in scenario.counts for name in ("exit_mitigated", "userspace_mitigated", "emulation_mitigated"))
    return parameter_counts(terms, None if settings is None or chosen else settings)


def indicators(scenario: Scenario, fit: Fit) -> dict[str, int]:
    """Indicators of the host's state, all on for a known state whose settings then decide."""
    known = fit.locate(scenario.machine) in fit.states
    return {} if not known else {f"{event.split('_')[0]}_mitigated": 1 for event in SETTINGS}


def search_kind(path: str) -> str:
    """Kind of slot search of the generation that a path belongs to."""
    return generation(path.split(".")[0]).search
