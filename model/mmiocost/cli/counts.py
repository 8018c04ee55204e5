"""``count``: from the closed forms, from the reference machine, or step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import InvalidInput
from ..evidence import evidence_hash
from .options import Commands, add_command, cases_option, set_option
from .output import envelope, in_columns, print_json, read_cases

Count = Callable[[str, Mapping[str, int]], dict[str, int]]


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "count", count)
    parser.add_argument("path", nargs="?", metavar="PATH", help="a path; `mmiocost paths` lists them")
    set_option(parser)
    parser.add_argument("--scenario", type=Path, metavar="FILE", help="read a YAML or TOML scenario")
    parser.add_argument("--simulate", action="store_true", help="execute the path on the reference machine and count")
    parser.add_argument("--explain", action="store_true", help="which step makes each event, with the kernel function")
    cases_option(parser)


def count(
    path: str | None,
    sets: list[str],
    scenario: Path | None,
    simulate: bool,
    explain: bool,
    cases: Path | None,
    json: bool,
) -> None:
    """How often each primitive event occurs on a path, exactly. With --cases, FILE lists {"path", "scenario"}."""
    if (path is None) == (cases is None):
        raise InvalidInput.one("mmiocost count", "PATH", path or "", "give either a path or --cases FILE")
    about = envelope(evidence_hash())
    counted = _counter(simulate)
    if cases is not None:
        if explain:
            raise InvalidInput.one("--explain", "", "", "explains one path, not --cases")
        print_json([{**_case(case, counted), **about} for case in read_cases(cases)])
        return
    assert path is not None
    symbols = _symbols(sets, scenario, path)
    if explain:
        _print_steps(path, symbols, json, about)
        return
    events = counted(path, symbols)
    if json:
        print_json({"path": path, "events": events, **about})
    else:
        print(in_columns([(name, str(number)) for name, number in events.items()] or [("no event", "")]))


def _counter(simulate: bool) -> Count:
    if simulate:
        from ..mechanism import simulate as simulated

        return simulated
    from ..whatif.counting import count as from_equations

    return from_equations


def _symbols(sets: list[str], file: Path | None, path: str) -> Mapping[str, int]:
    """Symbols of one access. Raises InvalidInput for means and rates, which no count has."""
    from ..whatif.scenario import read_scenario

    scenario = read_scenario(sets, file, path=path)
    asked = [name for name in scenario.mix if any(text.partition("=")[0].strip() == name for text in sets)]
    if asked:
        name = asked[0]
        raise InvalidInput.one("--set", name, f"{scenario.mix[name]:g}", "is a mean or a rate, which no count has")
    return scenario.counts


def _print_steps(path: str, symbols: Mapping[str, int], json: bool, about: Mapping[str, Any]) -> None:
    from ..whatif.counting import explain

    steps = explain(path, symbols)
    if json:
        print_json({"path": path, "steps": [step._asdict() for step in steps], **about})
    else:
        rows = [(str(step.count), step.event, step.function, step.note) for step in steps]
        print(in_columns([("count", "event", "kernel function", "step"), *rows]))


def _case(case: Mapping[str, Any], counted: Count) -> dict[str, Any]:
    name, scenario = case.get("path"), case.get("scenario", {})
    try:
        if not isinstance(name, str) or not isinstance(scenario, dict):
            raise InvalidInput.one("", "case", "", 'must be {"path": name, "scenario": {symbol: integer}}')
        return {"path": name, "events": counted(name, scenario)}
    except InvalidInput as error:
        return {"path": name, "error": str(error)}
