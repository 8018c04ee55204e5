"""The answers of one scenario as values that a batch collects: name, value, interval, unit."""

from __future__ import annotations

from collections.abc import Iterator

from ...execution.results import Recorded
from ...vocabulary import generation
from ...whatif.breakeven import breakeven
from ...whatif.predict import Predictor
from ...whatif.scenario import Scenario
from ...whatif.terms import OVERHEAD, REGRESSION, SAVING, SPEEDUP
from .. import charts
from ..display import Figure, Table, figure, table
from ..numbers import estimate_text, quantity_text
from .frames import MISSING, changed, doubling
from .what_if import FAST_MMIO, Document, Folders, about, asked_scenario, folders

_SLOTS = "breakeven:slots"


def scenario_results(scenario: Document, evidence: Folders = ()) -> Table:
    """What can be asked of the scenario, answered: a table, whose rows are recorded in the executed notebook."""
    import pandas as pd

    asked = asked_scenario(scenario)
    ask = Predictor(folders(evidence))
    rows, values = [], []
    for quantity in _questions(asked):
        found = ask(quantity, asked)
        values.append(Recorded(quantity, found.value, found.low, found.high, found.unit))
        shown = quantity_text(found.value, found.low, found.high, found.unit)
        rows.append((quantity, shown, ", ".join(found.outside) or MISSING))
    value, told = _break_even(asked, evidence)
    rows.append((_SLOTS, told, MISSING))
    values += [value] if value else []
    frame = pd.DataFrame(rows, columns=["quantity", "value [95 %]", "beyond the evidence in"])
    return table(frame, f"Answers for {asked.name}: {about(asked)}", values)


def scenario_saving(scenario: Document, evidence: Folders = ()) -> Figure:
    """What fast MMIO saves per access of the scenario at every number of slots."""
    import pandas as pd

    asked, ask = asked_scenario(scenario), Predictor(folders(evidence))
    found = {slots: ask(SAVING, changed(asked, slots=slots)) for slots in _slots(asked)}
    rows = [(slots, asked.name, item.value, item.low, item.high) for slots, item in found.items()]
    sure = [slots for slots, item in found.items() if item.low is not None and item.low > 0]
    see = (
        f"Its 95 % interval lies above 0 from {sure[0]} slots on." if sure else "Its 95 % interval holds 0 throughout."
    )
    frame = pd.DataFrame(rows, columns=["slots", "scenario", "value", "low", "high"])
    title = f"What fast MMIO saves per access by slots: {about(asked)}"
    return figure(charts.saving_vs_slots(frame, case="scenario"), title=title, see=see)


def _slots(asked: Scenario) -> tuple[int, ...]:
    """Slot counts that hold the scenario's RAM slot; its own is one of them."""
    first = max(1, asked.counts.get("ram_slot", 1))
    return tuple(sorted({*doubling(first, max(512, first + 1)), asked.counts.get("slots", first)}))


def warm() -> None:
    """Answer for a scenario of each kind, so that a process that is forked later has the fit and the code at hand."""
    for mode in ("ept", "shadow"):
        scenario_results({"mode": mode})._repr_mimebundle_()
        scenario_saving({"mode": mode})._repr_mimebundle_()


def _questions(asked: Scenario) -> Iterator[str]:
    """Quantities that the scenario can be asked, and those that it names itself."""
    can = {
        SAVING: True,
        SPEEDUP: "cycles_per_transaction" in asked.mix,
        REGRESSION: asked.mode == "shadow",
        OVERHEAD: generation(asked.after).since("v311"),
    }
    yield from dict.fromkeys([*(name for name, is_so in can.items() if is_so), *asked.questions])


def _break_even(asked: Scenario, evidence: Folders) -> tuple[Recorded | None, str]:
    """Slots from which on fast MMIO pays off, in words where there is no such number."""
    found = breakeven("slots", FAST_MMIO, asked, evidence=folders(evidence))
    if len(found.crossings) != 1:
        words = {"always": "pays at every number of slots", "never": "pays at none"}
        return None, words.get(found.verdict, "the evidence cannot tell")
    at = found.crossings[0]
    text = estimate_text(at.value, at.low, at.high, found.unit)
    return Recorded(_SLOTS, at.value, at.low, at.high, found.unit), text
