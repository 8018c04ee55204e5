"""The check of ``plan``, run and kept: ``python -m mmiocost.whatif.plan_validation``.

The result goes to ``data/validation/plan.json``; :mod:`.plan_result` reads it. After a change that can't alter the
numbers, ``--renew`` makes a sample of them again and puts the present hashes into the kept result.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import InvalidInput, Problem
from ..evidence import evidence_hash
from ..fitting.kept_file import keep, to_stderr
from .plan_check import REPLICATES, STUDIES, check, ground, regrets
from .plan_result import COMMAND, FORMAT, Checked, code_hash, mean_of, read_checked, result_file


def differences(kept: Checked, replicates: Sequence[int] = (0, 1, 2), studies: int = len(STUDIES)) -> list[str]:
    """Where a sample of the replicates made again is not what was kept; empty where all of it agrees.

    The first ``studies`` are looked at. A decision that hangs on the last digit may fall to the other side: one in a
    sample of three may differ.
    """
    found: list[str] = []
    for item, (question, scenario) in list(zip(kept.studies, STUDIES, strict=True))[:studies]:
        here = ground(question, scenario)
        first = here.ranked.candidates[0]
        if f"{first.measurement}, {first.machine}" != item.best:
            found.append(f"{question}: {first.measurement} ranks first now, not {item.best}")
            continue
        again = np.array([regrets(here, number) for number in replicates])
        before = np.array([[row[number] for row in item.regrets] for number in replicates])
        wrong = int((~np.isclose(again, before, rtol=1e-3, atol=1e-3)).any(axis=1).sum())
        if wrong > len(replicates) // 3:
            found.append(f"{question}: {wrong} of {len(replicates)} replicates differ")
    return found


def renewed() -> Checked:
    """The kept result with the present hashes, once a sample of it made again agrees. Raises InvalidInput."""
    kept = read_checked()
    found = differences(kept)
    if found:
        raise InvalidInput(Problem("", line, "", f"the kept result is out of date; run `{COMMAND}`") for line in found)
    return replace(kept, evidence=evidence_hash(), code=code_hash())


def table(result: Checked) -> str:
    """The result in lines for a terminal."""
    lines = []
    for item in result.studies:
        lines.append(f"{item.question}: expected regret now {item.expected_now:.4g} {item.unit}")
        for label, regret in zip(("now", item.best, "a random one", item.last), item.regrets, strict=True):
            mean = mean_of(regret)
            lines.append(f"  {label:40} mean regret {mean.mean:.4g} [{mean.low:.4g}, {mean.high:.4g}]")
        for label, other in (("random", item.after_random), ("last", item.after_last)):
            fall = item.fall(other)
            lines.append(f"  falls more than after the {label}: {fall.mean:.4g} [{fall.low:.4g}, {fall.high:.4g}]")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check, print a table, keep the result; 2 for invalid input."""
    parser = argparse.ArgumentParser(prog="python -m mmiocost.whatif.plan_validation", description=__doc__)
    parser.add_argument("--replicates", type=int, default=REPLICATES, metavar="N", help="of each decision")
    parser.add_argument("--out", type=Path, default=result_file(), metavar="FILE")
    parser.add_argument("--renew", action="store_true", help="only make a sample of the kept result again")
    options = parser.parse_args(arguments)
    if options.replicates < 2:
        parser.error("--replicates: must be 2 or more")

    def make() -> Checked:
        return renewed() if options.renew else check(options.replicates, to_stderr)

    return keep(make, FORMAT, options.out, table)


if __name__ == "__main__":
    raise SystemExit(main())
