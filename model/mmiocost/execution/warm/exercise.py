"""First uses that take long, done once before the fork; a kernelspec names them as ``module:function`` to load ahead.

Each makes a small thing of the kind that notebooks make and throws it away. None starts a thread.
"""

from __future__ import annotations


def tables() -> None:
    """A pandas table in both of its representations."""
    import numpy as np
    import pandas as pd

    table = pd.DataFrame({"a": np.arange(9.0), "b": list("abcabcabc")})
    for shown in (table, table.describe()):
        shown._repr_html_()  # type: ignore[operator]
        repr(shown)


def formulas() -> None:
    """A SymPy expression: simplified, set in LaTeX, lowered to NumPy."""
    import numpy as np
    import sympy

    x, y = sympy.symbols("x y", positive=True)
    expression = sympy.Max(0, x - y) + sympy.Piecewise((x, x > 4), (y / x, True))
    sympy.latex(sympy.simplify(expression.subs(y, 2)))
    sympy.lambdify((x, y), expression, "numpy", cse=True)(np.ones(3), np.ones(3))


def charts() -> None:
    """An Altair chart, down to its JSON."""
    import altair
    import pandas as pd

    table = pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 3.0]})
    altair.Chart(table).mark_line().encode(x="a", y="b").properties(title="t").to_json()
