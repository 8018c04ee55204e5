"""The page "What if": the questions asked live in the browser, of the printed equations and the draws of the fit.

The page carries the draws of the log costs as float32 in base64, each distinct column once; a float32 keeps a cost
of some thousand cycles to half a millionth of it. All else that the browser needs is in the same block of data.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from ..equations.lowering import kernel, kernel_names
from ..errors import InvalidInput
from ..fitting.fit import POPULATION, Fit
from ..fitting.parameters import ANCHOR, INDICATORS, NESTED, ON_EVENT, SETTINGS
from ..fitting.store import current_fit
from ..vocabulary import FREE
from ..whatif.scenario import Scenario
from ..whatif.terms import REGRESSION, SAVING, quantity_kernel
from .numbers import quantity_text

MOST_SLOTS = 512
_LEVELS = (2, 3, 4, 5)


def kernels_in_page() -> tuple[str, ...]:
    """Names of the kernels that the page evaluates."""
    kinds = ("saving:", "before:", "hit_fraction:")
    return tuple(name for name in kernel_names() if name.startswith(kinds) or name == "regression")


def what_if_body(evidence: Sequence[Path]) -> str:
    """The page as trusted HTML; the data travel as a block that no browser runs."""
    from .pages import render

    data = what_if_data(current_fit(evidence))
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    return render(
        "what_if.html.j2",
        data=Markup(text),
        machines=list(data["places"]),
        modes=list(dict.fromkeys(name.split(":")[0] for name in data["savings"])),
        generations=list(dict.fromkeys(name.split(":")[1] for name in data["savings"])),
        levels=_LEVELS,
        most_slots=MOST_SLOTS,
        draws=quantity_text(data["draws"]),
        columns=quantity_text(len(data["columns"])),
        size=quantity_text(round(len(text) / 1000), unit="kB"),
    )


def what_if_data(fit: Fit) -> dict[str, Any]:
    """What the browser computes with: defaults of the scenarios, settings of the machines, draws of the costs."""
    savings = [name.removeprefix("saving:") for name in kernel_names() if name.startswith("saving:")]
    scenarios = {name: _defaults(SAVING, *name.split(":")) for name in savings}
    scenarios = {name: found for name, found in scenarios.items() if found}
    regression = _defaults(REGRESSION, "shadow", "v31")
    events = {
        name
        for kind in (*(f"{side}:{case}" for case in scenarios for side in ("saving", "before")), "regression")
        for name in kernel(kind).parameters
    }
    places = {name: _place(fit, name) for name in _names(fit)}
    columns, index = _columns(fit, _parameters(events), places)
    return {
        "draws": len(fit.effects), "columns": columns, "index": index, "savings": scenarios, "regression": regression,
        "places": places, "settings": {name: list(found) for name, found in SETTINGS.items()},
        "ridden": {name: list(found) for name, found in ON_EVENT.items()}, "indicators": list(INDICATORS),
        "anchor": ANCHOR, "free": FREE,
    }  # fmt: skip


def _names(fit: Fit) -> list[str]:
    return [POPULATION, *fit.machines(), *("/".join(item) for item in fit.states)]


def _place(fit: Fit, name: str) -> dict[str, Any]:
    """Settings of a machine in a state, or what all its states share; ``known`` says which."""
    machine, state = fit.locate(name)
    settings = fit.states.get((machine, state))
    if settings is not None:
        return {"known": 1, "settings": dict(settings)}
    nested = [found.get(NESTED, 0) for (other, _), found in fit.states.items() if other == machine]
    return {"known": 0, "settings": {NESTED: min(nested, default=0)}}


def _defaults(quantity: str, mode: str, after: str) -> dict[str, dict[str, Any]]:
    """All symbols by the guest's levels, for one slot; those that follow the slots are named beside them."""
    found = {}
    for levels in _LEVELS:
        try:
            one, most = (_full(quantity, mode, after, levels, slots) for slots in (1, MOST_SLOTS))
        except InvalidInput:  # so many levels the kernel has not
            continue
        follow = [name for name in one if one[name] != most[name]]
        assert all(most[name] == MOST_SLOTS and one[name] == 1 for name in follow), follow
        found[str(levels)] = {"values": one, "follow": follow}
    return found


def _full(quantity: str, mode: str, after: str, levels: int, slots: int) -> dict[str, Any]:
    scenario = Scenario(mode=mode, after=after, counts={"slots": slots, "guest_levels": levels})
    full = dict(quantity_kernel(quantity, scenario)[1])
    del full["hit_fraction"]  # derived in the page
    return full


def _parameters(events: set[str]) -> list[str]:
    found = {name for name in events if name not in SETTINGS and name != FREE}
    found |= {f"{name}:{setting}" for name in events & SETTINGS.keys() for setting in SETTINGS[name]}
    found |= {f"{name}:{setting}" for name, ridden in ON_EVENT.items() for setting in ridden}
    return sorted(found)


def _columns(
    fit: Fit, parameters: Sequence[str], places: Mapping[str, Any]
) -> tuple[list[str], dict[str, dict[str, int]]]:
    """Distinct columns of log costs, and for each place and parameter which it is."""
    known: dict[str, int] = {}
    index: dict[str, dict[str, int]] = {}
    for place in places:
        found = np.ascontiguousarray(fit.log_costs(parameters, *fit.locate(place)).T, dtype="<f4")
        texts = [base64.b64encode(column.tobytes()).decode() for column in found]
        index[place] = {name: known.setdefault(text, len(known)) for name, text in zip(parameters, texts, strict=True)}
    return list(known), index
