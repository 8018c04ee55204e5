"""What a user's own evidence says against the packaged fit, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..evidence import Folders
from ..fitting.conflict import Conflict, conflicts
from ..fitting.score import Scored
from .numbers import quantity_text


def said_first(evidence: Sequence[Path], *, plain: bool = False) -> tuple[str, ...]:
    """What has to be said before any answer that rests on a user's own evidence; nothing without it.

    One sentence for each host, and one where the evidence stands alone; ``plain`` is for a terminal. Raises
    InvalidInput for damaged evidence.
    """
    alone = (f"{note[:1].upper()}{note[1:]}." for note in Folders.of(evidence).notes)
    return (*conflict_sentences(conflicts(evidence), plain=plain), *alone)


def conflict_sentences(found: Iterable[Conflict], *, plain: bool = False) -> tuple[str, ...]:
    """One sentence for each host of the user's, contradictions first."""
    ordered = sorted(found, key=lambda item: not item.outside)
    return tuple(_sentence(item, plain) for item in ordered)


def _sentence(item: Conflict, plain: bool) -> str:
    count = len(item.rows)
    if not item.outside:
        return (
            f"Your host {item.host} agrees with the packaged fit: {count} of {count} rows inside their 95 % interval."
        )
    return (
        f"Your host {item.host} lies outside what the packaged fit predicts in {len(item.outside)} of {count} rows;"
        f" farthest {measured_and_predicted(item.outside[0], plain)}."
    )


def measured_and_predicted(item: Scored, plain: bool = False) -> str:
    """One row: what was measured, what was predicted for which machine."""
    unit = "%" if item.unit == "percent" else item.unit
    measured = quantity_text(item.measured, unit=unit, plain=plain)
    predicted = quantity_text(item.predicted, item.low, item.high, unit, plain=plain)
    place = "a machine not yet measured" if item.machine == "new machine" else item.machine
    return f"{item.quantity}, measured {measured}, predicted {predicted} for {place}"
