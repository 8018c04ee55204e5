"""What makes an interval wide: how much of its width would be gone were one cost known.

A cost is fixed at its median in every draw and the interval taken again. The kinds of exit differ from the anchor by
a factor: fixed alone, it is that factor that becomes known; as one of the groups below, they are known together,
since a difference of two exits hangs on both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..fitting.design import Array
from ..fitting.fit import LEVEL, Fit
from ..fitting.intervals import quantiles
from ..fitting.parameters import ANCHOR, is_relative

EXIT_KINDS = "the kind of exit"


@dataclass(frozen=True)
class Width:
    """The uncertainty that makes an interval widest: ``left`` of the width would stay if it were known."""

    parameter: str
    left: float


@dataclass(frozen=True)
class Shares:
    """How a width is made up: the ``widest`` group, and the share of it that each assumed cost makes, and all do."""

    widest: Width | None
    assumed: dict[str, float]
    together: float


class Draws:
    """Draws of the costs on one machine, each looked up once."""

    def __init__(self, fit: Fit, machine: str = "", state: str = "") -> None:
        self._fit, self._place = fit, (machine, state)
        self._costs: dict[str, Array] = {}
        self._medians: dict[str, float] = {}
        self._exits: dict[str, Array] = {}
        self._assumed: dict[str, bool] = {}

    def cost(self, name: str) -> Array:
        """Draws of one cost in cycles, (draws,)."""
        if name not in self._costs:
            self._costs[name] = np.exp(self._fit.log_costs([name], *self._place)[:, 0])
        return self._costs[name]

    def total(self, counts: Mapping[str, float]) -> Array:
        """Draws of Σ N·θ, (draws,)."""
        total = np.zeros(len(self._fit.effects))
        for name, count in counts.items():
            total += float(count) * self.cost(name)
        return total

    def widths(self, counts: Mapping[str, float]) -> tuple[Width, ...]:
        """What would stay of the width of a sum were one cost known, the kinds of exit taken as one."""
        groups = self._groups(counts)
        left = self._left(counts, [{name: self._median(name) for name in names} for names in groups.values()])
        return tuple(Width(group, share) for group, share in zip(groups, left, strict=True))

    def shares(self, counts: Mapping[str, float]) -> Shares:
        """The widest group, and the parts of the width that rest on costs which no row informs."""
        groups = self._groups(counts)
        assumed = [name for name, count in counts.items() if count != 0 and self._is_assumed(name)]
        fixed: list[dict[str, Array | float]] = [
            *(dict[str, Array | float]((name, self._median(name)) for name in names) for names in groups.values()),
            *({name: self._if_known(name)} for name in assumed),
            {name: self._if_known(name) for name in assumed},
        ]
        left = self._left(counts, fixed)
        widest = min(
            (Width(*pair) for pair in zip(groups, left, strict=False)), key=lambda width: width.left, default=None
        )
        gone = [max(0.0, 1.0 - share) for share in left[len(groups) :]]
        return Shares(widest, dict(zip(assumed, gone, strict=False)), gone[-1])

    def _groups(self, counts: Mapping[str, float]) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        for name, count in counts.items():
            if count != 0:
                exit_kind = name == ANCHOR or is_relative(self._fit.priors[name])
                groups.setdefault(EXIT_KINDS if exit_kind else name, []).append(name)
        return groups

    def _is_assumed(self, name: str) -> bool:
        if name not in self._assumed:
            self._assumed[name] = bool(self._fit.prior_bounded([name], *self._place))
        return self._assumed[name]

    def _median(self, name: str) -> float:
        if name not in self._medians:
            self._medians[name] = _median(self.cost(name))
        return self._medians[name]

    def _if_known(self, name: str) -> Array | float:
        """The cost were it known: its median, or the anchor times the median of its factor."""
        if not is_relative(self._fit.priors[name]):
            return self._median(name)
        if name not in self._exits:
            self._exits[name] = self.cost(ANCHOR) * _median(self.cost(name) / self.cost(ANCHOR))
        return self._exits[name]

    def _left(self, counts: Mapping[str, float], fixed: Sequence[Mapping[str, Array | float]]) -> list[float]:
        """The width of the sum over the whole width, with each set of costs fixed in turn."""
        total = self.total(counts)
        sums = np.empty((len(fixed) + 1, len(total)))
        sums[0] = total
        for line, known in enumerate(fixed, start=1):
            sums[line] = total - sum(float(counts[name]) * (self.cost(name) - value) for name, value in known.items())
        tail = (1 - LEVEL) / 2
        ends = quantiles(sums, (tail, 1 - tail))
        widths = ends[:, 1] - ends[:, 0]
        return [float(width / widths[0]) if widths[0] else 1.0 for width in widths[1:]]


def _median(draws: Array) -> float:
    return float(np.exp(quantiles(np.log(draws), (0.5,))[0]))


def widths(fit: Fit, counts: Mapping[str, float], machine: str = "", state: str = "") -> tuple[Width, ...]:
    """What would stay of the width of a sum of costs if one cost were known (:meth:`Draws.widths`)."""
    return Draws(fit, machine, state).widths(counts)
