"""``sweep``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidInput
from .options import Commands, add_command, evidence_option, positive, scenario_options
from .output import envelope, print_json

if TYPE_CHECKING:
    from ..whatif.sweep import Sweep
    from ..whatif.sweep_file import Written

INTERRUPTED = 130  # what a shell shows for a process that Ctrl-C ends


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "sweep", sweep)
    quantities = "a quantity of predict: cost:PATH, saving:fast_mmio, speedup:fast_mmio, regression:bypass_guest_pf ..."
    parser.add_argument("quantity", metavar="QUANTITY", help=quantities)
    axis = (
        "a symbol and its values: NAME=LOW:HIGH:COUNT[:log] (in a sample without COUNT) or NAME=VALUE,VALUE,...;"
        " mode=NAME,... and after=NAME,... too; may repeat, and all are combined"
    )
    parser.add_argument("--over", action="append", default=[], metavar="AXIS", help=axis)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the Parquet file to write")
    kinds = "a Latin hypercube or scrambled Sobol sample instead of a grid"
    parser.add_argument("--sample", choices=("lhs", "sobol"), help=kinds)
    parser.add_argument("--points", type=positive, metavar="N", help="points of the sample")
    alone = "only the quantity at the median of every cost, in a column of that name; quicker"
    parser.add_argument("--no-interval", dest="with_interval", action="store_false", help=alone)
    scenario_options(parser)
    evidence_option(parser)


def sweep(
    quantity: str,
    over: list[str],
    out: Path,
    sample: str | None,
    points: int | None,
    with_interval: bool,
    sets: list[str],
    scenario: Path | None,
    machine: str | None,
    evidence: list[Path],
    json: bool,
) -> int:
    """A quantity with its interval over a grid or a sample of scenarios, into a Parquet file. Ctrl-C leaves a file
    that holds what is done."""
    from ..whatif.axes import read_over
    from ..whatif.scenario import read_scenario
    from ..whatif.sweep import Sample
    from ..whatif.sweep import sweep as ask

    if (sample is None) != (points is None):
        raise InvalidInput.one("mmiocost sweep", "", "", "--sample and --points go together")
    asked = ask(
        quantity, read_over(over, sample is not None), read_scenario(sets, scenario, machine),
        sample=Sample(sample, points) if sample and points else None, with_interval=with_interval, evidence=evidence,
    )  # fmt: skip
    written = asked.write(out, progress=True)
    if json:
        print_json({**asdict(written), "notes": asked.notes, **envelope(asked.fit.evidence)})
    else:
        print(_text(asked, written))
    if written.complete:
        return 0
    print(f"interrupted: {written.file} holds {written.rows} of {asked.rows} points", file=sys.stderr)
    return INTERRUPTED


def _text(asked: Sweep, written: Written) -> str:
    """What the file holds, in words."""
    kinds = {
        "known_machine": f"95 % interval of the mean on {asked.scenario.machine}",
        "new_machine": "95 % interval of the mean on a machine not yet measured",
    }
    shown = f"median and {kinds[asked.interval]}" if asked.with_interval else "at the median cost of every event"
    unit = "a ratio" if asked.unit == "1" else f"in {asked.unit}"
    names = ", ".join([*(axis.name for axis in asked.axes), *asked.shown, "extrapolates"])
    lines = [f"{written.file}: {written.rows} points", f"  columns: {names}", f"  {asked.quantity}, {unit}: {shown}"]
    return "\n".join([*lines, *(f"  {note}" for note in asked.notes)])
