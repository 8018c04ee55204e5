"""Avi Kivity's unified lockless loop against the two paths: costs, retries, what the sketch leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...equations.lowering import kernel
from ...fitting.intervals import interval
from ...fitting.parameters import parameter_counts
from ...fitting.prediction import weighted_costs
from ...vocabulary import resolve
from ...whatif.scenario import Scenario
from ...whatif.terms import full_scenario
from ..display import Formula, Table, formula, table
from ..numbers import percent, quantity_text
from .frames import cell, fit_of

Folders = Sequence[str]
UNLINK_RATES = (0.0, 1e3, 1e4, 1e5, 3e5)


def unified_equations() -> Iterator[Formula]:
    """Cost of the loop less that of the two-path design, for an MMIO access that finds its entry in step."""
    from ...equations.notation import equation
    from ...equations.paths import cost, terms
    from ...equations.payoff import unified_trusting
    from ...equations.symbols import symbol
    from ...equations.unified_loop import expected_retries

    quiet = {symbol("missing_levels"): 0, symbol("retries"): 0, symbol("is_mmio"): 1, symbol("sync"): 1}
    for name, loop, mode in (
        ("shadow", terms("unified.shadow.access"), "shadow"),
        ("TDP_literal", terms("unified.ept.access"), "ept"),
        ("TDP_trusting", unified_trusting(), "ept"),
    ):
        difference = cost(loop) - cost(terms(f"v31.{mode}.mmio_hit"))
        yield formula(equation(f"loop-two_{name}", difference.subs(quiet).expand()))
    yield formula(equation("E ρ", expected_retries()))


def unified_table(slots: int = 32, evidence: Folders = ()) -> Table:
    """Cycles that the loop costs more (positive) or less than the two paths, for one access on a new machine."""
    import pandas as pd

    fit = fit_of(evidence)
    rows = []
    for label, loop, two in _cases(slots):
        counts = {name: loop.get(name, 0) - two.get(name, 0) for name in dict.fromkeys([*loop, *two])}
        draws = weighted_costs(fit, parameter_counts(counts, None))
        rows.append((label, cell(interval(draws)), percent(round(float((draws < 0).mean()), 3))))
    columns = ["access", "loop less two paths", "draws in which the loop is cheaper"]
    return table(pd.DataFrame(rows, columns=columns), f"The unified loop against the two paths, {slots} slots")


# Label, kernel of the loop with the path whose domains it has, path of the two-path design, values.
_CASES: tuple[tuple[str, str, str, str, Mapping[str, int]], ...] = (
    ("shadow, MMIO in step, vCPU cache hits", "unified.shadow.access", "", "v31.shadow.mmio_hit", {}),
    ("shadow, MMIO in step, vCPU cache misses", "unified.shadow.access", "", "v31.shadow.mmio_hit", {"mmio_cached": 0}),
    ("TDP, MMIO, sync never true (literal reading)", "unified.ept.access", "", "v31.ept.mmio_hit", {}),
    ("TDP, MMIO, an entry found is trusted", "unified.shadow.access", "unified_trusting", "v31.ept.mmio_hit", {}),
)
_RAM = {"sync": 0, "is_mmio": 0}


def _cases(slots: int) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    for label, path, name, two, values in _CASES:
        yield label, kernel(name or path)(_full(path, slots, values)), kernel(two)(_full(two, slots, values))
    loop = kernel("unified.shadow.access")(_full("unified.shadow.access", slots, _RAM))
    left_out = kernel("unified_checks")(_full("unified.shadow.access", slots, _RAM))
    fill = kernel("v31.shadow.ram_fill")(_full("v31.shadow.ram_fill", slots, {}))
    yield "shadow, RAM fault not in step, as sketched", loop, fill
    yield "the same with the walk and checks that the sketch leaves out", _sum(loop, left_out), fill


def _full(path: str, slots: int, values: Mapping[str, int]) -> dict[str, Any]:
    return {**resolve(path, {"slots": slots, **values}), "cold_search_fraction": 0, "retries": 0}


def _sum(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    return {name: left.get(name, 0) + right.get(name, 0) for name in dict.fromkeys([*left, *right])}


def retry_table(evidence: Folders = ()) -> Table:
    """Expected retries and the cost of an access by the rate of unlinks that hit its chain."""
    import pandas as pd

    fit = fit_of(evidence)
    rows = []
    for rate in UNLINK_RATES:
        scenario = Scenario(mode="shadow", mix={"unlink_rate": rate})
        full = full_scenario("unified.shadow.access", scenario)
        counts = parameter_counts(kernel("unified.shadow.access")(full), None)
        expected = kernel("expected_retries")(full)["value"]
        rows.append((quantity_text(rate), quantity_text(expected), cell(interval(weighted_costs(fit, counts)))))
    window = quantity_text(full["build_window"] * 1e6, unit="us")
    columns = ["unlinks a second that hit the chain", "expected retries", "cost of an access"]
    return table(pd.DataFrame(rows, columns=columns), f"Retries of the loop with a build window of {window} (assumed)")
