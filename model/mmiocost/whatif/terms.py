"""Costs of a scenario as occurrences of cost parameters: what the equations give once symbols have values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..equations.integer import some
from ..equations.lowering import kernel
from ..errors import InvalidInput, nearest_name
from ..fitting.fit import Fit
from ..fitting.parameters import INDICATORS, NESTED, SETTINGS, parameter_counts
from ..vocabulary import MIX_SYMBOLS, generation, path_named
from .scenario import Scenario, admitted

DESIGNS = ("before", "after", "unified", "bypass", "no-bypass")
SAVING, SPEEDUP, REGRESSION = "saving:fast_mmio", "speedup:fast_mmio", "regression:bypass_guest_pf"
OVERHEAD = "overhead:generation_wrap"
QUANTITIES = (SAVING, SPEEDUP, REGRESSION, OVERHEAD)
_FIRST_WITH_ENTRIES = "v31"
_HOUR = 3600.0


def full_scenario(path: str, scenario: Scenario, **values: Any) -> dict[str, Any]:
    """All symbols of a path with their values, means and rates among them; ``values`` override.

    Raises InvalidInput for a value outside its domain on that path.
    """
    found: dict[str, Any] = {**admitted(path, scenario)}
    found.update({symbol.name: symbol.default for symbol in MIX_SYMBOLS if symbol.default is not None})
    found.update(scenario.mix)
    found.update(values)
    if "userspace_fraction" in found and "userspace" not in values:
        found["userspace"] = found["userspace_fraction"]
    found.setdefault("generation_rate", found["zapping_rate"])
    if "mmio_cached" not in scenario.counts and "mmio_cached" not in values:
        found["mmio_cached"] = 1 / found["mmio_pages"]
    if some(found["unlink_rate"]) and "retries" not in {**scenario.counts, **values}:
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


def remark_on_wraps(scenario: Scenario, full: Mapping[str, Any]) -> str:
    """How often the generation number wraps in a scenario."""
    rate = kernel(f"generation_wraps:{scenario.after}")(full)["value"]
    if not rate:
        return "without memslot updates the generation number never wraps; set generation_rate"
    hours = 1 / rate / _HOUR
    return f"the generation number wraps once in {hours:.3g} hours" + (
        f" ({hours / 24:.3g} days)" if hours > 48 else ""
    )


def quantity_kernel(quantity: str, scenario: Scenario, **values: Any) -> tuple[str, dict[str, Any]]:
    """Name of the kernel that counts what a quantity is made of, and the scenario that it is asked about.

    The quantity is ``cost:PATH``, ``saving:fast_mmio`` or ``speedup:fast_mmio`` (per access),
    ``regression:bypass_guest_pf`` or ``overhead:generation_wrap`` (per second). Means, rates and ``values`` may be
    arrays. Raises InvalidInput for an unknown quantity and for a value outside its domain.
    """
    if quantity.startswith("cost:"):
        path = path_named(quantity.removeprefix("cost:"), "quantity").name
        return path, full_scenario(path, scenario, **values)
    if quantity in (SAVING, SPEEDUP):
        check_after(scenario)
        full = with_hit_fraction(scenario, full_scenario(hit_path(scenario), scenario, **values))
        return f"saving:{scenario.mode}:{scenario.after}", full
    if quantity == REGRESSION:
        full = full_scenario("v30.shadow.guest_fault", scenario, **values)
        if "hit_fraction" not in full:
            full["hit_fraction"] = kernel(f"hit_fraction:{_FIRST_WITH_ENTRIES}")(full)["value"]
        return "regression", full
    if quantity == OVERHEAD:
        if not generation(scenario.after).since("v311"):
            allowed = "must be v311 or later: before 3.11 MMIO sptes hold no generation number"
            raise InvalidInput.one("", "after", scenario.after, allowed)
        return f"generation_wrap:{scenario.after}", full_scenario(f"{scenario.after}.any.hypercall", scenario, **values)
    allowed = f"must be one of {', '.join(QUANTITIES)}, cost:PATH"
    raise InvalidInput.one("", "quantity", quantity, allowed, nearest_name(quantity, QUANTITIES))


def quantity_terms(quantity: str, scenario: Scenario, **values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Occurrences of each event in a quantity, and the scenario behind them; as :func:`quantity_kernel`."""
    name, full = quantity_kernel(quantity, scenario, **values)
    return kernel(name)(full), full


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
        found, full = quantity_terms(REGRESSION, scenario, **values)
        return (found if design == "bypass" else dict.fromkeys(found, 0)), full
    if "." not in design:
        nearest = nearest_name(design, DESIGNS)
        allowed = f"must be a path or one of {', '.join(DESIGNS)}"
        raise InvalidInput.one("--between", "design", design, allowed, nearest)
    return quantity_terms(f"cost:{design}", scenario, **values)


def _minus(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    return {name: left.get(name, 0) - right.get(name, 0) for name in dict.fromkeys([*left, *right])}


def by_parameter(terms: Mapping[str, Any], scenario: Scenario, fit: Fit) -> dict[str, Any]:
    """Occurrences by cost parameter.

    A known state's settings stand in for the scenario's indicators, but for those that the scenario states; what the
    machine is (nested) holds in any state of it.
    """
    machine, state = fit.locate(scenario.machine)
    settings = fit.states.get((machine, state))
    stated = {
        event
        for event, indicator in zip(SETTINGS, INDICATORS, strict=True)
        if settings is None or indicator in scenario.counts
    }
    by_state = {name: count for name, count in terms.items() if name not in stated}
    by_hand = {name: count for name, count in terms.items() if name in stated}
    known = _of_machine(machine, fit) if settings is None else settings
    return {**parameter_counts(by_state, known), **parameter_counts(by_hand, None)}


def _of_machine(machine: str, fit: Fit) -> dict[str, int]:
    """What is known of a machine whose state is not: whether KVM there runs in a guest."""
    nested = [settings.get(NESTED, 0) for (name, _), settings in fit.states.items() if name == machine]
    return {NESTED: min(nested, default=0)}


def indicators(scenario: Scenario, fit: Fit) -> dict[str, int]:
    """Indicators of the host's state that the scenario does not state: on in a known state, whose settings decide."""
    if fit.locate(scenario.machine) not in fit.states:
        return {}
    return {indicator: 1 for indicator in INDICATORS if indicator not in scenario.counts}


def search_kind(name: str) -> str:
    """Kind of slot search behind the counts of a kernel: that of its path's generation, or of the kernel after."""
    last = name.rpartition(":")[2].partition(".")[0]
    return generation("v30" if last == "regression" else last).search
