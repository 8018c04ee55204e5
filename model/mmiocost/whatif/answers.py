"""The answers that a report opens with, as plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AnswerRow:
    """One number of an answer. ``low`` or ``high`` is None where the interval is open on that side."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Answer:
    """One question answered: a sentence, the numbers behind it, what they rest on and what limits them.

    ``interval`` is the kind of every interval in ``rows`` (known_machine, new_machine or new_measurement) and
    ``notebook`` the name of the notebook that gives the reasons.
    """

    key: str
    question: str
    sentence: str
    rows: tuple[AnswerRow, ...]
    interval: str
    widest: str
    prior_bounded: tuple[str, ...]
    sources: tuple[str, ...]
    notebook: str
