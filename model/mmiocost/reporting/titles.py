"""What pages are called, read from their sources without loading a renderer."""

from __future__ import annotations

import json
import re


def first_heading(text: str) -> str | None:
    """The text of the first Markdown heading of level 1 (``# …``), without marks of emphasis or code."""
    found = re.search(r"^#[ \t]+(.+?)[ \t]*#*$", text, re.MULTILINE)
    return re.sub(r"[*`]|(?<!\w)_|_(?!\w)", "", found[1]) if found else None


def notebook_title(content: bytes) -> str | None:
    """The first heading of level 1 in the Markdown cells of a notebook, None if there is none."""
    try:
        cells = json.loads(content)["cells"]
        texts = ["".join(cell["source"]) for cell in cells if cell.get("cell_type") == "markdown"]
    except (ValueError, KeyError, TypeError):
        return None
    return next((title for title in map(first_heading, texts) if title), None)
