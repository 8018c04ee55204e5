"""Commands put together; errors turned into lines or JSON and an exit status."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from .. import __version__
from ..errors import InvalidInput, MmioCostError, Problem
from . import evidence, fitting, questions, report
from .output import envelope

# The base of all usage errors; typer carries click within itself and does not name this class.
_UsageError: Any = typer.BadParameter.__base__

_HELP = """What a guest's MMIO access costs under KVM: counts, fitted costs, break-even, reports.

Exit status: 0 done, 1 the work failed, 2 wrong usage or invalid input."""

app = typer.Typer(
    help=_HELP, add_completion=False, no_args_is_help=False, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
report.register(app)
questions.register(app)
fitting.register(app)
evidence.register(app)

_NEXT = f"""mmiocost {__version__}: what a guest's MMIO access costs under KVM.

  mmiocost report                                 the whole report, as pages that open from disk
  mmiocost predict saving:fast_mmio --set slots=32    what one access saves once MMIO sptes are there
  mmiocost breakeven slots --between before after     from how many memslots on it pays off
  mmiocost breakeven true_fault_fraction --between no-bypass bypass   where bypass_guest_pf regresses
  mmiocost paths                                  every path that is modelled
  mmiocost --help                                 all commands"""


def _version(shown: bool) -> None:
    if shown:
        print(f"mmiocost {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(_NEXT)


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit status. Invalid input gives one line an error, or JSON with --json."""
    as_json = "--json" in arguments
    try:
        result = app(arguments, standalone_mode=False, prog_name="mmiocost")
    except InvalidInput as error:
        return _refuse(error.problems, as_json)
    except _UsageError as error:
        command = error.ctx.command_path if error.ctx else "mmiocost"
        return _refuse([Problem(command, "", "", error.format_message())], as_json)
    except typer.Abort:
        print("interrupted", file=sys.stderr)
        return 130
    except MmioCostError as error:
        print(str(error), file=sys.stderr)
        return error.exit_status
    return int(result) if isinstance(result, int) else 0


def _refuse(problems: list[Problem] | tuple[Problem, ...], as_json: bool) -> int:
    if as_json:
        document = {**envelope(None), "errors": [problem.document() for problem in problems]}
        print(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        for problem in problems:
            print(problem.line(), file=sys.stderr)
    return InvalidInput.exit_status
