"""Score the joint fit's rivals and keep the result: ``python -m mmiocost.fitting.selection`` (minutes).

After a change that can't alter the numbers, ``--renew`` makes a sample of them again and puts the present hashes into
the kept result where all of it agrees.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ..kept_file import keep, to_stderr
from .joint import VARIANTS
from .kept import FORMAT, Selection, renewed, select, selection_file
from .scores import compare


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print a table, keep the result; 2 for invalid input."""
    parser = argparse.ArgumentParser(prog="python -m mmiocost.fitting.selection", description=__doc__)
    parser.add_argument("--renew", action="store_true", help="only check a sample of the kept result")
    options = parser.parse_args(arguments)
    return keep(lambda: renewed() if options.renew else select(to_stderr), FORMAT, selection_file(), _table)


def _table(found: Selection) -> str:
    used = found.of(VARIANTS[0].name)
    lines = [f"{'log density of left-out sources':38}{'':10}  against {used.form}"]
    for item in found.scores:
        against = compare(used, item, "source")
        density = item.scheme("source").log_density
        lines.append(f"{item.form:38}{density:10.2f}{against.difference:+10.2f}  {against.verdict}")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
