"""What a committed notebook may hold: one question, a few calls of the API, no outputs."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

_COMPUTING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.AsyncFor, ast.While)


def notebook_faults(notebook: Mapping[str, Any]) -> list[str]:
    """What keeps a notebook from being a thin view over the model, one line a fault."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in cells]
    faults = [f"code cell {n}: has outputs" for n, cell in enumerate(cells, 1) if _executed(cell)]
    if not cells or "parameters" not in cells[0]["metadata"].get("tags", []):
        faults.append("the first code cell is not tagged 'parameters'")
    if len(cells) > 12:
        faults.append(f"{len(cells)} code cells, more than a dozen")
    if sum(len(source.splitlines()) for source in sources) > 120:
        faults.append("more than 120 lines of code")
    for number, source in enumerate(sources, 1):
        found = sorted({type(node).__name__ for node in ast.walk(ast.parse(source)) if isinstance(node, _COMPUTING)})
        faults += [f"code cell {number}: {kind} belongs into the package" for kind in found]
    return faults


def _executed(cell: Mapping[str, Any]) -> bool:
    return bool(cell.get("outputs")) or cell.get("execution_count") is not None
