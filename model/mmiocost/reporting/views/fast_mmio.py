"""Where fast MMIO pays off: the saving, its break-even, the map, and what makes the answer wide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ...evidence import load
from ...vocabulary import GENERATIONS
from ...whatif.breakeven import breakeven
from ...whatif.predict import Prediction, predict, widths
from ...whatif.scenario import Scenario
from ...whatif.terms import SAVING, by_parameter, quantity_terms
from .. import charts
from ..answers import SLOTS, SURE
from ..display import Figure, Formula, Table, figure, formula, table
from ..numbers import estimate_text, percent
from .frames import UNDECIDED, cell, changed, cost_row, doubling, fit_of, mixed, winner

Folders = Sequence[str]
CASES: dict[str, Scenario] = {
    "EPT store": Scenario(),
    "EPT load": Scenario(counts={"is_write": 0}),
    "shadow store": Scenario(mode="shadow"),
    "guest paging off, store": Scenario(mode="nonpaging"),
}


def _saving(scenario: Scenario, evidence: Folders) -> Prediction:
    return predict(SAVING, scenario, evidence=[Path(folder) for folder in evidence])


def saving_equations(mode: str = "ept", after: str = "v31") -> Iterator[Formula]:
    """Gain of a hit, loss of a refill, the saving of a mix, and where it breaks even, as they are evaluated."""
    import sympy as sp

    from ...equations import payoff
    from ...equations.notation import equation
    from ...equations.paths import cost

    yield formula(equation("D_hit", cost(payoff.gain_of_hit(mode, after))))
    yield formula(equation("D_first", cost(payoff.loss_of_refill(mode, after))))
    share = sp.Symbol("h")
    yield formula(equation("saving", share * payoff.GAIN_HIT - (1 - share) * payoff.LOSS_FIRST))
    yield formula(equation("h_*", payoff.break_even_hit_fraction()))


def saving_by_slots(evidence: Folders = ()) -> Figure:
    """Saving per access by slots for each kind of access, on a machine not yet measured."""
    import pandas as pd

    rows = []
    for label, scenario in CASES.items():
        for slots in doubling(1, 512):
            found = _saving(changed(scenario, slots=slots), evidence)
            rows.append((slots, label, found.value, found.low, found.high))
    frame = pd.DataFrame(rows, columns=["slots", "access", "value", "low", "high"])
    few = _saving(changed(CASES["EPT store"], slots=8), evidence)
    see = (
        f"Three searches in vain are saved on an EPT store, so the saving grows with the slots; with 8 slots its"
        f" interval {cell(few)} contains 0, because nothing has measured how a misconfiguration exit differs from a"
        f" violation."
    )
    return figure(
        charts.saving_vs_slots(frame, case="access"), title="What an access with a valid MMIO spte saves", see=see
    )


def saving_table(evidence: Folders = ()) -> Table:
    """The same numbers at the slot counts of the argument, with the share of draws above 0."""
    import pandas as pd

    rows = []
    for label, scenario in CASES.items():
        for slots in SLOTS:
            found = _saving(changed(scenario, slots=slots), evidence)
            beyond = ", ".join(found.outside)
            rows.append((label, slots, cell(found), percent(round(found.probability_positive, 3)), beyond))
    columns = ["access", "slots", "saving", "draws above 0", "beyond the evidence in"]
    return table(pd.DataFrame(rows, columns=columns), "Saving per access, 3.1 over 3.0, warm searches, new machine")


def cold_and_warm(slots: int = 32, evidence: Folders = ()) -> Table:
    """The saving of an EPT store by the share of accesses whose first search runs cold, and at the cold bound."""
    import pandas as pd

    scenario = changed(CASES["EPT store"], slots=slots)
    rows = []
    for share in (0.0, 0.5, 1.0):
        found = _saving(mixed(scenario, cold_search_fraction=share), evidence)
        rows.append((percent(share), "as assumed", cell(found)))
    rows.append((percent(1.0), "at its upper bound", cell(_saving_at_bound(slots, evidence))))
    columns = ["first searches that run cold", "cost of a cold compare", "saving"]
    return table(pd.DataFrame(rows, columns=columns), f"Saving of an EPT store with {slots} slots by the caches' state")


def _saving_at_bound(slots: int, evidence: Folders) -> object:
    """The saving when each compare of the first search costs the largest value that the evidence allows."""
    fit = fit_of(evidence)
    scenario = changed(CASES["EPT store"], slots=slots)
    terms, _ = quantity_terms(SAVING, scenario)
    bound = load([Path(folder) for folder in evidence]).assumptions["cold_compare_bound"].value
    warm = {**terms, "slot_compare": terms["slot_compare"] - slots}
    found = cost_row(fit, warm, "")
    extra = slots * bound
    return type(found)(*(None if part is None else part + extra for part in found))


def saving_by_generation(slots: int = 32, evidence: Folders = ()) -> Table:
    """What the MMIO spte saves in each kernel, slot search and bus held as in that kernel."""
    import pandas as pd

    rows = []
    for item in GENERATIONS[1:]:
        found = _saving(changed(Scenario(after=item.id), slots=slots), evidence)
        refill = _saving(mixed(changed(Scenario(after=item.id), slots=slots), hit_fraction=0.0), evidence)
        rows.append((item.kernels, item.search, cell(found), cell(refill)))
    columns = ["kernels", "slot search", "saving of a hit", "saving when every access refills"]
    return table(
        pd.DataFrame(rows, columns=columns), f"EPT store with {slots} slots, over the old path in the same kernel"
    )


def break_even_hits(evidence: Folders = ()) -> Table:
    """Share of hits from which fast MMIO pays, and hits that pay for one refill, by slots."""
    import pandas as pd

    rows = []
    for slots in SLOTS:
        scenario = changed(CASES["EPT store"], slots=slots)
        folders = [Path(folder) for folder in evidence]
        found = breakeven("hit_fraction", ("before", "after"), scenario, over=(0.0, 1.0), evidence=folders)
        at = found.crossings[0] if found.crossings else None
        where = estimate_text(at.value, at.low, at.high) if at else ""
        shares = found.shares
        rows.append(
            (slots, found.verdict, where, *(percent(round(shares[name], 3)) for name in ("crosses", "always", "never")))
        )
    columns = ["slots", "verdict", "hit fraction from which it pays", "draws that cross", "pay always", "pay never"]
    return table(pd.DataFrame(rows, columns=columns), "Break-even hit fraction of an EPT store, 3.1 over 3.0")


def fast_mmio_map(evidence: Folders = ()) -> Figure:
    """Who wins over slots and hit fraction, and where the evidence can't tell."""
    import pandas as pd

    rows = []
    for slots in doubling(1, 512):
        for tenth in range(11):
            scenario = mixed(changed(CASES["EPT store"], slots=slots), hit_fraction=tenth / 10)
            rows.append(
                (
                    slots,
                    tenth / 10,
                    *winner(_saving(scenario, evidence).probability_positive, "fast MMIO", "before the series"),
                )
            )
    frame = pd.DataFrame(rows, columns=["slots", "hit_fraction", "winner", "probability"])
    undecided = sum(row[2] == UNDECIDED for row in rows)
    see = (
        f"With many slots fast MMIO wins at every hit fraction, since even a refill costs less than three searches in"
        f" vain; in {undecided} of {len(rows)} cells fewer than {percent(SURE)} of the draws agree on the sign."
    )
    chart = charts.breakeven_map(frame, x="slots", y="hit_fraction")
    return figure(chart, title="Where fast MMIO pays off: EPT store, 3.1 over 3.0", see=see)


def fast_mmio_widths(slots: int = 32, evidence: Folders = ()) -> Table:
    """What would narrow the saving of an EPT store: the width left if one cost were known."""
    import pandas as pd

    fit = fit_of(evidence)
    scenario = replace(changed(CASES["EPT store"], slots=slots), mix={"cold_search_fraction": 0.5})
    rows = []
    for label, asked in (
        ("warm searches", changed(CASES["EPT store"], slots=slots)),
        ("half of the first searches cold", scenario),
    ):
        terms, _ = quantity_terms(SAVING, asked)
        for item in sorted(widths(fit, by_parameter(terms, asked, fit)), key=lambda width: width.left):
            rows.append((label, item.parameter, percent(round(item.left, 2))))
    frame = pd.DataFrame(rows, columns=["searches", "if this were known", "width that stays"])
    return table(frame, f"What makes the saving of an EPT store with {slots} slots uncertain")
