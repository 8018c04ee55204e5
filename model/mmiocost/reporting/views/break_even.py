"""Break-even in every variable of a scenario: tables with verdicts and intervals, and the closed forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...vocabulary import MIX_SYMBOLS, SYMBOLS, MixSymbol, Symbol
from ...whatif.breakeven import BreakEven, breakeven
from ...whatif.closed_form import Solution, solve
from ...whatif.differences import set_to
from ...whatif.ranges import is_whole
from ...whatif.scenario import Scenario
from ..display import Formula, Table, formula, table
from ..numbers import estimate_text, percent, quantity_text, shown_unit
from .frames import MISSING
from .what_if import BYPASS, FAST_MMIO, LABELS, Document, Folders, about, asked_scenario, folders, under_shadow_paging

_VARIABLES: tuple[Symbol | MixSymbol, ...] = (*SYMBOLS, *MIX_SYMBOLS)


def break_even_tables(scenario: Document, evidence: Folders = ()) -> Iterator[Table]:
    """Break-even in every variable that matters, for fast MMIO and for bypass_guest_pf; the others are named."""
    import pandas as pd

    asked = asked_scenario(scenario)
    questions = {
        f"fast MMIO, {about(asked)}": (FAST_MMIO, asked),
        "bypass_guest_pf, shadow paging": (BYPASS, under_shadow_paging(asked)),
    }
    mute = []
    for label, (between, setting) in questions.items():
        found = [breakeven(item.name, between, setting, evidence=folders(evidence)) for item in _VARIABLES]
        yield _table(found, f"Break-even in every variable: {label}")
        mute.append((label, ", ".join(item.variable for item in found if not item.effect)))
    yield table(pd.DataFrame(mute, columns=["question", "variables"]), "Variables that change nothing")


def _table(found: list[BreakEven], caption: str) -> Table:
    import pandas as pd

    second = LABELS[found[0].between[1]]
    columns = ["variable", "range", "verdict", "break-even", "above it", "below it", "throughout", "nowhere"]
    frame = pd.DataFrame([_row(item) for item in found if item.effect], columns=columns)
    return table(frame, f"{caption}; last four columns: draws in which {second} is cheaper there")


def _row(found: BreakEven) -> tuple[str, ...]:
    where = "; ".join(
        f"{estimate_text(item.value, item.low, item.high, found.unit)}: {LABELS[item.cheaper_above]}"
        f" {'from it on' if is_whole(found.variable) else 'above it'}"
        for item in found.crossings
    )
    shares = (found.cases["above"], found.cases["below"], found.shares["always"], found.shares["never"])
    low, high = (quantity_text(end) for end in found.range)
    words = {"crosses": "crosses", "always": "always pays", "never": "never pays", "cannot_tell": "cannot tell"}
    return (
        found.variable, f"{low} to {high}{'' if found.unit == '1' else ' ' + shown_unit(found.unit)}",
        words[found.verdict], where or MISSING, *(percent(round(share, 3)) for share in shares),
    )  # fmt: skip


def break_even_formulas(scenario: Document) -> Iterator[Formula]:
    """The break-even of each variable that has a closed form, in letters; D_hit and D_first stand for costs."""
    asked = asked_scenario(scenario)
    named: dict[str, Any] = {}
    for between, setting in ((FAST_MMIO, asked), (BYPASS, under_shadow_paging(asked))):
        for item in _VARIABLES:
            # Counts only enter the costs of a fault and a fill, whose formulas stand in the notebook of the switch.
            found = None if between == BYPASS and is_whole(item.name) else _solved(item.name, between, setting)
            if found:
                named.update(found.where)
                yield _formula(f"{item.letter}*", found.root)
    for name, cost in named.items():
        yield _formula(name, cost)


def _formula(name: str, expression: Any) -> Formula:
    from ...equations.notation import equation

    return formula(equation(name, expression))


def _solved(variable: str, between: tuple[str, str], scenario: Scenario) -> Solution | None:
    """The closed form at a value of the variable that the designs admit: what it is set to, or its default."""
    value = {**scenario.counts, **scenario.mix}.get(variable)
    at = scenario if value is None else set_to(scenario, variable, value)
    return solve(variable, between, at, in_symbols=True)
