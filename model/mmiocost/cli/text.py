"""A prediction and a break-even as lines for a person."""

from __future__ import annotations

from ..reporting.answers import widest_text
from ..reporting.numbers import estimate_text
from ..whatif.breakeven import BreakEven
from ..whatif.predict import Prediction
from .output import percent, quantity_text

_KIND = {
    "known_machine": "95 % interval of the mean on {machine}",
    "new_machine": "95 % interval of the mean on a machine not yet measured",
    "new_measurement": "95 % interval of one new measurement",
}


def prediction_text(found: Prediction) -> str:
    """Value, interval and its kind, what makes it wide, what is assumed, where it extrapolates."""

    lines = [f"{found.quantity}: {quantity_text(found.value, found.low, found.high, found.unit)}"]
    lines.append(f"  {_KIND[found.interval].format(machine=found.machine)}")
    if found.quantity.startswith(("saving", "speedup", "regression")):
        zero = 1 if found.quantity.startswith("speedup") else 0
        lines.append(f"  {percent(round(found.probability_positive, 3))} of the draws lie above {zero}")
    if found.widest:
        lines.append(f"  widest uncertainty: {widest_text(found.widest, plain=True)}")
    if found.prior_bounded:
        lines.append(f"  measured by nothing, so only assumed: {', '.join(found.prior_bounded)}")
    if found.outside:
        lines.append(f"  extrapolates: beyond the evidence in {', '.join(found.outside)}")
    lines += [f"  {note}" for note in found.notes]
    return "\n".join(lines)


def breakeven_text(found: BreakEven) -> str:
    """Verdict, crossings, how the draws disagree, what is assumed, the closed form."""
    first, second = found.between
    within = f"{found.variable} from {found.range[0]:g} to {found.range[1]:g}"
    said = {
        "always": f"{second} is cheaper than {first} everywhere: {within}",
        "never": f"{second} is nowhere cheaper than {first}: {within}",
        "cannot_tell": f"the evidence cannot tell where {second} and {first} cost the same: {within}",
        "crosses": f"{second} and {first} cost the same at:",
    }
    lines = [said[found.verdict]]
    for item in found.crossings:
        value = estimate_text(item.value, item.low, item.high, found.unit, plain=True)
        lines.append(
            f"  {found.variable} = {value}; below it {item.cheaper_below} is cheaper, above it {item.cheaper_above}"
        )
        if item.low is None or item.high is None:
            side = "lower" if item.low is None else "upper"
            lines.append(f"  open on the {side} side: too many draws have no break-even there")
    shares = found.shares
    lines.append(
        f"  of the draws {percent(shares['crosses'])} cross, in {percent(shares['always'])} {second} is cheaper"
        f" throughout, in {percent(shares['never'])} nowhere"
    )
    if found.prior_bounded:
        lines.append(f"  measured by nothing, so only assumed: {', '.join(found.prior_bounded)}")
    if found.closed_form:
        lines.append(f"  closed form: {found.variable} = {found.closed_form}")
    return "\n".join(lines)
