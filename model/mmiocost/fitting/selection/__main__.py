"""Score the joint fit's rivals and keep the result: ``python -m mmiocost.fitting.selection`` (minutes).

After a change that can't alter the numbers, ``--renew`` makes a sample of them again and puts the present hashes into
the kept result where all of it agrees.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ...cache import write_atomically
from ...errors import MmioCostError
from .joint import VARIANTS
from .kept import renewed, select, selection_file, written
from .scores import compare


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print a table, keep the result; 2 for invalid input."""
    parser = argparse.ArgumentParser(prog="python -m mmiocost.fitting.selection", description=__doc__)
    parser.add_argument("--renew", action="store_true", help="only check a sample of the kept result")
    options = parser.parse_args(arguments)
    try:
        found = renewed() if options.renew else select(lambda line: print(line, file=sys.stderr, flush=True))
        write_atomically(selection_file(), written(found))
    except MmioCostError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    used = found.of(VARIANTS[0].name)
    print(f"{'log density of left-out sources':38}{'':10}  against {used.form}")
    for item in found.scores:
        against = compare(used, item, "source")
        print(f"{item.form:38}{item.scheme('source').log_density:10.2f}{against.difference:+10.2f}  {against.verdict}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
