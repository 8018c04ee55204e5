"""The long checks of the fit, run and kept: ``python -m mmiocost.fitting.validation``.

Coverage by simulation, and rows of the evidence predicted by fits that have not seen them. The result goes to
``data/validation/result.json``; :mod:`.validation_result` reads it. After a change that can't alter the numbers,
``--renew`` makes a sample of them again and puts the present hashes into the kept result where all of it agrees.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from .. import __version__
from ..errors import InvalidInput, Problem
from ..evidence import Evidence, evidence_hash, load
from . import bootstrap, left_out, simulation
from .bootstrap import CrossCheck
from .calibration import DIGITS, Coverage, coverages, coverages_by_group
from .fit import DRAWS, SEED
from .kept_file import keep, to_stderr
from .left_out import SCHEMES, Prediction, Scheme
from .recheck import differences
from .rows import Row, fit_rows
from .simulation import VARIANTS, Variant, World
from .validation_result import (
    COMMAND,
    FORMAT,
    Group,
    HeldOut,
    Simulated,
    Study,
    Validation,
    code_hash,
    read_validation,
    result_file,
)

SIMULATIONS = 1000

Say = Callable[[str], None]


def validate(simulations: int = SIMULATIONS, say: Say = lambda line: None) -> Validation:
    """All checks on the packaged evidence; ``say`` is told of the progress.

    ``simulations`` is their number in each variant of the truth. Raises InvalidInput where the evidence is damaged.
    """
    code, evidence = code_hash(), load()
    rows = fit_rows(evidence)
    checks = bootstrap.cross_checks(evidence)
    held_out = tuple(hold_out(rows, evidence, scheme, say) for scheme in SCHEMES)
    here = simulation.world(rows, evidence.priors)
    studies = tuple(study(here, variant, simulations, say) for variant in VARIANTS)
    return Validation(
        datetime.now(UTC).isoformat(timespec="seconds"),
        __version__,
        evidence_hash(),
        code,
        {"simulation": simulation.SEED, "fit": SEED, "bootstrap": bootstrap.SEED},
        {"simulation": simulation.DRAWS, "held_out": DRAWS, "bootstrap": bootstrap.REFITS},
        {"machine": simulation.TRUTH.machine, "machine_event": simulation.TRUTH.machine_event,
         "state_event": simulation.TRUTH.state_event},
        studies,
        held_out,
        checks,
        (*_notes_on_studies(studies), *_notes_on_held_out(held_out), *_notes_on_bootstrap(checks)),
    )  # fmt: skip


def renewed() -> Validation:
    """The kept result with the present hashes, once a sample of it made again agrees.

    Raises InvalidInput with what does not agree, or where there is no kept result.
    """
    kept, code, evidence = read_validation(), code_hash(), load()
    found = differences(kept, evidence)
    if found:
        raise InvalidInput(Problem("", line, "", f"the kept result is out of date; run `{COMMAND}`") for line in found)
    return replace(kept, evidence=evidence_hash(), code=code)


def study(here: World, variant: Variant, simulations: int, say: Say = lambda line: None) -> Study:
    """Coverage in one variant; simulation number i is the same however many there are."""
    found = []
    for number in range(simulations):
        found.append(simulation.ranks(here, variant, number))
        if (number + 1) % 20 == 0 or number + 1 == simulations:
            say(f"{variant.name}: {number + 1} of {simulations} simulations")
    by_cost = np.round(found, DIGITS).T.tolist()
    return Study(variant, tuple(_simulated(cost, ranks) for cost, ranks in zip(here.labels, by_cost, strict=True)))


def _simulated(cost: str, ranks: Sequence[float]) -> Simulated:
    return Simulated(cost, coverages(ranks), round(float(np.mean(ranks)), DIGITS), tuple(ranks))


def hold_out(rows: Sequence[Row], evidence: Evidence, scheme: Scheme, say: Say = lambda line: None) -> HeldOut:
    """All folds of a scheme."""
    names = left_out.folds(rows, scheme)
    found: list[Prediction] = []
    for name in names:
        found += left_out.predictions(rows, evidence.priors, scheme, name)
        say(f"left out: {scheme.left_out} {name}, known: {scheme.known}")
    sources = dict.fromkeys(item.source for item in found)
    ranks = {source: [item.rank for item in found if item.source == source] for source in sources}
    return HeldOut(
        scheme,
        names,
        coverages([item.rank for item in found]),
        coverages_by_group(ranks),
        round(float(np.median([item.relative_error for item in found])), DIGITS),
        tuple(_group(source, [item for item in found if item.source == source]) for source in sources),
        tuple(found),
    )


def _group(source: str, items: Sequence[Prediction]) -> Group:
    inside = sum(item.covered(0.95) for item in items)
    return Group(source, len(items), inside, round(float(np.mean([item.z for item in items])), DIGITS))


def _notes_on_studies(studies: Sequence[Study]) -> Iterator[str]:
    for item in studies:
        for cost in item.costs:
            for narrow in (level for level in cost.coverage if level.too_narrow):
                yield f"simulation, {item.variant.name}: {cost.cost}: {_too_narrow(narrow)}"


def _notes_on_held_out(held_out: Sequence[HeldOut]) -> Iterator[str]:
    for item in held_out:
        for narrow in (level for level in item.coverage if level.too_narrow):
            known = f"{item.scheme.left_out} left out, known: {item.scheme.known}"
            sources = next(level for level in item.by_source if level.level == narrow.level)
            yield (
                f"{known}: {_too_narrow(narrow)} rows; rows of one source share their error: with each source counted"
                f" once {sources.covered:.1%} of {sources.count} (standard error {sources.error:.1%})"
            )
    same = {
        tuple(sorted((found.row, found.rank) for found in item.predictions))
        for item in held_out
        if item.scheme.known == "nothing"
    }
    if len(same) == 1:
        yield "every source measured one machine: leaving out sources and leaving out machines are the same folds"


def _notes_on_bootstrap(checks: Sequence[CrossCheck]) -> Iterator[str]:
    for item in checks:
        if item.width_ratio > 1.5:
            yield (
                f"bootstrap by source: {item.cost}: its interval is {item.width_ratio:.1f} times as wide as the fit's"
                f" in logarithms; {item.lost:.0%} of the refits have lost all sources of a part of it"
            )


def _too_narrow(found: Coverage) -> str:
    return (
        f"intervals of {found.level:.0%} are too narrow and cover {found.covered:.1%} of {found.count}"
        f" (standard error {found.error:.1%} if independent)"
    )


def table(result: Validation) -> str:
    """The result in lines for a terminal."""
    lines = [f"{'covered by intervals of':70}    50 %    80 %    95 %"]
    for item in result.studies:
        lines += [_line(f"{item.variant.name}: {cost.cost}", cost.coverage) for cost in item.costs]
    for held in result.held_out:
        label = f"{held.scheme.left_out} left out, {held.scheme.known} known"
        lines += [_line(f"{label}, by row", held.coverage), _line(f"{label}, by source", held.by_source)]
        lines += [
            f"    {group.source}: {group.inside} of {group.rows} rows inside 95 %, mean z {group.mean_z:+.1f}"
            for group in held.groups
        ]
    lines.append("95 % interval in cycles from refits of sources drawn with replacement, and from the fit")
    lines += [
        f"    {item.cost:66} {item.low:9.4g} to {item.high:9.4g}   {item.fit_low:9.4g} to {item.fit_high:9.4g}"
        for item in result.bootstrap
    ]
    return "\n".join([*lines, *result.notes])


def _line(label: str, found: Sequence[Coverage]) -> str:
    return f"{label:70}" + "".join(f"{item.covered:8.3f}" for item in found) + f"   of {found[0].count}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all checks, print a table, keep the result; 2 for invalid input."""
    parser = argparse.ArgumentParser(prog="python -m mmiocost.fitting.validation", description=__doc__)
    parser.add_argument("--simulations", type=_positive, default=SIMULATIONS, metavar="N", help="in each variant")
    parser.add_argument("--out", type=Path, default=result_file(), metavar="FILE")
    parser.add_argument("--renew", action="store_true", help="only check a sample of the kept result")
    options = parser.parse_args(arguments)

    def make() -> Validation:
        _refuse_unwritable(options.out)
        return renewed() if options.renew else validate(options.simulations, to_stderr)

    return keep(make, FORMAT, options.out, table)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError("must be a whole number from 1 on")
    return int(text)


def _refuse_unwritable(out: Path) -> None:
    """Said before the run and not after it."""
    folder = next(place for place in out.absolute().parents if place.exists())
    if out.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InvalidInput.one("--out", "", str(out), "must be a file in a folder that can be written")


if __name__ == "__main__":
    raise SystemExit(main())
