"""Where bypass_guest_pf regresses: its equation, unit costs, break-even and map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ...equations.lowering import kernel
from ...vocabulary import resolve
from ...whatif.predict import predict
from ...whatif.terms import REGRESSION
from .. import charts
from ..answers import FAULT_RATE, bypass_break_even, bypass_scenario
from ..display import Figure, Formula, Table, figure, formula, table
from ..numbers import estimate_text, percent, quantity_text
from .frames import cell, cost_row, fit_of, winner

Folders = Sequence[str]
FILLS = (0.001, 0.01, 0.05, 0.1, 0.3, 1.0)
LOSES, PAYS = "bypass_guest_pf=0", "bypass_guest_pf=1"  # the setting that is cheaper


def bypass_equation() -> Iterator[Formula]:
    """What one bypassed fault saves, what one filled page and one check cost, and the regression per second."""
    import sympy as sp

    from ...equations import payoff
    from ...equations.notation import equation, in_letters
    from ...equations.paths import cost
    from ...equations.symbols import symbol

    yield formula(equation("fault", cost(payoff.fault_saved())))
    yield formula(equation("fill", cost(payoff.fill_paid())))
    yield formula(equation("check", cost(payoff.check_paid())))
    fault, fill, unsync, check = sp.symbols("fault fill unsync check")
    rate, true, marked = (symbol(name) for name in ("fault_rate", "true_fault_fraction", "notrap_fraction"))
    loss = symbol("fill_rate") * fill + symbol("unsync_rate") * unsync
    loss += rate * (1 - true * marked) * check - rate * true * marked * fault
    yield formula(equation("regression", in_letters(loss)))
    root = payoff.linear_root(loss.subs(true * marked, sp.Symbol("p_nu")), sp.Symbol("p_nu"))
    yield formula(equation("pν_*", in_letters(root)))


def bypass_costs(evidence: Folders = ()) -> Table:
    """Cycles of one bypassed fault, one filled page, one check and one unsync conversion."""
    import pandas as pd

    fit = fit_of(evidence)
    full = {**resolve("v30.shadow.guest_fault", {"slots": 8}), "cold_search_fraction": 0}
    meanings = {
        "fault_saved": "saved by each guest fault that is bypassed: exit, walk, injection",
        "fill_paid": "paid for each indirect shadow page: a whole guest table read",
        "check_paid": "paid by each exiting fault to be told apart from MMIO",
        "unsync_paid": "paid for each page that becomes unsync",
    }
    rows = [(meaning, cell(cost_row(fit, kernel(name)(full), ""))) for name, meaning in meanings.items()]
    return table(pd.DataFrame(rows, columns=["what", "cost"]), "Unit costs of bypass_guest_pf=1, 8 slots, new machine")


def bypass_break_evens(evidence: Folders = ()) -> Table:
    """Bypassed share of the faults below which the switch loses, by shadow pages filled per fault."""
    import pandas as pd

    rows = []
    for fills in FILLS:
        found = bypass_break_even(fills, [Path(folder) for folder in evidence])
        where = found.crossings[0] if found.crossings else None
        text = estimate_text(where.value, where.low, where.high) if where else found.verdict
        rows.append((fills, text, percent(round(found.shares["never"], 3))))
    columns = ["shadow pages filled per fault", "bypassed share below which it loses", "draws in which it never pays"]
    return table(pd.DataFrame(rows, columns=columns), "Break-even of bypass_guest_pf with MMIO sptes beside it")


def bypass_map(evidence: Folders = ()) -> Figure:
    """Who wins over fills per fault and the bypassed share of faults."""
    import pandas as pd

    rows = []
    for fills in FILLS:
        for share in np.round(np.concatenate([[0.0, 0.02, 0.05], np.arange(0.1, 1.01, 0.1)]), 2):
            lost = predict(
                REGRESSION,
                bypass_scenario(fills, true_fault_fraction=float(share)),
                evidence=[Path(folder) for folder in evidence],
            )
            rows.append((fills, float(share), *winner(lost.probability_positive, LOSES, PAYS)))
    frame = pd.DataFrame(rows, columns=["fills_per_fault", "bypassed_share", "winner", "probability"])
    losing = sum(row[2] == LOSES for row in rows)
    see = (
        f"bypass_guest_pf=1 loses where few faults are bypassed or many shadow pages are filled: surely in {losing} of"
        f" {len(rows)} cells, and always in the bottom row, where no fault is bypassed, as on unsync pages."
    )
    chart = charts.breakeven_map(frame, x="fills_per_fault", y="bypassed_share")
    return figure(chart, title="Where bypass_guest_pf regresses", see=see)


def bypass_scenarios(evidence: Folders = ()) -> Table:
    """Cycles a second lost (positive) or gained for a few guests; the rates are assumptions of the scenario."""
    import pandas as pd

    guests = {
        "guest with populated page tables (a network server)": (0.01, 0.02, 1.0),
        "process churn (a build)": (0.05, 0.3, 1.0),
        "process churn, page tables unsync": (0.05, 0.3, 0.0),
        "shadow pages thrash": (1.0, 0.3, 1.0),
    }
    rows = []
    for label, (fills, true, marked) in guests.items():
        scenario = bypass_scenario(fills, true_fault_fraction=true, notrap_fraction=marked)
        found = predict(REGRESSION, scenario, evidence=[Path(folder) for folder in evidence])
        rows.append((label, fills, true, marked, cell(found, "cycle/s"), percent(round(found.probability_positive, 3))))
    columns = [
        "guest",
        "fills per fault",
        "true faults",
        "of these markable",
        f"lost at {quantity_text(FAULT_RATE)} faults/s",
        "draws in which it loses",
    ]
    return table(pd.DataFrame(rows, columns=columns), "What bypass_guest_pf=1 costs or gains")


def bypass_switch_costs(evidence: Folders = ()) -> Table:
    """One switch at run time: all shadow pages torn down, by their number."""
    import pandas as pd

    fit = fit_of(evidence)
    rows = []
    for pages in (10, 100, 1000, 10000):
        full = {**resolve("proto.shadow.bypass_switch", {"shadow_pages": pages}), "cold_search_fraction": 0}
        rows.append((pages, cell(cost_row(fit, kernel("proto.shadow.bypass_switch")(full), ""))))
    frame = pd.DataFrame(rows, columns=["shadow pages", "cost of the switch"])
    return table(frame, "Switching bypass_guest_pf at run time, refill not included")
