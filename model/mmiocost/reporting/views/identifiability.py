"""Which costs or sums of costs the evidence determines, and what it leaves to the prior."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...fitting.fit import LEVEL
from ...fitting.identifiability import IN_WORDS, WEAK, Identifiability, Verdict, current_identifiability
from ...fitting.parameters import is_relative
from ...fitting.profiles import ONE_SIDED, current_profiles
from ...fitting.store import current_fit
from .. import charts, charts_identifiability
from ..display import Figure, Table, figure, table
from ..identifiability import bound_sentence, spoken_cost, sum_sentence
from ..numbers import percent, quantity_text
from .frames import MISSING, cell

Folders = Sequence[str]
_NORMAL_95 = 1.96
_NAMED = 3  # costs in a cell of a table


def _known(evidence: Folders) -> Identifiability:
    return current_identifiability([Path(folder) for folder in evidence])


def _best(known: Identifiability) -> list[Verdict]:
    """For each cost in a row the verdict of the state that tells most of it, best known first."""
    found = [known.of_cost(cost) for cost in dict.fromkeys(item.cost for item in known.verdicts)]
    order = list(IN_WORDS)
    return sorted((item for item in found if item), key=lambda item: (order.index(item.verdict), item.width_left))


def determined_sums(evidence: Folders = ()) -> Table:
    """Every sum that is known better than its parts, and every cost that is bounded only, each in a sentence."""
    import pandas as pd

    known = _known(evidence)
    said = [sum_sentence(item) for item in known.sums]
    bounded = [item for item in _best(known) if item.verdict == "bounded_above"]
    said += [bound_sentence(item) for item in bounded]
    caption = f"What can't be told apart: {len(known.sums)} sums that are known better than their parts"
    return table(pd.DataFrame({"what the evidence says": said}), caption)


def verdict_table(evidence: Folders = ()) -> Table:
    """For every cost the verdict where most is known of it, and in how many states it stands better or worse."""
    import pandas as pd

    known = _known(evidence)
    rows = []
    for item in _best(known):
        everywhere = [other.verdict for other in known.verdicts if other.cost == item.cost]
        rows.append(
            (
                item.cost,
                IN_WORDS[item.verdict],
                f"{item.machine}/{item.state}",
                _cycles(item),
                percent(round(min(1.0, item.width_left), 3)),
                _neighbours(known, item),
                f"{everywhere.count(item.verdict)} of {len(everywhere)}",
            )
        )
    columns = [
        "cost", "verdict", "where most is known", "cycles", "width left of the prior's", "told only with",
        "states with this verdict",
    ]  # fmt: skip
    return table(pd.DataFrame(rows, columns=columns), "Verdict on every cost that occurs in a row of the fit")


def _cycles(item: Verdict) -> str:
    if item.verdict in ("identified", "not_informed"):
        return cell(item.cycles)
    return quantity_text(None, None, item.cycles.high, "cycle")


def _neighbours(known: Identifiability, item: Verdict) -> str:
    """For a cost in a sum those that pay for it where it rises, most first; else the others of the sum."""
    if not item.sum_of:
        return MISSING
    names = [name for name, _ in known.traded(item)] or [name for name in item.sum_of if name != item.cost]
    return ", ".join([*names[:_NAMED], *(["others"] if len(names) > _NAMED else [])])


def prior_to_posterior(evidence: Folders = ()) -> Figure:
    """The 95 % interval of each cost before and after the rows, in the state where they tell most.

    Without the other kinds of exit, whose prior is a factor on another cost.
    """
    import pandas as pd

    priors = current_fit([Path(folder) for folder in evidence]).priors
    best = [item for item in _best(_known(evidence)) if not is_relative(priors[item.cost])]
    rows: list[tuple[str, str, float, float | None, float | None]] = []
    for item in best:
        prior = priors[item.cost]
        reach = math.exp(_NORMAL_95 * prior.log_sd)
        rows.append(
            (item.cost, "prior of the median machine", prior.median, prior.median / reach, prior.median * reach)
        )
        rows.append((item.cost, "after the rows", *item.cycles))
    frame = pd.DataFrame(rows, columns=["name", "known", "value", "low", "high"])
    narrowed = [item for item in best if item.verdict == "identified"]
    see = (
        f"{len(narrowed)} of {len(best)} costs that occur in rows are identified in some state; {best[0].cost} is"
        f" narrowed most, to {percent(round(best[0].width_left, 3))} of its prior's width. Where both bars are alike,"
        f" the rows said nothing."
    )
    chart = charts.parameter_intervals(frame, unit="cycles", kind="known")
    return figure(chart, title="Each cost before and after the evidence", see=see)


def hidden_map(evidence: Folders = ()) -> Figure:
    """For each cost and state how much of the cost lies in directions that the rows leave to the prior."""
    import pandas as pd

    known = _known(evidence)
    rows = [
        (spoken_cost(item.cost), f"{item.machine}/{item.state}", item.hidden, IN_WORDS[item.verdict])
        for item in known.verdicts
    ]
    frame = pd.DataFrame(rows, columns=["cost", "state", "left_to_the_prior", "verdict"])
    always = [
        cost for cost in dict.fromkeys(frame["cost"]) if frame[frame["cost"] == cost]["left_to_the_prior"].min() > 0.5
    ]
    see = (
        f"A dark cell is a cost that the rows of that state tell; {len(always)} costs are bright wherever they occur,"
        f" {' and '.join(always[:2])} among them, which no"
        f" state tells from their neighbours."
    )
    chart = charts_identifiability.heat_map(
        frame, column="state", row="cost", share="left_to_the_prior", verdict="verdict", columns="Machine and state"
    )
    return figure(chart, title="Null directions: what each state leaves to the prior", see=see)


def singular_values(evidence: Folders = ()) -> Table:
    """Singular values of the share Jacobian of every state, without priors, and how many directions are weak."""
    import pandas as pd

    rows = []
    for item in _known(evidence).spectra:
        strong = [value for value in item.singular if value >= WEAK]
        weak = len(item.singular) - len(strong)
        below = [value for value in item.singular if 1e-9 < value < WEAK]
        shown = ", ".join(quantity_text(float(f"{value:.2g}")) for value in (*strong, *below))
        rows.append((f"{item.machine}/{item.state}", item.rows, len(item.costs), shown, weak))
    columns = ["machine and state", "rows", "costs in them", "singular values above 0", f"directions below {WEAK:g}"]
    return table(pd.DataFrame(rows, columns=columns), "What the rows of each state determine by themselves")


def null_directions(evidence: Folders = ()) -> Table:
    """For each cost that no state tells, what falls when it rises without any row noticing."""
    import pandas as pd

    known = _known(evidence)
    rows = []
    for item in _best(known):
        if item.verdict == "identified":
            continue
        falls = "; ".join(f"{name} by {quantity_text(float(f'{cycles:.2g}'))}" for name, cycles in known.traded(item))
        rows.append((item.cost, f"{item.machine}/{item.state}", falls or MISSING))
    columns = ["where this rises by 1 cycle", "machine and state", "this falls, in cycles"]
    return table(pd.DataFrame(rows, columns=columns), "Null directions: costs that rows let trade places")


def profile_figures(evidence: Folders = ()) -> Iterator[Figure | Table]:
    """Profiles of the costs that are not identified, and the bounds that they give beside those of the draws."""
    import pandas as pd

    known, profiles = _known(evidence), current_profiles([Path(folder) for folder in evidence])
    curves = pd.DataFrame(
        [
            (item.cost, cycles, misfit)
            for item in profiles
            for cycles, misfit in zip(item.cycles, item.misfit, strict=True)
            if misfit <= charts_identifiability.HIGHEST
        ],
        columns=["cost", "cycles", "misfit"],
    )
    see = (
        f"A curve that crosses the line at {ONE_SIDED:g} on the right is bounded above by the rows; on the left it"
        f" falls as slowly as its prior, since the rows would let the cost vanish."
    )
    chart = charts_identifiability.profile_curves(curves, case="cost", bound=ONE_SIDED)
    yield figure(chart, title="How much worse all else fits when a cost is held", see=see)
    rows = []
    for item in profiles:
        drawn = known.of_cost(item.cost)
        high = drawn.cycles.high if drawn else None
        rows.append(
            (
                item.cost,
                f"{item.machine}/{item.state}",
                quantity_text(None, None, item.bound, "cycle"),
                quantity_text(None, None, high, "cycle"),
            )
        )
    columns = ["cost", "machine and state", "bound of the profile, 95 %", f"upper end of the draws, {percent(LEVEL)}"]
    yield table(pd.DataFrame(rows, columns=columns), "Bounds by profile and by draws")
