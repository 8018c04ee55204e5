"""Points of a sample in blocks: Latin hypercubes and scrambled Sobol sequences with a fixed seed (scipy.stats.qmc)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..fitting.design import Array
from ..fitting.fit import SEED

KINDS = ("lhs", "sobol")
CUBE = 2**20  # points of one Latin hypercube; a larger sample is several of them, so that memory stays bounded
_BLOCK = 2**16


def unit_blocks(kind: str, points: int, dimensions: int) -> Iterator[Array]:
    """Coordinates on the unit interval, (rows, dimensions) at a time, the same on every call."""
    rng = np.random.default_rng([SEED, 4, dimensions])
    yield from (_sobol if kind == "sobol" else _hypercubes)(points, dimensions, rng)


def _sobol(points: int, dimensions: int, rng: np.random.Generator) -> Iterator[Array]:
    """The first ``points`` of a sequence. Its balance holds for powers of two, and so is its first block drawn."""
    from scipy.stats import qmc

    engine = qmc.Sobol(dimensions, rng=rng)
    block = min(_BLOCK, 1 << (points - 1).bit_length())
    for start in range(0, points, block):
        yield engine.random(block)[: points - start]


def _hypercubes(points: int, dimensions: int, rng: np.random.Generator) -> Iterator[Array]:
    from scipy.stats import qmc

    engine = qmc.LatinHypercube(dimensions, rng=rng)
    for start in range(0, points, CUBE):
        cube = engine.random(min(CUBE, points - start))
        yield from (cube[first : first + _BLOCK] for first in range(0, len(cube), _BLOCK))
