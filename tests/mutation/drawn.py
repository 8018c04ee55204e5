"""Scenarios that faults are tried on: worked examples, defaults, and seeded draws that favour the ends of domains."""

from __future__ import annotations

from functools import cache
from random import Random

from scenarios import NAMES, domain

from mmiocost.resources import root
from mmiocost.vocabulary import PATHS, resolve
from mmiocost.vocabulary.tables import worked_examples

Point = dict[str, int]

SEED = 20110609
DRAWS = 60  # for each path
ALL_PATHS = tuple(path.name for path in PATHS)
_UP_TO = {"slots": 600, "bus_devices": 40, "fast_bus_devices": 12, "shadow_pages": 500, "retries": 6}
_FEW = 9  # slots and devices in half of the draws, where each place among them matters
_END = 0.2  # chance of either end of a domain


@cache
def points(path: str) -> tuple[Point, ...]:
    """The scenarios of a path that every fault is tried on, each whole and admissible."""
    generator = Random(f"{SEED} {path}")
    drawn = (_draw(path, generator) for _ in range(DRAWS))
    return (*examples().get(path, ()), resolve(path, {}), *drawn)


@cache
def more_points(path: str, number: int) -> tuple[Point, ...]:
    """Other scenarios, for the search that a fault has to survive too."""
    generator = Random(f"{SEED} search {path}")
    return tuple(_draw(path, generator) for _ in range(number))


@cache
def examples() -> dict[str, list[Point]]:
    """Scenarios of the worked examples, by path."""
    found: dict[str, list[Point]] = {}
    for example in worked_examples((root() / "model" / "mechanism.md").read_text("utf-8")):
        found.setdefault(example.path, []).append(resolve(example.path, example.scenario))
    return found


def _draw(path: str, generator: Random) -> Point:
    drawn: Point = {}
    few = generator.random() < 0.5
    for name in NAMES:
        allowed, _ = domain(path, name, drawn)
        limit = _UP_TO.get(name, len(allowed))
        top = min(len(allowed), _FEW if few else limit) - 1 if name in _UP_TO else len(allowed) - 1
        place = generator.random()
        index = 0 if place < _END else top if place > 1 - _END else generator.randint(0, top)
        drawn[name] = allowed[index]
    return drawn
