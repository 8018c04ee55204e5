"""Cost parameters: the events of the vocabulary, a compare out of the cache, mitigations split by setting.

Log costs are what is fitted, so that no cost is negative and errors are factors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..evidence import Evidence, Prior
from ..vocabulary import COLD_COMPARE, FREE, event_names

ANCHOR = "vm_exit_instruction"

# Which settings of a host's state weigh on which event of a path (model/statistics.md).
SETTINGS: dict[str, tuple[str, ...]] = {
    "exit_mitigation": ("spectre", "other"),
    "userspace_mitigation": ("vmscape", "spectre", "other"),
    "emulation_mitigation": ("vmscape", "spectre", "other"),
}
NESTED = "nested"  # what a machine is, and no setting that makes a state
# Settings outside the host's mitigations, with the event that each weighs on; that of the anchor is any exit.
ON_EVENT: dict[str, tuple[str, ...]] = {ANCHOR: ("guest", "vcpu_pmu", NESTED), "userspace_exit": (NESTED,)}
INDICATORS = ("exit_mitigated", "userspace_mitigated", "emulation_mitigated")


def parameter_names() -> tuple[str, ...]:
    """All cost parameters in a fixed order."""
    plain = [name for name in event_names() if name not in SETTINGS and name != FREE]
    split = [f"{event}:{setting}" for event, settings in SETTINGS.items() for setting in settings]
    ridden = (f"{event}:{setting}" for event, settings in ON_EVENT.items() for setting in settings)
    return (*plain, COLD_COMPARE, *split, *ridden)


def is_relative(prior: Prior) -> bool:
    """Whether a parameter is a factor on the anchor: the other kinds of exit."""
    return prior.unit == ANCHOR


def is_setting(parameter: str) -> bool:
    """Whether a cost is that of a setting which makes the state."""
    _, _, setting = parameter.partition(":")
    return bool(setting) and setting != NESTED


def parameter_counts(terms: Mapping[str, Any], settings: Mapping[str, int] | None) -> dict[str, Any]:
    """Occurrences of each parameter from those of each event.

    ``settings`` are those of the machine's state; None means that the scenario's own indicators decide, and
    that an indicator of 1 stands for all settings of the host.
    """
    found: dict[str, Any] = {}
    for name, count in terms.items():
        if name in SETTINGS:
            for setting in SETTINGS[name]:
                found[f"{name}:{setting}"] = count * (1 if settings is None else settings.get(setting, 0))
        elif name != FREE:
            found[name] = count
    exits = sum(count for name, count in terms.items() if name.startswith("vm_exit_"))
    for event, ridden in ON_EVENT.items():
        for setting in ridden:
            count = exits if event == ANCHOR else terms.get(event, 0)
            found[f"{event}:{setting}"] = count * (settings or {}).get(setting, 0)
    return {name: count for name, count in found.items() if _occurs(count)}


def _occurs(count: Any) -> bool:
    return bool((count != 0).any()) if hasattr(count, "any") else count != 0


def check_priors(evidence: Evidence) -> None:
    """Every parameter has a prior and every prior a parameter. Raises InvalidInput that names the odd ones."""
    from ..errors import InvalidInput, Problem

    names, priors = set(parameter_names()), set(evidence.priors)
    problems = [Problem("data/priors.csv", name, "", "has no prior") for name in sorted(names - priors)]
    problems += [Problem("data/priors.csv", name, "", "is no parameter") for name in sorted(priors - names)]
    if problems:
        raise InvalidInput(problems)
