"""The break-even as a symbolic expression, where the cost difference is linear in the variable.

SymPy is loaded only the first time that a question is asked; the text is kept under a hash of its sources.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..cache import cache_dir, content_hash, files_hash, write_atomically
from .scenario import Scenario
from .terms import design_terms

_NONE = "-"


def closed_form(variable: str, between: tuple[str, str], scenario: Scenario) -> str | None:
    """Value of the variable at which the designs cost the same, in costs theta_EVENT, for this scenario.

    None where the difference is not linear in the variable, or does not contain it.
    """
    package = Path(__file__).parent.parent
    code = [files_hash((package / room).glob("*.py")) for room in ("vocabulary", "equations", "whatif")]
    values = {**design_terms(between[0], scenario)[1], **design_terms(between[1], scenario)[1]}
    values.pop(variable, None)
    key = content_hash(variable, *between, scenario.mode, scenario.after, repr(sorted(values.items())), *code)
    place = cache_dir() / f"closed-form-{key[:24]}.txt"
    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = _solved(variable, between, scenario, values) or _NONE
        with contextlib.suppress(OSError):
            write_atomically(place, text)
    return None if text == _NONE else text


def _solved(variable: str, between: tuple[str, str], scenario: Scenario, values: Mapping[str, Any]) -> str | None:
    from sympy import nsimplify

    from ..equations.payoff import linear_root
    from ..equations.symbols import symbol

    expression = _difference(between, scenario)
    fixed = {item: nsimplify(values[item.name]) for item in expression.free_symbols if item.name in values}
    try:
        return str(linear_root(expression.subs(fixed), symbol(variable)))
    except ValueError:
        return None


def _difference(between: tuple[str, str], scenario: Scenario) -> Any:
    from ..equations.paths import cost

    left, right = (cost(_terms(design, scenario)) for design in between)
    return left - right


def _terms(design: str, scenario: Scenario) -> dict[str, Any]:
    from ..equations import payoff
    from ..equations.paths import terms

    if design == "before":
        return payoff.before_terms(scenario.mode, scenario.after)
    if design == "after":
        before = payoff.before_terms(scenario.mode, scenario.after)
        saved = payoff.saving(scenario.mode, scenario.after)
        names = dict.fromkeys([*before, *saved])
        return {name: before.get(name, 0) - saved.get(name, 0) for name in names}
    if design == "bypass":
        return payoff.regression()
    if design == "no-bypass":
        return {}
    path = f"unified.{scenario.mode}.access" if design == "unified" else design
    return terms(path)
