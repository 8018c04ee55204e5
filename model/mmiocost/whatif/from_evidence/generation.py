"""Memslot updates of a virtual machine, from the generation numbers that its MMIO sptes were marked and checked with.

An update advances the number by a step that hangs on the kernel and on AS, the number of address spaces: 1 (read in
3.11), 2·AS (read in 4.14), AS (5.14 on). Releases between were not read, so that either neighbour's step may hold.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .estimates import Estimate, rate

SPACES = (1, 2)  # with SMM there are two; the default of ``address_spaces`` comes first


@dataclass(frozen=True)
class Sightings:
    """Generation numbers of one virtual machine: how far they came in each equal part, in how many seconds, and how
    many of its threads saw one."""

    advances: tuple[int, ...]
    seconds: float
    threads: int


def steps(release: str | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Steps that an update may make: with one address space, and with two."""
    match = re.match(r"v?(\d{1,3})\.(\d{1,3})", release or "")
    version = (int(match[1]), int(match[2])) if match else None
    if version is None:
        rules = [(1, 0), (0, 2), (0, 1)]
    elif version >= (5, 14):
        rules = [(0, 1)]
    elif version > (4, 14):
        rules = [(0, 2), (0, 1)]
    elif version == (4, 14):
        rules = [(0, 2)]
    elif version > (3, 11):
        rules = [(1, 0), (0, 2)]
    else:
        rules = [(1, 0)]
    one, two = (tuple(fixed + spaces * each for fixed, each in rules) for spaces in SPACES)
    return one, two


def period(release: str | None) -> int:
    """Where the printed number starts anew: at 2²⁰ in 4.14, which prints a bit more, else at 2¹⁹."""
    return 1 << (20 if re.match(r"v?4\.14(?!\d)", release or "") else 19)


def sightings(rows: Sequence[dict[str, Any]], parts: int, release: str | None) -> list[Sightings]:
    """Sightings by machine, from rows ``machine``, ``part``, ``first``, ``last`` (numbers) and ``begin``, ``end``
    (ns) and ``threads``, in the order of parts. A machine seen only for an instant gives none, and neither does one
    whose number went back: then two machines are taken for one."""
    found = []
    for machine in dict.fromkeys(row["machine"] for row in rows):
        own = [row for row in rows if row["machine"] == machine]
        seconds = (own[-1]["end"] - own[0]["begin"]) / 1e9
        advances, before = [0] * parts, own[0]["first"]
        for row in own:
            advances[row["part"]] = (row["last"] - before) % period(release)
            before = row["last"]
        if seconds > 0 and max(advances) < period(release) // 2:
            found.append(Sightings(tuple(advances), seconds, max(row["threads"] for row in own)))
    return found


def updates(seen: Sightings, release: str | None) -> tuple[Estimate, str]:
    """Updates a second with an interval over all steps that may hold, and the rule in words.

    The value is that of one address space and of the newest step among those possible.
    """
    one, two = steps(release)
    value = _rate(seen, one[-1])
    ends = [_rate(seen, step) for step in {*one, *two}]
    advance = sum(seen.advances)
    said = " or ".join(
        f"{advance / step:g} updates with AS = {spaces}"
        for spaces, step in zip(SPACES, (one[-1], two[-1]), strict=True)
    )
    doubt = "" if len(one) == 1 else "; the step is not certain for this kernel, and the interval spans all"
    rule = f"kvm_gen advanced by {advance} in {seen.seconds:.6g} s: {said}{doubt}"
    return Estimate(value.value, min(end.low or 0.0 for end in ends), max(end.high or 0.0 for end in ends)), rule


def _rate(seen: Sightings, step: int) -> Estimate:
    return rate([part / step for part in seen.advances], seen.seconds)
