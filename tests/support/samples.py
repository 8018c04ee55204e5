"""Small notebooks and a small site for the tests of execution, reporting and the browser."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>"


def code(source: str, *, parameters: bool = False, outputs: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """A code cell, tagged ``parameters`` if asked for."""
    metadata = {"tags": ["parameters"]} if parameters else {}
    return {
        "cell_type": "code",
        "metadata": metadata,
        "source": source,
        "outputs": list(outputs),
        "execution_count": None,
    }


def prose(source: str) -> dict[str, Any]:
    """A Markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def write_notebook(path: Path, *cells: dict[str, Any]) -> Path:
    """Write a notebook of format 4.5 with these cells."""
    numbered = [{**cell, "id": f"cell-{number}"} for number, cell in enumerate(cells)]
    document = {"cells": numbered, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def shown(data: dict[str, Any]) -> dict[str, Any]:
    """The output of a cell that displays a media bundle."""
    return {"output_type": "display_data", "data": data, "metadata": {}}


def streams(path: Path) -> str:
    """All that the cells of an executed notebook printed."""
    cells = json.loads(path.read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "".join("".join(output["text"]) for output in outputs if output["output_type"] == "stream")
