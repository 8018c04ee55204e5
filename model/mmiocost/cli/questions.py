"""``paths``, ``predict`` and ``breakeven``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import InvalidInput
from ..evidence import evidence_hash
from .options import Commands, Parser, add_command, cases_option, evidence_option, scenario_options
from .output import envelope, in_columns, print_json, read_cases


def register(commands: Commands) -> None:
    """Add the commands."""
    add_command(commands, "paths", paths)
    _register_predict(add_command(commands, "predict", predict))
    even = add_command(commands, "breakeven", breakeven)
    even.add_argument("variable", metavar="VARIABLE", help="the symbol to vary")
    designs = "two paths or designs: before, after, unified, bypass, no-bypass"
    even.add_argument("--between", nargs=2, required=True, metavar=("A", "B"), help=designs)
    even.add_argument("--range", dest="over", metavar="LO:HI", help="range of the variable")
    scenario_options(even)
    evidence_option(even)


def _register_predict(parser: Parser) -> None:
    quantities = "cost:PATH, saving:fast_mmio, speedup:fast_mmio or regression:bypass_guest_pf"
    parser.add_argument("quantity", nargs="?", metavar="QUANTITY", help=quantities)
    scenario_options(parser)
    kinds = "known_machine, new_machine or new_measurement"
    parser.add_argument("--interval", metavar="KIND", help=kinds)
    parser.add_argument("--unit", choices=("cycle", "ns"), default="cycle", help="default: cycle")
    clock = "clock that turns cycles into ns; default: the machine's, or an assumption"
    parser.add_argument("--clock-hz", type=float, metavar="HZ", help=clock)
    evidence_option(parser)
    cases_option(parser)


def paths(json: bool) -> None:
    """Every path that is modelled, with its generation, mode and meaning."""
    from ..vocabulary import PATHS

    if json:
        about = envelope(evidence_hash())
        print_json(
            [
                {"path": item.name, "generation": item.generation, "mode": item.mode, "summary": item.summary, **about}
                for item in PATHS
            ]
        )
    else:
        print(in_columns([(item.name, item.summary) for item in PATHS]))


def predict(
    quantity: str | None,
    sets: list[str],
    scenario: Path | None,
    machine: str | None,
    interval: str | None,
    unit: str,
    clock_hz: float | None,
    evidence: list[Path],
    cases: Path | None,
    json: bool,
) -> None:
    """A cost, saving or rate with its 95 % interval. With --cases, FILE lists {"quantity", "set", "machine"}."""
    from ..whatif.predict import predict as ask
    from ..whatif.scenario import read_scenario
    from .text import prediction_text

    if (quantity is None) == (cases is None):
        raise InvalidInput.one("mmiocost predict", "QUANTITY", quantity or "", "give a quantity or --cases FILE")
    if clock_hz is not None and not 0 < clock_hz < 1e12:
        raise InvalidInput.one("--clock-hz", "", clock_hz, "must be a clock in Hz, such as 2.1e9")
    options: dict[str, Any] = {
        "interval_kind": interval, "unit": None if unit == "cycle" else unit, "clock_hz": clock_hz,
        "evidence": evidence,
    }  # fmt: skip
    if cases is not None:
        print_json([_predict_case(case, options) for case in read_cases(cases)])
        return
    assert quantity is not None
    path = quantity.removeprefix("cost:") if quantity.startswith("cost:") else None
    found = ask(quantity, read_scenario(sets, scenario, machine, path=path), **options)
    if json:
        print_json({**asdict(found), **envelope(found.evidence)})
    else:
        print(prediction_text(found))


def _predict_case(case: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    from ..whatif.predict import predict as ask
    from ..whatif.scenario import read_scenario

    quantity, given, machine = case.get("quantity"), case.get("set", {}), case.get("machine")
    about = envelope(evidence_hash(options["evidence"]))
    try:
        if not isinstance(quantity, str) or not isinstance(given, dict) or not isinstance(machine, str | None):
            raise InvalidInput.one(
                "", "case", "", 'must be {"quantity": name, "set": {symbol: value}, "machine": name}'
            )
        scenario = read_scenario([f"{name}={value}" for name, value in given.items()], None, machine)
        return {**asdict(ask(quantity, scenario, **options)), **about}
    except InvalidInput as error:
        return {"quantity": quantity, "error": str(error), **about}


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
    from .text import breakeven_text

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
