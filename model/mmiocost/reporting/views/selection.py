"""Model selection: rival forms of the physics with their scores, the rejected ones too, and what the model uses."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...evidence import load
from ...fitting.selection import forms, lookups
from ...fitting.selection.joint import VARIANTS
from ...fitting.selection.kept import Selection, read_selection
from .. import charts
from ..display import Figure, Table, figure, table
from ..numbers import quantity_text
from .ladders import deciding, scored_ladders, used_form
from .score_cells import by_verdict, score_columns, score_numbers, signed, verdict_text

Folders = Sequence[str]
_SCHEMES = ("row", "slot count", "source")
_DRAWN = ("uniform hits, warm", lookups.USED, "first slots free", "power of the count", "last-used slot, one share")


def _lookups(evidence: Folders) -> tuple[tuple[lookups.Lookup, ...], tuple[lookups.ScoredForm, ...]]:
    rows = lookups.lookups(load([Path(folder) for folder in evidence]))
    return rows, lookups.scored_forms(rows)


def lookup_forms() -> Table:
    """Every form of a look-up: cycles of a linear and of a binary one among n slots, and what the form says."""
    import pandas as pd

    rows = [(form.name, _formula(form.linear), _formula(form.binary), form.says) for form in forms.lookup_forms()]
    frame = pd.DataFrame(rows, columns=["form", "linear, cycles", "binary, cycles", "what it says"])
    return table(frame, "Forms of a look-up of any slot")


def _formula(expression: Any) -> str:
    """The expression on one line, in short letters."""
    text = str(expression)
    for name, letter in (("entries", "e"), ("slots", "n"), ("small", "[few]")):
        text = text.replace(name, letter)
    return re.sub(r"log\(([^()]*)\)/log\(2\)", r"log2(\1)", text).replace("**", "^").replace("*", "·")


def lookup_scores(evidence: Folders = ()) -> Table:
    """Every form of the look-ups of 2014 with its scores, and the verdict against the form that the model uses."""
    import pandas as pd

    found = [item.score for item in _lookups(evidence)[1]]
    used = next(item for item in found if item.form == lookups.USED)
    rows = [(item.form, verdict_text(used, item, "row"), *score_numbers(item, _SCHEMES)) for item in found]
    columns = ["form", f"against “{used.form}”", *score_columns(_SCHEMES)]
    return table(pd.DataFrame(rows, columns=columns), "Forms of a memslot look-up, scored on the means of 2014")


def lookup_figure(evidence: Folders = ()) -> Figure:
    """Each look-up predicted with its row left out, against the measured mean, by form."""
    import pandas as pd

    rows, scored = _lookups(evidence)
    places = {row.id: row for row in rows}
    points = []
    for item in (item for item in scored if item.form.name in _DRAWN):
        for fold in item.score.scheme("row").folds:
            row = places[fold.name]
            predicted, side = row.cycles * math.exp(-fold.errors[0]), math.exp(1.96 * item.miss)
            points.append(
                (
                    row.place,
                    item.form.name,
                    row.cycles,
                    predicted,
                    predicted / side,
                    predicted * side,
                    row.cycles / predicted,
                )
            )
    columns = ["label", "form", "measured", "fitted", "low", "high", "ratio"]
    frame = pd.DataFrame(points, columns=columns)
    chart = charts.measured_against_fitted(frame, unit="cycles", group="form")
    errors = {item.form.name: item.score.scheme("row").error for item in scored}
    told = ", ".join(
        f"{name} {_factor(errors[name])}" for name in ("uniform hits, warm", lookups.USED, "first slots free")
    )
    see = f"Typical factor between a look-up and its prediction by the other look-ups: {told}."
    return figure(chart, title="Memslot look-ups, each predicted without its own row", see=see)


def entry_costs(evidence: Folders = ()) -> Table:
    """What each form makes of one entry at the two slot counts, beside what the fit assumes of a warm compare."""
    import pandas as pd

    prior = load([Path(folder) for folder in evidence]).priors["slot_compare"]
    low, high = (prior.median * math.exp(side * 1.96 * prior.log_sd) for side in (-1, 1))
    rows = [
        (item.form.name, *(quantity_text(round(item.entry(slots), 1), unit="cycle") for slots in (13, 117)))
        for item in _lookups(evidence)[1]
    ]
    rows.append(("assumed in the fit, warm", *(quantity_text(prior.median, low, high, "cycle"),) * 2))
    columns = ["form", "one entry among 13 slots", "one entry among 117 slots"]
    return table(pd.DataFrame(rows, columns=columns), "What one more entry costs a linear look-up, by form")


def joint_scores() -> Iterator[Table]:
    """Rivals of the joint fit with rows and sources left out, then source by source: the kept result."""
    import pandas as pd

    found = read_selection()
    used = found.of(VARIANTS[0].name)
    made = f"made {found.made[:10]}" + (f"; {found.why_not_current}" if found.why_not_current else "")
    schemes = ("row", "source")
    rows = [(item.form, verdict_text(used, item, "source"), *score_numbers(item, schemes)) for item in found.scores]
    columns = ["variant", f"against “{used.form}”", *score_columns(schemes)]
    yield table(
        pd.DataFrame(rows, columns=columns),
        f"Rivals of the joint fit; parameters are all effects, held by priors ({made})",
    )
    yield _by_source(found)
    says = pd.DataFrame([(item.name, item.says) for item in VARIANTS], columns=["variant", "what it says"])
    yield table(says, "What the variants of the joint fit say")


def _by_source(found: Selection) -> Table:
    import pandas as pd

    ours = {fold.name: fold.log_density for fold in found.scores[0].scheme("source").folds}
    rows = []
    for name, density in ours.items():
        rivals = ({fold.name: fold for fold in item.scheme("source").folds}[name] for item in found.scores[1:])
        rows.append((name, signed(density), *(signed(fold.log_density - density) for fold in rivals)))
    columns = ["source left out", found.scores[0].form, *(item.form for item in found.scores[1:])]
    caption = "Log density of each left-out source, and how much more a rival gives it: where a verdict comes from"
    return table(pd.DataFrame(rows, columns=columns), caption)


def selection_verdicts(evidence: Folders = ()) -> Table:
    """Every open question: what the model uses, and what the scores say of the others."""
    import pandas as pd

    scored = _lookups(evidence)[1]
    used = next(item.score for item in scored if item.form.name == lookups.USED)
    rows = [
        (question, used.form, by_verdict(used, [s.score for s in scored if s.form.question == question], "row"))
        for question in dict.fromkeys(item.form.question for item in scored)
    ]
    for ladder, grown in scored_ladders():
        mine = next(item.score for item in grown if item.form.name == used_form(ladder))
        told = by_verdict(mine, [item.score for item in grown], deciding(ladder))
        rows.append((f"growth with slots: {ladder.name}", mine.form, told))
    kept = read_selection().scores
    rows.append(("joint fit", kept[0].form, by_verdict(kept[0], kept, "source")))
    columns = ["question", "compared with", "verdict on the others"]
    return table(pd.DataFrame(rows, columns=columns), "What the evidence decides, and what it cannot")


def _factor(error: float) -> str:
    return quantity_text(float(f"{math.exp(error):.2g}"))
