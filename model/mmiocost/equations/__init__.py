"""What each path costs: exact counts in closed form, written once in SymPy, and what follows from them.

Comes in: the names of ``vocabulary``. Goes out: expressions, and the Python module that ``lowering`` prints from
them. No float stands in an equation: counts are exact, and what must be measured is a parameter.
"""
