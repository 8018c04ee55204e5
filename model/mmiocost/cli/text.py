"""A prediction as lines for a person."""

from __future__ import annotations

from ..reporting.meaning import assumed_text, meaning_text, widest_text
from ..whatif.predict import Prediction
from .output import quantity_text

_KIND = {
    "known_machine": "95 % interval of the mean on {machine}",
    "new_machine": "95 % interval of the mean on a machine not yet measured",
    "new_measurement": "95 % interval of one new measurement",
}


def prediction_text(found: Prediction) -> str:
    """What it means in one sentence; value, interval and its kind; what makes it wide, is assumed, extrapolates."""
    lines = [meaning_text(found, plain=True)]
    lines.append(f"{found.quantity}: {quantity_text(found.value, found.low, found.high, found.unit)}")
    lines.append(f"  {_KIND[found.interval].format(machine=found.machine)}")
    if found.widest:
        lines.append(f"  widest uncertainty: {widest_text(found.widest, plain=True)}")
    if found.prior_bounded:
        lines.append(f"  measured by nothing, so only assumed (share of the width): {assumed_text(found, plain=True)}")
    if found.outside:
        lines.append(f"  extrapolates: beyond the evidence in {', '.join(found.outside)}")
    lines += [f"  {note}" for note in found.notes]
    return "\n".join(lines)
