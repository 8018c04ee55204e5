"""Commands put together; errors turned into lines or JSON and an exit status."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import InvalidInput, MmioCostError, Problem
from . import (
    batch,
    breakeven,
    counts,
    deciding,
    evidence,
    fitting,
    hazards,
    importing,
    maps,
    measure,
    planning,
    questions,
    report,
    scenarios,
    sweep,
)
from .options import Parser
from .output import envelope

_ABOUT = "What a guest's MMIO access costs under KVM: counts, fitted costs, break-even, reports."
_STATUS = "Exit status: 0 done, 1 the work failed, 2 wrong usage or invalid input."
_NEXT = f"""mmiocost {__version__}: what a guest's MMIO access costs under KVM.

  mmiocost report                                 the whole report, as pages that open from disk
  mmiocost predict saving:fast_mmio --set slots=32    what one access saves once MMIO sptes are there
  mmiocost breakeven slots --between before after     from how many memslots on it pays off
  mmiocost breakeven true_fault_fraction --between no-bypass bypass   where bypass_guest_pf regresses
  mmiocost paths                                  every path that is modelled
  mmiocost --help                                 all commands"""


def parser() -> Parser:
    """The whole command line."""
    top = Parser(prog="mmiocost", description=_ABOUT, epilog=_STATUS)
    top.add_argument("--version", action="version", version=f"mmiocost {__version__}")
    top.set_defaults(run=_say_what_next)
    commands = top.add_subparsers(metavar="COMMAND", parser_class=Parser)
    for module in (
        report,
        batch,
        counts,
        questions,
        scenarios,
        breakeven,
        maps,
        planning,
        deciding,
        hazards,
        fitting,
        evidence,
        importing,
        measure,
        sweep,
    ):
        module.register(commands)
    return top


def _say_what_next() -> None:
    print(_NEXT)


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit status. Invalid input gives one line an error, or JSON with --json."""
    try:
        options = vars(parser().parse_args(arguments))
        return int(options.pop("run")(**options) or 0)
    except SystemExit as leaving:  # --help and --version, once they have printed
        return int(leaving.code or 0)
    except InvalidInput as error:
        return _refuse(error.problems, "--json" in arguments)
    except MmioCostError as error:
        print(str(error), file=sys.stderr)
        return error.exit_status


def _refuse(problems: Sequence[Problem], as_json: bool) -> int:
    if as_json:
        document = {**envelope(None), "errors": [problem.document() for problem in problems]}
        print(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        for problem in problems:
            print(problem.line(), file=sys.stderr)
    return InvalidInput.exit_status
