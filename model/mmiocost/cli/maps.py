"""``map``: which design wins over two variables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput
from .options import Commands, add_command, evidence_option, scenario_options
from .output import envelope, percent, print_json

if TYPE_CHECKING:
    from ..whatif.maps import Axis, WinningMap
    from ..whatif.scenario import Scenario


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "map", map_)
    for name in ("x", "y"):
        about = f"variable of the {name} axis: NAME, NAME=LOW:HIGH:COUNT[:log] or NAME=VALUE,VALUE,..."
        parser.add_argument(name, metavar=name.upper(), help=about)
    designs = "two or more paths or designs: before, after, unified, bypass, no-bypass"
    parser.add_argument("--between", nargs="+", required=True, metavar="DESIGN", help=designs)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the points as .csv or .parquet")
    scenario_options(parser)
    evidence_option(parser)


def map_(
    x: str,
    y: str,
    between: list[str],
    out: Path | None,
    sets: list[str],
    scenario: Path | None,
    machine: str | None,
    evidence: list[Path],
    json: bool,
) -> None:
    """Which design wins over two variables, and where the evidence cannot tell."""
    from ..whatif.maps import winning_map
    from ..whatif.scenario import read_scenario

    if out is not None and out.suffix not in (".csv", ".parquet"):
        raise InvalidInput.one("--out", "", out, "must end in .csv or .parquet")
    asked = read_scenario(sets, scenario, machine)
    found = winning_map(_axis(x, asked), _axis(y, asked), between, asked, evidence=evidence)
    if out is not None:
        _write(found, out)
    if json:
        about = {"x": found.x.name, "y": found.y.name, "between": found.designs, "points": found.winners.size}
        areas = {"areas": found.areas(), "prior_bounded": found.prior_bounded, "interval": found.interval}
        print_json({**about, **areas, "machine": found.machine, "file": out, **envelope(found.evidence)})
    else:
        print(map_text(found))


def _axis(text: str, scenario: Scenario) -> Axis:
    """An axis from its text, in the form that ``sweep --over`` takes, or from the name of a symbol alone."""
    from dataclasses import replace

    import numpy as np

    from ..whatif.axes import checked_axes, read_over
    from ..whatif.maps import Axis, axis

    if "=" not in text:
        return axis(text, scenario=scenario)
    try:
        (found,) = checked_axes(read_over([text]), replace(scenario, mix={}))
    except InvalidInput as error:
        raise InvalidInput(replace(problem, where="") for problem in error.problems) from None
    if found.is_choice:
        raise InvalidInput.one("", found.name, "", "must be a symbol: set the mode or the generation in a scenario")
    return Axis(found.name, np.sort(found.values).astype(float))


def map_text(found: WinningMap) -> str:
    """How much of the map each design wins, and what is assumed."""
    x, y = (f"{a.name} {a.values[0]:g} to {a.values[-1]:g}" for a in (found.x, found.y))
    lines = [f"{found.winners.size} points over {x} and {y}:"]
    lines += [f"  {name}: {percent(round(share, 3))}" for name, share in found.areas().items()]
    lines.append(f"  a design wins where it is the cheapest in {percent(_sure())} of the draws")
    if found.prior_bounded:
        lines.append(f"  measured by nothing, so only assumed: {', '.join(found.prior_bounded)}")
    return "\n".join(lines)


def _sure() -> float:
    from ..whatif.maps import SURE

    return SURE


def _write(found: WinningMap, out: Path) -> None:
    import io

    import pyarrow as pa

    from ..cache import write_atomically

    table, buffer = pa.table(found.rows()), io.BytesIO()
    _writer(out)(table, buffer)
    write_atomically(out, buffer.getvalue())


def _writer(out: Path) -> Any:
    if out.suffix == ".csv":
        from pyarrow.csv import write_csv

        return write_csv
    from pyarrow.parquet import write_table

    return write_table
