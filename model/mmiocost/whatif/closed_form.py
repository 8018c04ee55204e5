"""The break-even as a symbolic expression, where the cost difference is a fraction with a linear numerator.

The formula says too when it holds: a break-even formula has a value everywhere, but a meaning only where its signs
allow. SymPy is loaded only the first time that a question is asked; the text is kept under a hash of its sources.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cache import cache_dir, content_hash, files_hash, write_atomically
from ..vocabulary import MIX_SYMBOLS
from .ranges import default_range, is_whole
from .scenario import Scenario
from .terms import design_terms

_BY_HITS = {"hit_fraction": 1, "mmio_rate": 1, "mmio_pages": -1, "generation_rate": -1, "zapping_rate": -1}
_SPOKEN = {item.name for item in MIX_SYMBOLS} - {"mmio_pages", "mmio_faults_on", "userspace_fraction"}


@dataclass(frozen=True)
class ClosedForm:
    """A break-even in costs theta_EVENT, in cycles, and when it holds, one condition a line."""

    text: str
    holds: tuple[str, ...]


@dataclass(frozen=True)
class Solution:
    """The same as SymPy expressions: ``root`` may use the names of ``where``, each of which stands for a cost."""

    root: Any
    where: Mapping[str, Any]
    holds: tuple[str, ...]


def closed_form(variable: str, between: tuple[str, str], scenario: Scenario) -> ClosedForm | None:
    """Value of the variable at which the designs cost the same, for this scenario.

    None where the difference does not contain the variable, or is no fraction with a numerator linear in it:
    searches of trees and sorted arrays, levels with a case of their own, symbols that are 0 or 1.
    """
    package = Path(__file__).parent.parent
    code = [files_hash((package / room).glob("*.py")) for room in ("vocabulary", "equations", "whatif")]
    key = content_hash(
        variable, *between, scenario.mode, scenario.after, repr(sorted(scenario.counts.items())),
        repr(sorted((name, value) for name, value in scenario.mix.items() if name != variable)), *code,
    )  # fmt: skip
    place = cache_dir() / f"closed-form-{key[:24]}.json"
    try:
        kept = json.loads(place.read_bytes())
        return ClosedForm(str(kept["text"]), tuple(kept["holds"])) if kept else None
    except (OSError, ValueError, KeyError, TypeError):
        found = _as_text(solve(variable, between, scenario))
        with contextlib.suppress(OSError):
            write_atomically(place, json.dumps({"text": found.text, "holds": found.holds} if found else None))
        return found


def _as_text(found: Solution | None) -> ClosedForm | None:
    if found is None:
        return None
    meant = ", ".join(f"{name} = {cost}" for name, cost in found.where.items())
    return ClosedForm(f"{found.root} with {meant}" if meant else str(found.root), found.holds)


def solve(variable: str, between: tuple[str, str], scenario: Scenario, *, in_symbols: bool = False) -> Solution | None:
    """The closed form as SymPy expressions, or None; loads SymPy. Arguments as in :func:`closed_form`.

    With ``in_symbols`` means and rates that are not 0 stay symbols, as a reader wants them; counts are put in.
    """
    if is_whole(variable) and default_range(variable) == (0, 1):
        return None
    values = {**design_terms(between[0], scenario)[1], **design_terms(between[1], scenario)[1]}
    if in_symbols:
        values = {name: value for name, value in values.items() if name not in _SPOKEN or not value}
    known = _Known(variable, scenario, values)
    return _by_hits(between, known) or _by_parts(between, known) or _by_line(between, known)


class _Known:
    """What a scenario fixes of an expression: everything but the variable and the costs."""

    def __init__(self, variable: str, scenario: Scenario, values: Mapping[str, Any]) -> None:
        from ..equations.symbols import symbol

        self.variable, self.scenario, self.values = symbol(variable), scenario, values

    def __call__(self, expression: Any) -> Any:
        """The expression with derived symbols written out and all values put in but that of the variable."""
        from sympy import nsimplify

        from ..equations.symbols import symbol

        for name, derived in self._derived():
            expression = expression.xreplace({symbol(name): derived})
        fixed = {item: nsimplify(self.values[item.name]) for item in expression.free_symbols
                 if item.name in self.values and item != self.variable}  # fmt: skip
        return expression.xreplace(fixed)  # several times quicker than subs

    def _derived(self) -> list[tuple[str, Any]]:
        """Symbols that take their value from others unless they are set, in the order in which they do."""
        from ..equations import payoff
        from ..equations.symbols import symbol
        from ..equations.unified_loop import expected_retries

        given, name = {**self.scenario.counts, **self.scenario.mix}, self.variable.name
        found = [("hit_fraction", payoff.hit_fraction(self.scenario.after)),
                 ("generation_rate", symbol("zapping_rate")), ("mmio_cached", 1 / symbol("mmio_pages")),
                 ("mmio_gap", symbol("slots")), ("bus_gap", symbol("bus_devices"))]  # fmt: skip
        if "userspace_fraction" in (*given, name):
            found.append(("userspace", symbol("userspace_fraction")))
        if given.get("unlink_rate") or name == "unlink_rate":
            found.append(("retries", expected_retries()))
        return [(item, derived) for item, derived in found if item not in given and item != name]


def _by_hits(between: tuple[str, str], known: _Known) -> Solution | None:
    """A variable that acts through the hit fraction alone, between before and after: by D_hit and D_first."""
    from ..equations import payoff
    from ..equations.paths import cost
    from ..equations.symbols import symbol

    scenario, variable = known.scenario, known.variable
    if set(between) != {"before", "after"} or variable.name not in _BY_HITS:
        return None
    gain = known(cost(payoff.gain_of_hit(scenario.mode, scenario.after)))
    loss = known(cost(payoff.loss_of_refill(scenario.mode, scenario.after)))
    share = known(symbol("hit_fraction"))
    if gain.has(variable) or loss.has(variable) or not share.has(variable):
        return None
    root = _root(share * payoff.GAIN_HIT - (1 - share) * payoff.LOSS_FIRST, variable)
    if root is None:
        return None
    above, below = ("above", "below") if _BY_HITS[variable.name] > 0 else ("below", "above")
    return Solution(root[0], {"D_hit": gain, "D_first": loss}, (
        f"D_hit > 0 and D_first > 0: after is cheaper {above} it",
        f"D_hit < 0 and D_first < 0: after is cheaper {below} it",
        "D_hit >= 0 >= D_first: no break-even, after is cheaper everywhere",
        "D_hit <= 0 <= D_first: no break-even, after is cheaper nowhere",
    ))  # fmt: skip


def _by_parts(between: tuple[str, str], known: _Known) -> Solution | None:
    """A rate or share, between bypass and no-bypass: by the costs of a fault, a fill, an unsync page, a check."""
    import sympy as sp

    from ..equations import payoff
    from ..equations.paths import cost

    if set(between) != {"bypass", "no-bypass"}:
        return None
    terms = {"fault": payoff.fault_saved(), "fill": payoff.fill_paid(), "unsync": payoff.unsync_paid(),
             "check": payoff.check_paid(), "saving": payoff.saving("shadow", "v31")}  # fmt: skip
    costs = {name: known(cost(part)) for name, part in terms.items()}
    difference = known(regression_in_parts()) * (1 if between[0] == "bypass" else -1)
    root = None if any(part.has(known.variable) for part in costs.values()) else _root(difference, known.variable)
    if root is None:
        return None
    used = {item.name for item in sp.sympify(root[0]).free_symbols}
    return Solution(root[0], {name: part for name, part in costs.items() if name in used}, _sides(root[1], between[1]))


def regression_in_parts() -> Any:
    """``payoff.regression`` with names in place of sums of costs: fault, fill, unsync, check, saving (of MMIO)."""
    import sympy as sp

    from ..equations.symbols import symbol

    fault, fill, unsync, check = sp.symbols("fault fill unsync check", positive=True)
    rate, true, marked, on = map(symbol, ("fault_rate", "true_fault_fraction", "notrap_fraction", "mmio_faults_on"))
    paid = symbol("fill_rate") * fill + symbol("unsync_rate") * unsync
    lost = (1 - on) * symbol("mmio_rate") * sp.Symbol("saving", real=True)
    return paid + on * rate * (1 - true * marked) * check + lost - rate * true * marked * fault


def _by_line(between: tuple[str, str], known: _Known) -> Solution | None:
    """A variable in which the difference is a fraction with a linear numerator."""
    from ..equations.paths import cost

    left, right = (cost(_terms(design, known.scenario)) for design in between)
    difference, variable = left - right, known.variable
    root = None if _piecewise(difference, known) else _root(known(difference), variable)
    if root is None:
        return None
    value, slope = root
    rounding = ("the break-even is the next whole number",) if is_whole(variable.name) else ()
    return Solution(value, {}, (*_sides(slope, between[1]), *rounding))


def _sides(slope: Any, second: str) -> tuple[str, ...]:
    """On which side of the root the second design is cheaper, by the sign of the slope where that is not known."""
    sides = {"above": not slope.is_negative, "below": not slope.is_positive}
    signs = {"above": ">", "below": "<"}
    open_ = all(sides.values())
    told = [
        f"{f'{slope} {signs[side]} 0: ' if open_ else ''}{second} is cheaper {side} it"
        for side, possible in sides.items()
        if possible
    ]
    return (*told, "outside the range there is none")


def _piecewise(difference: Any, known: _Known) -> bool:
    """Whether symbols occur that change with the variable by cases."""
    hang_on = {"guest_levels": ("shadow_levels", "guest_pte_bits"), "decode_assist": ("spte_accessed_bit",)}
    names = {item.name for item in difference.free_symbols} - {*known.scenario.counts}
    return any(name in names for name in hang_on.get(known.variable.name, ()))


def _root(expression: Any, variable: Any) -> tuple[Any, Any] | None:
    """Root of a fraction with a linear numerator, with what has the sign of its slope there; or None."""
    import sympy as sp

    if not expression.has(variable) or not expression.is_rational_function(variable):
        return None
    numerator, denominator = sp.fraction(sp.together(expression))
    line = sp.Poly(numerator, variable)
    if line.degree() != 1:
        return None
    slope, offset = line.all_coeffs()
    # A rate or a share makes the denominator positive or negative throughout: its sign at 1 is its sign.
    sign = -1 if denominator.subs(variable, 1).is_negative else 1
    return sp.simplify(-offset / slope), sp.factor_terms(sign * slope)


def _terms(design: str, scenario: Scenario) -> dict[str, Any]:
    from ..equations import payoff
    from ..equations.paths import terms

    if design == "before":
        return payoff.before_terms(scenario.mode, scenario.after)
    if design == "after":
        before = payoff.before_terms(scenario.mode, scenario.after)
        saved = payoff.saving(scenario.mode, scenario.after)
        names = dict.fromkeys([*before, *saved])
        return {name: before.get(name, 0) - saved.get(name, 0) for name in names}
    if design == "bypass":
        return payoff.regression()
    if design == "no-bypass":
        return {}
    path = f"unified.{scenario.mode}.access" if design == "unified" else design
    return terms(path)
