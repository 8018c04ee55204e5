"""``sensitivity`` and ``plan``: what makes a quantity vary, and what to measure next."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidInput, Problem
from .options import Commands, add_command, evidence_option, scenario_options
from .output import envelope, in_columns, percent, print_json, quantity_text

if TYPE_CHECKING:
    from ..whatif.next_measurement import Candidate, Plan
    from ..whatif.sensitivity import Sensitivity

_SHOWN = 8  # lines of a ranking that a person is shown


def register(commands: Commands) -> None:
    """Add the commands."""
    quantities = "cost:PATH, saving:fast_mmio, speedup:fast_mmio or regression:bypass_guest_pf"
    varied = add_command(commands, "sensitivity", sensitivity)
    varied.add_argument("quantity", metavar="QUANTITY", help=quantities)
    over = "vary this symbol over a range; may repeat; default: all that have one and are not set"
    varied.add_argument("--over", action="append", default=[], metavar="NAME=LO:HI", help=over)
    asked = add_command(commands, "plan", plan)
    asked.add_argument("question", metavar="QUESTION", help="fast-mmio, bypass-guest-pf or unified-loop")
    for parser in (varied, asked):
        scenario_options(parser)
        evidence_option(parser)


def sensitivity(
    quantity: str,
    over: list[str],
    sets: list[str],
    scenario: Path | None,
    machine: str | None,
    evidence: list[Path],
    json: bool,
) -> None:
    """Sobol indices of symbols and costs, first-order and total with intervals: what makes a quantity vary."""
    from ..whatif.scenario import read_scenario
    from ..whatif.sensitivity import sensitivity as ask

    found = ask(quantity, read_scenario(sets, scenario, machine), over=_ranges(over), evidence=evidence)
    if json:
        about = {"quantity": found.quantity, "machine": found.machine, "notes": found.notes}
        print_json([{**asdict(item), **about, **envelope(found.evidence)} for item in found.indices])
    else:
        print(sensitivity_text(found))


def _ranges(texts: list[str]) -> dict[str, tuple[float, float]]:
    """``NAME=LO:HI`` texts as ranges. Raises InvalidInput with all that are none."""
    from ..units import UnitError, parse
    from ..whatif.ranges import symbol_unit

    found, problems = {}, []
    for text in texts:
        name, _, span = text.partition("=")
        low, _, high = span.partition(":")
        try:
            unit = symbol_unit(name)
            found[name] = parse(low, unit), parse(high, unit)
        except UnitError as error:
            problems.append(Problem("--over", name, span, f"must be NAME=LO:HI: {error}"))
        except InvalidInput as error:
            problems += [Problem("--over", name, "", item.allowed, item.nearest) for item in error.problems]
    if problems:
        raise InvalidInput(problems)
    return found


def sensitivity_text(found: Sensitivity) -> str:
    """The indices as a table, what does not enter, and what to know of them."""
    lines = [f"{found.quantity}: shares of its variance, with 95 % intervals ({found.evaluations} evaluations)"]
    rows = [("input", "over", "alone (first)", "with interactions (total)")]
    for item in found.indices:
        span = f"{item.range[0]:g} to {item.range[1]:g}{', log' * (item.scale == 'log')}" if item.range else "its draws"
        first, total = (
            quantity_text(*values)
            for values in (
                (item.first, item.first_low, item.first_high),
                (item.total, item.total_low, item.total_high),
            )
        )
        rows.append((item.name, span, first, total))
    lines += [f"  {line}" for line in in_columns(rows).splitlines()]
    if found.inert:
        lines.append(f"  does not enter: {', '.join(found.inert)}")
    return "\n".join([*lines, *(f"  {note}" for note in found.notes)])


def plan(
    question: str,
    sets: list[str],
    scenario: Path | None,
    machine: str | None,
    evidence: list[Path],
    json: bool,
) -> None:
    """Which measurement to take next: by how much each is expected to lower the regret of a decision."""
    from ..whatif.next_measurement import plan as ask
    from ..whatif.scenario import read_scenario

    found = ask(question, read_scenario(sets, scenario, machine), evidence=evidence)
    if json:
        about = {
            "question": found.question, "choice": found.choice, "probability": found.probability,
            "expected_regret_now": found.expected_regret_now, "regret_low": found.regret_low,
            "regret_high": found.regret_high, "unit": found.unit, "open_facts": found.open_facts,
            "notes": found.notes,
        }  # fmt: skip
        print_json([{**asdict(item), **about, **envelope(found.evidence)} for item in found.candidates])
    else:
        print(plan_text(found))


def plan_text(found: Plan) -> str:
    """The choice so far, the measurements that are worth most with their recipes, and what was taken as unknown."""
    regret = quantity_text(found.expected_regret_now, found.regret_low, found.regret_high, found.unit)
    lines = [
        f"{found.question}: by present knowledge '{found.choice}', the better of {' and '.join(found.designs)} in"
        f" {percent(round(found.probability, 3))} of the draws; expected regret {regret}"
    ]
    worth = [item for item in found.candidates if item.expected_narrowing > 0]
    for number, item in enumerate(worth[:_SHOWN], 1):
        lines += _candidate_lines(number, item, found.unit)
    if not worth:
        lines.append("  no measurement is expected to change the decision; those that narrow the size most:")
        lines += [line for item in found.candidates[:3] for line in _candidate_lines(0, item, found.unit)]
    more = len(worth) - _SHOWN
    if more > 0:
        lines.append(f"  and {more} more that are worth less")
    if found.open_facts:
        lines.append(f"  taken as unknown over their ranges, unless set: {', '.join(found.open_facts)}")
    return "\n".join([*lines, *(f"  {note}" for note in found.notes)])


def _candidate_lines(number: int, item: Candidate, unit: str) -> list[str]:
    from ..whatif.decision import HOSTS

    taken = quantity_text(item.expected_narrowing, item.narrowing_low, item.narrowing_high, unit)
    head = f"{number}." if number else "-"
    return [
        f"  {head} {item.measurement} on {HOSTS[item.machine]}: takes away {taken},"
        f" leaves {percent(round(item.width_left, 2))} of the interval's width",
        f"     {item.meaning}",
        f"     {item.recipe}",
    ]
