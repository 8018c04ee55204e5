"""Generated code compiled by numba: for millions of calls, since loading numba and building cost some seconds.

What is built is kept for later processes: the text is written as a module into a folder of the cache that is named
after its hash, and numba keeps its object code beside it. A file that is there already is left alone, so that two
processes that build the same at once do no harm.
"""

from __future__ import annotations

import contextlib
import importlib.util
import math
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from ..cache import cache_dir, content_hash, write_atomically
from .exponential import exponential
from .integer import bisection_compares, some, tree_hit_compares
from .linear_form import LinearForm
from .lowering import Kernel, kernel, names_of, sources_hash


def compiled(name: str) -> Kernel:
    """The kernel of that name, compiled at its first call: numbers in, a tuple of numbers out.

    The function may be called from other code that numba compiles.
    """
    lowered = kernel(name)
    return lowered._replace(function=_numba().njit(lowered.function))


@cache
def _numba() -> Any:
    """The module numba, told about the functions that generated code calls."""
    import numba
    from numba.extending import overload, register_jitable

    overload(some)(lambda condition: lambda condition: condition)
    overload(exponential)(lambda x: lambda x: math.exp(x))
    register_jitable(bisection_compares)
    register_jitable(tree_hit_compares)
    return numba


@cache
def compiled_features(form: LinearForm, columns: frozenset[str]) -> Callable[..., None]:
    """``fill(out, *feature_arguments)``: the features of a form, row by row.

    ``out``: (features, rows) float64, of which the first, constant one is left alone. Those arguments that are
    ``columns`` are arrays (rows,), all others numbers.
    """
    found = _built(_with_loop(form, columns))
    jit = _numba().njit
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "cache": "__file__" in found}
    found["features"] = jit(**options)(found["features"])
    return jit(**options)(found["fill"])  # type: ignore[no-any-return]


def _with_loop(form: LinearForm, columns: frozenset[str]) -> str:
    """The text of a form with a loop over rows behind it."""
    given = ", ".join(f"{name}[row]" if name in columns else name for name in form.feature_arguments)
    lines = [f"        out[{place + 1}, row] = found[{place}]\n" for place in range(form.length - 1)]
    return (
        f"{form.text}\n\ndef fill(out, {', '.join(form.feature_arguments)}):\n    for row in range(out.shape[1]):\n"
        f"        found = features({given})\n{''.join(lines)}"
    )


def _built(text: str) -> dict[str, Any]:
    """Names of a module of that text, which is kept in a file so that numba can keep what it builds."""
    folder = cache_dir() / f"compiled-{content_hash(text, sources_hash())[:24]}"
    place = folder / "module.py"
    with contextlib.suppress(OSError):  # without a cache the next process builds it again
        if not _holds(place, text):
            write_atomically(place, text)
        spec = importlib.util.spec_from_file_location(f"mmiocost_{folder.name.replace('-', '_')}", place)
        assert spec and spec.loader
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # where numba looks for it
        spec.loader.exec_module(module)
        return vars(module)
    return names_of(text)


def _holds(place: Path, text: str) -> bool:
    try:
        return place.read_bytes() == text.encode()
    except OSError:
        return False
