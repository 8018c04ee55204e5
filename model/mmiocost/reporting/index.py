"""The first page of a site: the answers with their intervals, then pages, machines and sources."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from mmiocost.reporting import html
from mmiocost.reporting.context import SiteContext, Source
from mmiocost.reporting.numbers import quantity_text
from mmiocost.reporting.pages import render
from mmiocost.whatif.answers import Answer

_INTERVALS = {
    "known_machine": "95 % intervals for a machine of the evidence",
    "new_machine": "95 % intervals for a machine not yet measured",
    "new_measurement": "95 % intervals for a new measurement",
}


@dataclass(frozen=True)
class PageLine:
    """One page in the list of the index. ``seconds`` is the time that its notebook took, as text."""

    href: str
    title: str
    status: str
    name: str
    seconds: str | None = None


def index_body(answers: Sequence[Answer], pages: Sequence[PageLine], context: SiteContext) -> str:
    """The index as trusted HTML; everything from answers, notebooks and evidence is escaped."""
    known = {source.id for source in context.sources}
    hrefs = {page.name: page.href for page in pages}
    return render(
        "index.html.j2",
        answers=[_card(answer, hrefs, known) for answer in answers],
        pages=pages,
        machines=_machines(context),
        sources=[_source(source) for source in context.sources],
        context=context,
    )


def _card(answer: Answer, hrefs: dict[str, str], known: set[str]) -> dict[str, Any]:
    return {
        "id": f"answer-{_anchor(answer.key)}",
        "question": answer.question,
        "sentence": answer.sentence,
        "table": Markup(_answer_table(answer)),
        "widest": answer.widest,
        "prior_bounded": answer.prior_bounded,
        "sources": [{"id": f"source-{_anchor(name)}", "name": name, "known": name in known} for name in answer.sources],
        "href": hrefs.get(answer.notebook),
    }


def _answer_table(answer: Answer) -> str:
    rows = [(row.label, quantity_text(row.value, row.low, row.high, row.unit), row.note) for row in answer.rows]
    caption = _INTERVALS.get(answer.interval, "95 % intervals")
    if any(note for *_, note in rows):
        return html.table(["Case", "Value [95 %]", "Note"], rows, caption, kind="answer")
    return html.table(["Case", "Value [95 %]"], [row[:2] for row in rows], caption, kind="answer")


def _machines(context: SiteContext) -> Markup:
    if not context.machines:
        return Markup("")
    rows = [(m.name, m.description, ", ".join(m.states), m.observations) for m in context.machines]
    return Markup(html.table(["Machine", "What it is", "States", "Observations"], rows, "Measured machines"))


def _source(source: Source) -> dict[str, str]:
    return {
        "id": source.id,
        "anchor": f"source-{_anchor(source.id)}",
        "title": source.title,
        "author": source.author,
        "date": source.date,
        "link": source.url if html.is_link(source.url) else "",
    }


def _anchor(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name)
