"""``breakeven``: where two designs cost the same."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidInput
from .options import Commands, add_command, evidence_option, scenario_options
from .output import envelope, percent, print_json

if TYPE_CHECKING:
    from ..whatif.breakeven import BreakEven


def register(commands: Commands) -> None:
    """Add the command."""
    even = add_command(commands, "breakeven", breakeven)
    even.add_argument("variable", metavar="VARIABLE", help="the symbol to vary")
    designs = "two paths or designs: before, after, unified, bypass, no-bypass"
    even.add_argument("--between", nargs=2, required=True, metavar=("A", "B"), help=designs)
    even.add_argument("--range", dest="over", metavar="LO:HI", help="range of the variable")
    scenario_options(even)
    evidence_option(even)


def breakeven(
    variable: str,
    between: list[str],
    over: str | None,
    sets: list[str],
    scenario: Path | None,
    machine: str | None,
    evidence: list[Path],
    json: bool,
) -> None:
    """Where two designs cost the same."""
    from ..whatif.breakeven import breakeven as ask
    from ..whatif.breakeven import symbol_unit
    from ..whatif.scenario import read_scenario

    symbol_unit(variable)
    asked = read_scenario(sets, scenario, machine)
    found = ask(variable, (between[0], between[1]), asked, over=_range(over, variable), evidence=evidence)
    if json:
        print_json({**asdict(found), **envelope(found.evidence)})
    else:
        print(breakeven_text(found))


def _range(text: str | None, variable: str) -> tuple[float, float] | None:
    from ..units import UnitError, parse_number

    if text is None:
        return None
    low, _, high = text.partition(":")
    try:
        return parse_number(low), parse_number(high)
    except UnitError as error:
        raise InvalidInput.one("--range", variable, text, "must be LOW:HIGH, two numbers") from error


def breakeven_text(found: BreakEven) -> str:
    """Verdict, crossings, how the draws disagree, what is assumed, the closed form and when it holds."""
    lines = [_verdict(found), *_crossings(found), _shares(found)]
    if found.prior_bounded:
        lines.append(f"  measured by nothing, so only assumed: {', '.join(found.prior_bounded)}")
    if found.closed_form:
        lines.append(f"  closed form: {found.variable} = {found.closed_form}")
        lines += [f"    {condition}" for condition in found.holds]
    return "\n".join(lines)


def _verdict(found: BreakEven) -> str:
    first, second = found.between
    within = f"{found.variable} from {found.range[0]:g} to {found.range[1]:g}"
    if not found.effect:
        within = f"{found.variable} changes nothing between them"
    many = f" at {len(found.crossings)} values" if len(found.crossings) > 1 else " at"
    return {
        "always": f"{second} is cheaper than {first} everywhere: {within}",
        "never": f"{second} is nowhere cheaper than {first}: {within}",
        "cannot_tell": f"the evidence cannot tell where {second} and {first} cost the same: {within}"
        if found.effect
        else f"the evidence cannot tell which of {second} and {first} is cheaper: {within}",
        "crosses": f"{second} and {first} cost the same{many}:",
    }[found.verdict]


def _crossings(found: BreakEven) -> list[str]:
    from ..reporting.numbers import estimate_text
    from ..whatif.ranges import is_whole

    lines, beyond = [], "from it on" if is_whole(found.variable) else "above it"
    for item in found.crossings:
        value = estimate_text(item.value, item.low, item.high, found.unit, plain=True)
        sides = f"below it {item.cheaper_below} is cheaper, {beyond} {item.cheaper_above}"
        lines.append(f"  {found.variable} = {value}; {sides}")
        if item.low is None or item.high is None:
            side = "lower" if item.high is not None else "upper" if item.low is not None else "lower and the upper"
            lines.append(f"  open on the {side} side: too many draws have no break-even there")
    return lines


def _shares(found: BreakEven) -> str:
    """How the draws divide; those that cross by the side on which the second design is the cheaper one."""
    second, shares = found.between[1], found.shares
    cases = {
        "above": f"{second} cheaper above",
        "below": f"{second} cheaper below",
        "several": "more than one break-even",
    }
    met = [f"{percent(found.cases[name])} {text}" for name, text in cases.items() if found.cases[name] > 0]
    split = f" ({', '.join(met)})" if len(met) > 1 else ""
    return (
        f"  of the draws {percent(shares['crosses'])} cross{split}, in {percent(shares['always'])} {second} is cheaper"
        f" throughout, in {percent(shares['never'])} nowhere"
    )
