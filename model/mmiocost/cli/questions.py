"""``paths`` and ``predict``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput, nearest_name
from ..evidence import evidence_hash
from .options import Commands, Parser, add_command, cases_option, evidence_option, scenario_options
from .output import envelope, in_columns, print_json, read_cases

if TYPE_CHECKING:
    from ..whatif.predict import Predictor


_CASE: dict[str, Any] = {"quantity": None, "set": {}, "machine": None, "scenario": None}


def register(commands: Commands) -> None:
    """Add the commands."""
    add_command(commands, "paths", paths)
    _register_predict(add_command(commands, "predict", predict))


def _register_predict(parser: Parser) -> None:
    quantities = (
        "cost:PATH, saving:fast_mmio, speedup:fast_mmio, regression:bypass_guest_pf or overhead:generation_wrap"
    )
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
    """A cost, saving or rate with its 95 % interval. With --cases, FILE lists {"quantity", "set", "machine",
    "scenario"}, the last a name or the fields of a scenario file.
    """
    from ..whatif.predict import Predictor
    from ..whatif.scenario import read_scenario

    if (quantity is None) == (cases is None):
        raise InvalidInput.one("mmiocost predict", "QUANTITY", quantity or "", "give a quantity or --cases FILE")
    if clock_hz is not None and not 0 < clock_hz < 1e12:
        raise InvalidInput.one("--clock-hz", "", clock_hz, "must be a clock in Hz, such as 2.1e9")
    options: dict[str, Any] = {
        "interval_kind": interval, "unit": None if unit == "cycle" else unit, "clock_hz": clock_hz
    }  # fmt: skip
    predictor = Predictor(evidence)
    if cases is not None:
        about = envelope(evidence_hash(evidence))
        print_json([{**_case(case, predictor, options), **about} for case in read_cases(cases)])
        return
    assert quantity is not None
    path = quantity.removeprefix("cost:") if quantity.startswith("cost:") else None
    found = predictor(quantity, read_scenario(sets, scenario, machine, path=path), **options)
    if json:
        print_json({**vars(found), "widest": found.widest and vars(found.widest), **envelope(found.evidence)})
    else:
        from .text import prediction_text

        print(prediction_text(found))


def _case(case: Mapping[str, Any], predictor: Predictor, options: Mapping[str, Any]) -> dict[str, Any]:
    from ..whatif.scenario import read_scenario, scenario_of

    try:
        quantity, given, machine, base = _checked(case)
        sets = [f"{name}={value}" for name, value in given.items()]
        if isinstance(base, Mapping):
            asked = scenario_of(base, "scenario", sets, machine)
        else:
            asked = read_scenario(sets, base, machine)
        found = predictor(quantity, asked, **options)
        return {**vars(found), "widest": found.widest and vars(found.widest)}
    except InvalidInput as error:
        return {"quantity": case.get("quantity"), "error": str(error)}


def _checked(case: Mapping[str, Any]) -> tuple[str, Mapping[str, Any], str | None, str | Mapping[str, Any] | None]:
    """The fields of a case. Raises InvalidInput for one that is unknown or of another kind."""
    unknown = [name for name in case if name not in _CASE]
    if unknown:
        raise InvalidInput.one("", str(unknown[0]), "", "unknown field", nearest_name(str(unknown[0]), _CASE))
    quantity, given, machine, base = (case.get(name, default) for name, default in _CASE.items())
    if (
        isinstance(quantity, str)
        and isinstance(given, Mapping)
        and isinstance(machine, str | None)
        and isinstance(base, str | Mapping | None)
    ):
        return quantity, given, machine, base
    allowed = 'must be {"quantity": name, "set": {symbol: value}, "machine": name, "scenario": name or fields}'
    raise InvalidInput.one("", "case", "", allowed)
