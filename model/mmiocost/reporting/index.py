"""The first page of a site: the answers with their intervals, then pages, machines and sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from markupsafe import Markup

from mmiocost.reporting import html
from mmiocost.reporting.anchors import Anchors, anchor
from mmiocost.reporting.context import SiteContext, Source
from mmiocost.reporting.made_page import EVIDENCE, WHAT_IF
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
        catalogue=EVIDENCE if EVIDENCE in {page.href for page in pages} else "",
        what_if=WHAT_IF if WHAT_IF in {page.href for page in pages} else "",
        context=context,
    )


def _card(answer: Answer, hrefs: dict[str, str], known: set[str]) -> dict[str, Any]:
    return {
        "id": anchor("answer", answer.key),
        "question": answer.question,
        "sentence": answer.sentence,
        "table": Markup(_answer_table(answer)),
        "widest": answer.widest,
        "prior_bounded": answer.prior_bounded,
        "sources": [{"id": anchor("source", name), "name": name, "known": name in known} for name in answer.sources],
        "href": hrefs.get(answer.notebook),
    }


def _answer_table(answer: Answer) -> str:
    rows = [(row.label, quantity_text(row.value, row.low, row.high, row.unit), row.note) for row in answer.rows]
    caption = _INTERVALS.get(answer.interval, "95 % intervals")
    place = partial(Anchors(), anchor("answer", answer.key))
    if any(note for *_, note in rows):
        return html.table(["Case", "Value [95 %]", "Note"], rows, caption, kind="answer", place=place)
    return html.table(["Case", "Value [95 %]"], [row[:2] for row in rows], caption, kind="answer", place=place)


def _machines(context: SiteContext) -> Markup:
    if not context.machines:
        return Markup("")
    rows = [(m.name, m.description, ", ".join(m.states), m.observations) for m in context.machines]
    return Markup(html.table(["Machine", "What it is", "States", "Observations"], rows, "Measured machines"))


def _source(source: Source) -> dict[str, str]:
    return {
        "id": source.id,
        "anchor": anchor("source", source.id),
        "title": source.title,
        "author": source.author,
        "date": source.date,
        "link": source.url if html.is_link(source.url) else "",
    }
