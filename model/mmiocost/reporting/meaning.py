"""What a prediction means, in words: whether its sign is safe, what its size rests on, what makes it wide."""

from __future__ import annotations

from ..fitting.fit import LEVEL
from ..whatif.predict import Prediction, Width
from .numbers import percent

#: What a draw on either side of no change says, by the kind of quantity.
_SIDES = {
    "saving": ("saves", "costs more"),
    "speedup": ("is faster", "is slower"),
    "regression": ("loses", "gains"),
}
SAFE = 0.5 + LEVEL / 2  # share of the draws on one side: as the interval, that then leaves no change out
LIKELY = 0.9
NO_SINGLE_COST = 0.95  # knowing a cost that leaves more of the width than this hardly helps
HALF = 0.5  # of the width: what makes less of it is not what the size rests on
_NAMED = 0.25  # of the width: a cost that makes so much of it is named beside the first
_EXITS = "what one kind of exit costs more than another"


def meaning_text(found: Prediction, *, plain: bool = False) -> str:
    """One sentence: ``The sign is safe (it saves in 99 % of the draws), the size rests on slot_compare, which ...``"""
    if found.low == found.high:
        return "No event with a cost occurs: the value is exact."
    parts = [part for part in (_sign(found, plain), f"the size rests on {_ground(found)}", _reach(found)) if part]
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _sign(found: Prediction, plain: bool) -> str:
    sides = _SIDES.get(found.quantity.partition(":")[0])
    if sides is None:
        return ""
    positive = found.probability_positive >= 0.5
    share = found.probability_positive if positive else 1 - found.probability_positive
    verdict = "safe" if share >= SAFE else "likely" if share >= LIKELY else "open"
    verb = sides[0] if positive else sides[1]
    return f"the sign is {verdict} (it {verb} in {percent(round(share, 3), plain=plain)} of the draws)"


def _ground(found: Prediction) -> str:
    if found.assumed_share >= HALF:
        return f"{_assumed(found)}, which nothing measures"
    return "how machines differ" if found.machine == "population" else "costs that were measured"


def _assumed(found: Prediction) -> str:
    """The largest of the assumed costs, or two of them; exits differ in pairs, so they are named as one."""
    grouped: dict[str, float] = {}
    for name, share in found.prior_bounded_shares.items():
        label = _EXITS if name.startswith("vm_exit_") else name
        grouped[label] = grouped.get(label, 0.0) + share
    ranked = sorted(grouped, key=lambda label: -grouped[label])
    return " and ".join([label for label in ranked[:2] if grouped[label] >= _NAMED] or ranked[:1])


def _reach(found: Prediction) -> str:
    return f"and it extrapolates in {' and '.join(found.outside)}" if found.outside else ""


def assumed_text(found: Prediction, *, plain: bool = False) -> str:
    """The costs that nothing measures with the share of the width that each makes, the largest first."""
    shares = {name: found.prior_bounded_shares.get(name, 0.0) for name in found.prior_bounded}
    ranked = sorted(shares.items(), key=lambda item: -item[1])
    shown = [f"{name} ({percent(round(share, 2), plain=plain)})" for name, share in ranked if round(share, 2) > 0]
    rest = [name for name, share in ranked if round(share, 2) <= 0]
    if shown and rest:
        return f"{', '.join(shown)}; with less than 1 % each {', '.join(rest)}"
    return ", ".join(shown or rest)


def widest_text(width: Width, *, plain: bool = False) -> str:
    """What makes an interval wide, as part of a sentence."""
    if width.left > NO_SINGLE_COST:
        return "no single cost, but how machines differ and sums whose parts the evidence can't tell apart"
    return f"{width.parameter}; were it known, {percent(round(width.left, 2), plain=plain)} of the width would stay"
