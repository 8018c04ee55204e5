"""Options that commands share, and a parser that raises instead of leaving.

argparse is the parser because it is there: a library for command lines costs a prediction more than NumPy does.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from ..errors import InvalidInput
from ..evidence.digest import ALONE

Commands = Any  # what ArgumentParser.add_subparsers gives; argparse does not name its type


class Parser(argparse.ArgumentParser):
    """A parser whose wrong usage is an InvalidInput; long options are not abbreviated."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        """Raise wrong usage as the error that every other invalid input is."""
        raise InvalidInput.one(self.prog, "", "", f"{message}; `{self.prog} --help` lists what there is")


def add_command(commands: Commands, name: str, run: Callable[..., Any]) -> Parser:
    """A command that calls ``run`` with its options; its docstring is the help. Every command takes ``--json``."""
    about = " ".join((run.__doc__ or "").split())
    parser: Parser = commands.add_parser(name, help=about.replace("%", "%%"), description=about)
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def scenario_options(parser: Parser) -> None:
    """``--set``, ``--scenario`` and ``--machine``."""
    set_option(parser)
    library = "read a YAML or TOML scenario, or one of the library by name (`mmiocost scenario` lists them)"
    parser.add_argument("--scenario", type=Path, metavar="FILE", help=library)
    parser.add_argument(
        "--machine", metavar="NAME", help="a machine of the evidence, or MACHINE/STATE; default: the population"
    )


def set_option(parser: Parser) -> None:
    """``--set NAME=VALUE``."""
    parser.add_argument(
        "--set", dest="sets", action="append", default=[], metavar="NAME=VALUE", help="set a symbol; may repeat"
    )


def evidence_option(parser: Parser) -> None:
    """``--evidence DIR`` and ``--alone``: the option ``evidence`` as :class:`mmiocost.evidence.Folders` reads it.

    A command hands the list on as it is, to ``current_fit``, ``load``, ``evidence_hash`` and all that takes evidence;
    the mark for ``--alone`` stands among the folders.
    """
    parser.add_argument(
        "--evidence",
        action="append",
        type=Path,
        default=[],
        metavar="DIR",
        help="add the user's evidence to the packaged one; may repeat",
    )
    alone = "fit the user's evidence alone, with the packaged priors but without the packaged rows"
    parser.add_argument("--alone", dest="evidence", action="append_const", const=ALONE, help=alone)


def cases_option(parser: Parser) -> None:
    """``--cases FILE``."""
    parser.add_argument("--cases", type=Path, metavar="FILE", help="a JSON list of cases, answered in order")


def positive(text: str) -> int:
    """A whole number of 1 or more, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} must be 1 or more")
    return number
