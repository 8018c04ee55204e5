"""A kernel's terms as a linear form in what varies: counts = coefficients x features.

The features are the monomials in the symbols that vary, so that a sweep works out what depends on nothing else once,
whatever the number of its points. Printed from the SymPy terms and cached like the kernels; a form that was asked for
before loads no SymPy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from ..cache import content_hash
from ..vocabulary import PATHS
from .lowering import HEAD, kept_or_made, names_of, printed_function


class LinearForm(NamedTuple):
    """Counts of ``parameters`` as sums over features; feature 0 is 1.

    ``coefficients(*arguments)`` gives one number or array for each of ``places``, pairs of parameter and feature;
    ``features(*feature_arguments)`` gives features 1 and up. ``text`` is the module that both were printed in.
    """

    parameters: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    arguments: tuple[str, ...]
    feature_arguments: tuple[str, ...]
    coefficients: Callable[..., tuple[Any, ...]]
    features: Callable[..., tuple[Any, ...]]
    text: str

    @property
    def length(self) -> int:
        """Number of features, the constant one among them."""
        return 1 + max((feature for _, feature in self.places), default=0)

    def terms(self, scenario: Mapping[str, Any]) -> list[dict[str, Any]]:
        """For each feature: parameter → coefficient, numbers or arrays like those of the scenario."""
        found: list[dict[str, Any]] = [{} for _ in range(self.length)]
        values = self.coefficients(*(scenario[name] for name in self.arguments))
        for (parameter, feature), value in zip(self.places, values, strict=True):
            found[feature][self.parameters[parameter]] = value
        return found

    def evaluate(self, scenario: Mapping[str, Any]) -> tuple[Any, ...]:
        """All features, the constant one first."""
        return (1.0, *self.features(*(scenario[name] for name in self.feature_arguments)))


@cache
def linear_form(name: str, varying: tuple[str, ...]) -> LinearForm:
    """The form of a kernel in the symbols that vary. Raises KeyError for an unknown kernel."""
    kind = f"form-{content_hash(name, *varying)[:16]}"
    text = kept_or_made(kind, lambda: _source(name, varying).encode()).decode()
    return LinearForm._make((*names_of(text)["FORM"], text))


def _source(name: str, varying: tuple[str, ...]) -> str:
    """Text of the module of one form; loads SymPy."""
    weighted = _weighted(name)
    places, values, features = _collected(list(weighted.values()), set(varying))
    arguments, feature_arguments = _names(values), _names(features)
    form = f"FORM = ({tuple(weighted)!r}, {tuple(places)!r}, {arguments!r}, {feature_arguments!r}"
    return "\n".join([
        HEAD, _printed("coefficients", arguments, values), _printed("features", feature_arguments, features),
        f"{form}, coefficients, features)", "",
    ])  # fmt: skip


def _weighted(name: str) -> Mapping[str, Any]:
    """The terms of a kernel; those that sweeps ask for most are built without all the others."""
    from . import paths, payoff

    kind, *design = name.split(":")
    if any(path.name == name for path in PATHS):
        return paths.terms(name)
    return payoff.saving(*design) if kind == "saving" and tuple(design) in payoff.designs() else _expressions()[name]


@cache
def _expressions() -> Mapping[str, Mapping[str, Any]]:
    from .expressions import all_expressions

    return all_expressions()


def _collected(expressions: Sequence[Any], varying: set[str]) -> tuple[list[tuple[int, int]], list[Any], list[Any]]:
    """Places and coefficients of all monomials in what varies, and the monomials but for the constant one."""
    from sympy import Integer, Poly

    hidden: dict[Any, Any] = {}
    places, values = [], []
    features: dict[Any, int] = {Integer(1): 0}
    for parameter, expression in enumerate(expressions):
        plain = _hide(Integer(0) + expression, varying, hidden)
        shown = {stand_in: atom for atom, stand_in in hidden.items()}
        generators = sorted((item for item in plain.free_symbols if item in shown or str(item) in varying), key=str)
        terms = Poly(plain, *generators).terms() if generators else [((), plain)]
        for powers, coefficient in terms:
            monomial = Integer(1)
            for generator, power in zip(generators, powers, strict=True):
                monomial *= shown.get(generator, generator) ** power
            places.append((parameter, features.setdefault(monomial, len(features))))
            values.append(coefficient)
    return places, values, list(features)[1:]


def _hide(expression: Any, varying: set[str], hidden: dict[Any, Any]) -> Any:
    """The expression with a stand-in for each function of what varies, so that a polynomial is left."""
    from sympy import Dummy, Function, Max

    if not any(str(item) in varying for item in expression.free_symbols):
        return expression
    if isinstance(expression, Function | Max):
        return hidden.setdefault(expression, Dummy(f"z{len(hidden)}"))
    if not expression.args:
        return expression
    return expression.func(*(_hide(item, varying, hidden) for item in expression.args))


def _names(expressions: Sequence[Any]) -> tuple[str, ...]:
    return tuple(sorted({str(item) for value in expressions for item in value.free_symbols}))


def _printed(name: str, arguments: Sequence[str], values: Sequence[Any]) -> str:
    from sympy import cse

    shared, simple = cse(list(values), order="none")
    return printed_function(name, arguments, shared, simple)
