"""Two reports compared: which answers moved, and what differs in version, code and evidence.

An answer's number has moved where it is shown differently. How far is said by the intervals: "within" the other
report's interval, "outside" it, or "apart", where the two intervals have nothing in common.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from ..whatif.answers import Answer, AnswerRow
from . import html
from .kept_answers import KeptAnswers, KeptSource
from .numbers import quantity_text

_FAR = {
    "within": "within the other's interval",
    "outside": "outside the other's interval",
    "apart": "the intervals do not overlap",
    "added": "not in the other report",
    "removed": "no longer answered",
    "changed": "says something else",
}
#: From how far on a reader has to look: these come first in what is told.
FAR_FIRST = ("apart", "outside", "changed", "added", "removed", "within")


@dataclass(frozen=True)
class Move:
    """One number of an answer that is shown differently: before (None if added) and now (None if removed)."""

    question: str
    label: str
    before: AnswerRow | None
    now: AnswerRow | None
    far: str

    def text(self, *, plain: bool = False) -> tuple[str, str]:
        """Before and now, as shown."""
        return _shown(self.before, plain), _shown(self.now, plain)


@dataclass(frozen=True)
class Comparison:
    """What moved, of how many numbers, and the reasons: one sentence for each thing that differs."""

    before: KeptAnswers
    now: KeptAnswers
    moves: tuple[Move, ...]
    numbers: int
    reasons: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The whole in one sentence."""
        if not self.moves:
            return f"No answer moved: all {self.numbers} numbers are shown as in the other report."
        beyond = sum(move.far in ("outside", "apart") for move in self.moves)
        told = f", {beyond} of them out of the other report's interval" if beyond else ", none out of its interval"
        return f"{len(self.moves)} of {self.numbers} numbers moved{told}."


def compare(before: KeptAnswers, now: KeptAnswers) -> Comparison:
    """What differs between the answers of two reports, and why they may differ."""
    old, new = _rows(before.answers), _rows(now.answers)
    questions = {answer.key: answer.question for answer in (*before.answers, *now.answers)}
    keys = dict.fromkeys([*new, *old])
    moves = [Move(questions[key], label, old.get((key, label)), new.get((key, label)), "") for key, label in keys]
    found = [Move(m.question, m.label, m.before, m.now, far) for m in moves if (far := _far(m.before, m.now))]
    found.sort(key=lambda move: FAR_FIRST.index(move.far))
    return Comparison(before, now, tuple(found), len(keys), _reasons(before, now))


def _rows(answers: Iterable[Answer]) -> dict[tuple[str, str], AnswerRow]:
    return {(answer.key, row.label): row for answer in answers for row in answer.rows}


def _far(before: AnswerRow | None, now: AnswerRow | None) -> str:
    """How far a number moved; empty if it is shown as before."""
    if before is None or now is None:
        return "added" if before is None else "removed"
    if _shown(before, True) == _shown(now, True):
        return ""
    if before.unit != now.unit or before.value is None or now.value is None:
        return "changed"
    (low, high), (new_low, new_high) = _ends(before), _ends(now)
    if new_low > high or new_high < low:
        return "apart"
    return "within" if low <= now.value <= high and new_low <= before.value <= new_high else "outside"


def _ends(row: AnswerRow) -> tuple[float, float]:
    """The interval, open sides at infinity; a number without any is its own."""
    if row.low is None and row.high is None and row.value is not None:
        return row.value, row.value
    return (-math.inf if row.low is None else row.low), (math.inf if row.high is None else row.high)


def _shown(row: AnswerRow | None, plain: bool) -> str:
    if row is None:
        return "-" if plain else "–"
    if row.value is None and row.low is None and row.high is None:
        return row.note or "unknown"
    return quantity_text(row.value, row.low, row.high, row.unit, plain=plain)


def _reasons(before: KeptAnswers, now: KeptAnswers) -> tuple[str, ...]:
    told = []
    if before.version != now.version:
        told.append(f"Version {before.version} then, {now.version} now.")
    if before.code != now.code:
        told.append("The model's code differs.")
    if before.evidence != now.evidence:
        told += _sources(before.sources, now.sources) or ["The evidence differs, but in no source: priors or states."]
    return tuple(told) or ("Version, code and evidence are the same.",)


def _sources(before: Sequence[KeptSource], now: Sequence[KeptSource]) -> list[str]:
    old, new = ({source.id: source for source in sources} for sources in (before, now))
    added = [f"Source added: {_told(new[name])}." for name in new if name not in old]
    removed = [f"Source removed: {_told(old[name])}." for name in old if name not in new]
    changed = [
        f"Source changed: {_told(new[name])}, {old[name].fitted} then."
        for name in new
        if name in old and new[name].hash != old[name].hash
    ]
    return [*added, *removed, *changed]


def _told(source: KeptSource) -> str:
    return f"{source.id} ({source.title}), {source.fitted} rows fitted"


def comparison_text(found: Comparison) -> str:
    """The comparison for a terminal."""
    lines = [f"Compared with the report of {_report(found.before)}:", f"  {found.sentence}"]
    for move in found.moves:
        before, now = move.text(plain=True)
        lines += [f"    {move.label}: {before} -> {now} ({_FAR[move.far]})"]
    return "\n".join([*lines, "  What differs:", *(f"    {reason}" for reason in found.reasons)])


def comparison_html(found: Comparison) -> str:
    """The comparison as the body of a page; everything from either report is escaped."""
    rows = [(move.label, *move.text(), _FAR[move.far], move.question) for move in found.moves]
    columns = ["Case", "Then [95 %]", "Now [95 %]", "How far", "Question"]
    shown = html.table(columns, rows, "Numbers that moved") if rows else ""
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in found.reasons)
    return (
        f'<h1>What moved</h1><p class="lead">Then: the report of {escape(_report(found.before))}. '
        f"Now: {escape(_report(found.now))}.</p><p>{escape(found.sentence)}</p>{shown}"
        f'<h2 id="what-differs">What differs</h2><ul>{reasons}</ul>'
        '<p class="quiet">A number has moved where it is shown differently. With several differences at once it is '
        "not said which of them moved a number: run a report with one of them.</p>"
    )


def comparison_document(found: Comparison) -> dict[str, object]:
    """The comparison for JSON."""
    moves = [
        {
            "question": move.question,
            "case": move.label,
            "far": move.far,
            "before": _json(move.before),
            "now": _json(move.now),
        }
        for move in found.moves
    ]
    then = {"version": found.before.version, "evidence": found.before.evidence, "date": found.before.date}
    return {"then": then, "numbers": found.numbers, "moved": moves, "reasons": list(found.reasons)}


def _json(row: AnswerRow | None) -> dict[str, object] | None:
    return (
        None
        if row is None
        else {"value": row.value, "low": row.low, "high": row.high, "unit": row.unit, "note": row.note}
    )


def _report(kept: KeptAnswers) -> str:
    return f"{kept.date}, version {kept.version}, evidence {kept.evidence[:12]}"
