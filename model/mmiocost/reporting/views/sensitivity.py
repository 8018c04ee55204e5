"""What makes a quantity vary, and what to measure next: indices, ranked measurements, the check of the ranking."""

from __future__ import annotations

from collections.abc import Iterator

from ...whatif.decision import HOSTS
from ...whatif.next_measurement import Candidate, Plan, plan
from ...whatif.plan_result import PlanStudy, mean_of, read_checked
from ...whatif.scenario import Scenario
from ...whatif.sensitivity import Index, sensitivity
from .. import charts_sensitivity
from ..display import Figure, Table, figure, table
from ..numbers import percent, quantity_text, shown_unit
from .what_if import Document, Folders, about, asked_scenario, folders, under_shadow_paging

QUESTIONS = ("fast-mmio", "bypass-guest-pf", "unified-loop")
FIRST, TOTAL = "alone (first-order)", "with interactions (total)"
BARS = 10  # inputs that are drawn; the table behind has them all
LINES = 8  # measurements that a table lists


def sensitivity_figure(scenario: Document, evidence: Folders = (), quantity: str = "saving:fast_mmio") -> Figure:
    """Which symbols and costs the variance of a quantity comes from; what the scenario sets stays put."""
    import pandas as pd

    asked = asked_scenario(scenario)
    found = sensitivity(quantity, asked, evidence=folders(evidence))
    rows = [
        {"input": item.name, "over": _span(item), "index": kind, "value": value, "low": low, "high": high}
        for item in found.indices
        for kind, value, low, high in (
            (FIRST, item.first, item.first_low, item.first_high),
            (TOTAL, item.total, item.total_low, item.total_high),
        )
    ]
    whole = pd.DataFrame(rows)
    first = found.indices[0]
    total = quantity_text(first.total, first.total_low, first.total_high)
    see = (
        f"{first.name} makes most of the variance: its total index is {total}. Where the two bars of an input differ,"
        f" it acts together with others. {' '.join(f'{note[:1].upper()}{note[1:]}.' for note in found.notes)}"
    )
    chart = charts_sensitivity.index_bars(whole[whole["input"].isin([item.name for item in found.indices[:BARS]])])
    return figure(chart, title=f"Sobol indices of {quantity}, {about(asked)}", see=see, data=whole)


def _span(item: Index) -> str:
    if item.range is None:
        return "the draws of the fit"
    low, high = (quantity_text(float(end)) for end in item.range)
    unit = "" if item.unit == "1" else f" {shown_unit(item.unit)}"
    return f"{low} to {high}{unit}{', logarithmic' if item.scale == 'log' else ''}"


def plan_tables(scenario: Document, evidence: Folders = ()) -> Iterator[Table]:
    """The measurements worth most for each question; facts that the scenario does not set are unknown."""
    asked = asked_scenario(scenario)
    for question in QUESTIONS:
        setting = under_shadow_paging(asked) if question == "bypass-guest-pf" else asked
        yield _plan_table(plan(question, setting, evidence=folders(evidence)), setting)


def _plan_table(found: Plan, asked: Scenario) -> Table:
    import pandas as pd

    worth = [item for item in found.candidates if item.expected_narrowing > 0] or list(found.candidates[:3])
    rows = [
        (f"{item.measurement}, on {HOSTS[item.machine]}", _taken(item, found), percent(round(item.width_left, 2)),
         item.meaning, item.recipe)
        for item in worth[:LINES]
    ]  # fmt: skip
    columns = ["measurement, best first", "takes away", "of the width stays", "what is measured", "how"]
    return table(pd.DataFrame(rows, columns=columns), _caption(found, asked))


def _taken(item: Candidate, found: Plan) -> str:
    return quantity_text(item.expected_narrowing, item.narrowing_low, item.narrowing_high, found.unit)


def _caption(found: Plan, asked: Scenario) -> str:
    regret = quantity_text(found.expected_regret_now, found.regret_low, found.regret_high, found.unit)
    unknown = f"; unknown: {', '.join(found.open_facts)}" if found.open_facts else ""
    return (
        f"What to measure next for {found.question} ({about(asked)}{unknown}). By present knowledge '{found.choice}' is"
        f" the better of {' and '.join(found.designs)} in {percent(round(found.probability, 3))} of the draws; the"
        f" expected regret is {regret}"
    )


def plan_check_table() -> Table:
    """Mean regret in simulations after the measurement that ranks first, a random one and the last."""
    import pandas as pd

    kept = read_checked()
    rows = [row for item in kept.studies for row in _check_rows(item)]
    count = len(kept.studies[0].now)
    caption = f"Decisions after simulated measurements and real refits, {count} replicates each, made {kept.made[:10]}"
    columns = ["decision", "after", "mean regret", "more than after the best, 95 % interval"]
    return table(pd.DataFrame(rows, columns=columns), caption)


def _check_rows(item: PlanStudy) -> list[tuple[str, str, str, str]]:
    lines = (
        ("no measurement", item.now),
        (f"{item.best} (ranks first)", item.after_best),
        ("one at random", item.after_random),
        (f"{item.last} (ranks last)", item.after_last),
    )
    rows = []
    for label, regrets in lines:
        fall = item.fall(regrets)
        mean = mean_of(regrets)
        more = "" if regrets is item.after_best else quantity_text(fall.mean, fall.low, fall.high, item.unit)
        rows.append((item.question, label, quantity_text(mean.mean, mean.low, mean.high, item.unit), more))
    return rows
