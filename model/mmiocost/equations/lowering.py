"""The equations as a Python module of plain functions, printed once and cached under a hash of their sources.

The command line calls these functions with integers, sweeps with NumPy arrays, and numba compiles them where it is
installed; none of these loads SymPy. Each branch is arithmetic, so that one text serves all three: [x > 0] is
printed as ``1*((x) > 0)``. ``javascript`` prints the same forms for a browser.
"""

from __future__ import annotations

import contextlib
import marshal
import math
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ..cache import cache_dir, content_hash, files_hash, sealed, unsealed, write_atomically
from ..errors import MmioCostError
from .exponential import exponential
from .integer import bisection_compares, some, tree_hit_compares

_ROWS = 2**14  # a few dozen columns of 8 bytes for so many rows stay in the processor's second-level cache


class Kernel(NamedTuple):
    """A lowered set of terms: ``function(*arguments)`` gives one number for each name of ``parameters``."""

    function: Callable[..., tuple[Any, ...]]
    arguments: tuple[str, ...]
    parameters: tuple[str, ...]

    def __call__(self, scenario: Mapping[str, Any]) -> dict[str, Any]:
        """Parameter → how often it occurs, for a scenario that holds all arguments (numbers or arrays)."""
        values = self.function(*(scenario[name] for name in self.arguments))
        return dict(zip(self.parameters, values, strict=True))

    def blocks(self, scenario: Mapping[str, Any]) -> dict[str, Any]:
        """What a call gives, faster for long arrays: they are worked off in parts that stay in the processor's cache.

        Arrays have one dimension and one length. What is the same in all rows stays a number.
        """
        import numpy as np

        columns = {name: scenario[name] for name in self.arguments if np.ndim(scenario[name])}
        length = len(next(iter(columns.values()), ()))
        found: dict[str, Any] = {}
        for start in range(0, max(length, 1), _ROWS):
            rows = slice(start, start + _ROWS)
            for name, value in self({**scenario, **{key: column[rows] for key, column in columns.items()}}).items():
                if np.ndim(value):
                    found.setdefault(name, np.empty(length, value.dtype))[rows] = value
                else:
                    found[name] = value
        return found


class Form(NamedTuple):
    """Terms ready to be printed: a value for each parameter, and before them what values have in common."""

    arguments: tuple[str, ...]
    parameters: tuple[str, ...]
    shared: list[tuple[Any, Any]]
    values: list[Any]


def kernel(name: str) -> Kernel:
    """The kernel of that name: a path, ``gain_of_hit:MODE:GEN``, ``hit_fraction:GEN``, ``regression`` and so on."""
    return Kernel(*_module()[name])


def compiled(name: str) -> Kernel:
    """The kernel of that name, compiled by numba at its first call: numbers in, a tuple of numbers out.

    The function may be called from other code that numba compiles. Raises MmioCostError where numba is missing.
    """
    lowered = kernel(name)
    return lowered._replace(function=_numba().njit(lowered.function))


@cache
def _numba() -> Any:
    """The module numba, told about the functions that generated code calls."""
    try:
        import numba
    except ImportError:
        raise MmioCostError("compiled equations need numba: install mmiocost with the extra 'fast'") from None
    from numba.extending import overload, register_jitable

    overload(some)(lambda condition: lambda condition: condition)
    overload(exponential)(lambda x: lambda x: math.exp(x))
    register_jitable(bisection_compares)
    register_jitable(tree_hit_compares)
    return numba


def kernel_names() -> tuple[str, ...]:
    """Names of all kernels."""
    return tuple(_module())


@cache
def _module() -> dict[str, tuple[Callable[..., tuple[Any, ...]], tuple[str, ...], tuple[str, ...]]]:
    """KERNELS of the generated module, from the cache when its sources are unchanged."""
    kept = kept_or_made(
        f"equations-{sys.implementation.cache_tag}", lambda: marshal.dumps(compile(source(), "<equations>", "exec"))
    )
    names: dict[str, Any] = {}
    exec(marshal.loads(kept), names)
    return names["KERNELS"]  # type: ignore[no-any-return]


def kept_or_made(kind: str, make: Callable[[], bytes]) -> bytes:
    """What was made from the equations, from the cache when their sources are unchanged, else made anew."""
    place = cache_dir() / f"{kind}-{_sources_hash()[:16]}.bin"
    try:
        return unsealed(place.read_bytes())
    except (OSError, ValueError):
        made = make()
        with contextlib.suppress(OSError):  # a cache that can't be written costs time, not the answer
            write_atomically(place, sealed(made))
        return made


def _sources_hash() -> str:
    here = Path(__file__).parent
    return content_hash(*(files_hash(folder.glob("*.py")) for folder in (here, here.parent / "vocabulary")))


def forms() -> dict[str, Form]:
    """All kernels by name, common subexpressions taken out; loads SymPy."""
    from sympy import cse

    from .expressions import all_expressions

    found = {}
    for name, weighted in all_expressions().items():
        arguments = sorted({str(item) for value in weighted.values() for item in value.free_symbols})
        shared, values = cse(list(weighted.values()), order="none")
        found[name] = Form(tuple(arguments), tuple(weighted), shared, values)
    return found


def source() -> str:
    """Text of the generated module; loads SymPy."""
    functions, table = [], []
    for number, (name, form) in enumerate(forms().items()):
        functions.append(_function(f"f{number}", form))
        table.append(f"    {name!r}: (f{number}, {form.arguments!r}, {form.parameters!r}),")
    head = '"""Generated by mmiocost.equations.lowering; do not edit."""\n\n'
    head += "from mmiocost.equations.exponential import exponential\n"
    head += "from mmiocost.equations.integer import bisection_compares, tree_hit_compares\n"
    return "\n".join([head, *functions, "KERNELS = {", *table, "}", ""])


def _function(name: str, form: Form) -> str:
    printer = _printer()
    lines = [f"    {left} = {printer.doprint(right)}\n" for left, right in form.shared]
    body = "".join(f"        {printer.doprint(value)},\n" for value in form.values)
    return f"\ndef {name}({', '.join(form.arguments)}):\n{''.join(lines)}    return (\n{body}    )\n"


def _printer() -> Any:
    from sympy.printing.pycode import PythonCodePrinter

    class Printer(PythonCodePrinter):  # type: ignore[misc]
        def _print_Bisection(self, expr: Any) -> str:  # noqa: N802
            return f"bisection_compares({self._print(expr.args[0])}, {self._print(expr.args[1])})"

        def _print_TreeHit(self, expr: Any) -> str:  # noqa: N802
            return f"tree_hit_compares({self._print(expr.args[0])}, {self._print(expr.args[1])})"

        def _print_exp(self, expr: Any) -> str:
            return f"exponential({self._print(expr.args[0])})"

        def _print_Positive(self, expr: Any) -> str:  # noqa: N802
            return f"(1*(({self._print(expr.args[0])}) > 0))"

        def _print_Equal(self, expr: Any) -> str:  # noqa: N802
            return f"(1*(({self._print(expr.args[0])}) == ({self._print(expr.args[1])})))"

        def _print_Max(self, expr: Any) -> str:  # noqa: N802
            (other,) = [item for item in expr.args if item != 0]
            return f"(({self._print(other)})*(1*(({self._print(other)}) > 0)))"

    return Printer()
