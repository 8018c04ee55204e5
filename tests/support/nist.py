"""The 27 nonlinear regressions of NIST's Statistical Reference Datasets, with certified answers.

Source: https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml, the work of the US government and in the public
domain. ``tests/fitting/nist/data.csv`` holds the observations; ``certified.csv`` both starts, value and standard
deviation of each parameter, and as the line ``residual`` the residual sum of squares and standard deviation.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import sympy as sp

FOLDER = Path(__file__).resolve().parents[1] / "fitting" / "nist"

b1, b2, b3, b4, b5, b6, b7, b8, b9 = B = sp.symbols("b1:10")
x1, x2 = sp.symbols("x1 x2")

_SATURATION = b1 * (1 - sp.exp(-b2 * x1))
_THREE_DECAYS = b1 * sp.exp(-b2 * x1) + b3 * sp.exp(-b4 * x1) + b5 * sp.exp(-b6 * x1)
_TWO_PEAKS = (
    b1 * sp.exp(-b2 * x1) + b3 * sp.exp(-(((x1 - b4) / b5) ** 2)) + b6 * sp.exp(-(((x1 - b7) / b8) ** 2))
)  # fmt: skip
_CUBICS = (b1 + b2 * x1 + b3 * x1**2 + b4 * x1**3) / (1 + b5 * x1 + b6 * x1**2 + b7 * x1**3)
_CHWIRUT = sp.exp(-b1 * x1) / (b2 + b3 * x1)
_CYCLE = 2 * sp.pi * x1


def _cycle(cosine: sp.Expr, sine: sp.Expr, period: sp.Expr) -> sp.Expr:
    return cosine * sp.cos(_CYCLE / period) + sine * sp.sin(_CYCLE / period)


# The names and the order of NIST: lower, average and higher level of difficulty.
FORMULAS: dict[str, sp.Expr] = {
    "Misra1a": _SATURATION,
    "Chwirut2": _CHWIRUT,
    "Chwirut1": _CHWIRUT,
    "Lanczos3": _THREE_DECAYS,
    "Gauss1": _TWO_PEAKS,
    "Gauss2": _TWO_PEAKS,
    "DanWood": b1 * x1**b2,
    "Misra1b": b1 * (1 - (1 + b2 * x1 / 2) ** -2),
    "Kirby2": (b1 + b2 * x1 + b3 * x1**2) / (1 + b4 * x1 + b5 * x1**2),
    "Hahn1": _CUBICS,
    "Nelson": b1 - b2 * x1 * sp.exp(-b3 * x2),
    "MGH17": b1 + b2 * sp.exp(-x1 * b4) + b3 * sp.exp(-x1 * b5),
    "Lanczos1": _THREE_DECAYS,
    "Lanczos2": _THREE_DECAYS,
    "Gauss3": _TWO_PEAKS,
    "Misra1c": b1 * (1 - 1 / sp.sqrt(1 + 2 * b2 * x1)),
    "Misra1d": b1 * b2 * x1 / (1 + b2 * x1),
    "Roszman1": b1 - b2 * x1 - sp.atan(b3 / (x1 - b4)) / sp.pi,
    "ENSO": b1 + _cycle(b2, b3, sp.Integer(12)) + _cycle(b5, b6, b4) + _cycle(b8, b9, b7),
    "MGH09": b1 * (x1**2 + x1 * b2) / (x1**2 + x1 * b3 + b4),
    "Thurber": _CUBICS,
    "BoxBOD": _SATURATION,
    "Rat42": b1 / (1 + sp.exp(b2 - b3 * x1)),
    "MGH10": b1 * sp.exp(b2 / (x1 + b3)),
    "Eckerle4": b1 / b2 * sp.exp(-(((x1 - b3) / b2) ** 2) / 2),
    "Rat43": b1 / (1 + sp.exp(b2 - b3 * x1)) ** (1 / b4),
    "Bennett5": b1 * (b2 + x1) ** (-1 / b3),
}


@dataclass(frozen=True)
class Regression:
    """Observations (rows,), a model with its Jacobian, two starts (parameters,), what NIST certifies."""

    name: str
    target: np.ndarray
    model: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    starts: tuple[np.ndarray, np.ndarray]
    value: np.ndarray
    sd: np.ndarray
    residual_squares: float
    residual_sd: float


@cache
def regression(name: str) -> Regression:
    """The problem of that name."""
    lines = [line for line in _table("certified.csv") if line["set"] == name]
    parameters, residual = lines[:-1], lines[-1]
    start_1, start_2, value, sd = (
        np.array([float(line[key]) for line in parameters]) for key in ("start_1", "start_2", "value", "sd")
    )
    rows = [line for line in _table("data.csv") if line["set"] == name]
    target = np.array([float(row["y"]) for row in rows])
    predictors = [np.array([float(row[key]) for row in rows]) for key in ("x1", "x2") if rows[0][key]]
    return Regression(
        name,
        np.log(target) if name == "Nelson" else target,
        _lowered(FORMULAS[name], B[: len(parameters)], predictors),
        (start_1, start_2),
        value,
        sd,
        float(residual["value"]),
        float(residual["sd"]),
    )


def _lowered(
    formula: sp.Expr, parameters: tuple[sp.Symbol, ...], predictors: list[np.ndarray]
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Values (rows,) and Jacobian (rows, parameters) of a formula, the derivatives taken by SymPy."""
    outputs = [formula, *(sp.diff(formula, parameter) for parameter in parameters)]
    function = sp.lambdify([*parameters, x1, x2][: len(parameters) + len(predictors)], outputs, cse=True)

    def model(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with np.errstate(all="ignore"):  # a far trial step may overflow: the solver turns back from what is not finite
            value, *columns = (np.broadcast_to(item, predictors[0].shape) for item in function(*values, *predictors))
        return np.asarray(value, dtype=float), np.stack(columns, axis=1).astype(float)

    return model


@cache
def _table(name: str) -> list[dict[str, str]]:
    return list(_read(name))


def _read(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open(newline="") as file:
        yield from csv.DictReader(file)
