"""The library of named scenarios: the two answers for each, its further questions, and where its values are from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ...vocabulary import MIX_SYMBOLS, SYMBOLS
from ...whatif.library import names
from ...whatif.predict import Prediction, Predictor
from ...whatif.scenario import Scenario, read_scenario
from ...whatif.terms import REGRESSION, SAVING
from ..display import Table, table
from ..meaning import meaning_text
from ..numbers import quantity_text
from .frames import MISSING, cell

Folders = Sequence[str]


def scenario_answers(evidence: Folders = ()) -> Iterator[Table]:
    """What fast MMIO saves and where bypass_guest_pf regresses in each scenario; then the questions of its own."""
    import pandas as pd

    ask = Predictor([Path(folder) for folder in evidence])
    library = [read_scenario(file=name) for name in names()]
    columns = ["scenario", "fast MMIO saves per access", "which means", "bypass_guest_pf costs per second"]
    rows = [_both(ask, scenario) for scenario in library]
    yield table(pd.DataFrame(rows, columns=columns), "Both answers for every scenario of the library")
    columns = ["scenario", "question", "answer", "beyond the evidence in"]
    further = [
        (scenario.name, question, cell(found, found.unit), ", ".join(found.outside) or MISSING)
        for scenario in library
        for question in scenario.questions
        if question not in (SAVING, REGRESSION)
        for found in [ask(question, scenario)]
    ]
    yield table(pd.DataFrame(further, columns=columns), "What else each scenario is about")


def _both(ask: Predictor, scenario: Scenario) -> tuple[str, str, str, str]:
    saving = ask(SAVING, scenario)
    return scenario.name, cell(saving), meaning_text(saving), _regression(ask, scenario)


def _regression(ask: Predictor, scenario: Scenario) -> str:
    """Cycles a second; the switch exists under shadow paging alone."""
    if scenario.mode != "shadow":
        return "off: the host does not use shadow paging"
    found: Prediction = ask(REGRESSION, scenario)
    return cell(found, found.unit)


def scenario_values() -> Table:
    """Every value of every scenario with the row, source or kernel limit that it is from, or as an assumption."""
    import pandas as pd

    units = {symbol.name: symbol.unit for symbol in SYMBOLS} | {symbol.name: symbol.unit for symbol in MIX_SYMBOLS}
    rows = []
    for scenario in (read_scenario(file=name) for name in names()):
        values = {**scenario.counts, **scenario.mix}
        for symbol, source in scenario.sources.items():
            rows.append((scenario.name, symbol, quantity_text(values[symbol], unit=units[symbol]), source))
    columns = ["scenario", "symbol", "value", "where it is from"]
    return table(pd.DataFrame(rows, columns=columns), "The values of the library and their sources")
