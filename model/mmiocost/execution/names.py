"""Names for output files, derived from names that strangers may have chosen."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LONGEST = 80
# Device names that Windows reserves in every folder, whatever the extension.
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def safe_name(text: str) -> str:
    """A file name of ASCII letters, digits, ``.``, ``-`` and ``_`` that stays inside its folder.

    Runs of anything else become one dash; the name is never empty, hidden or longer than 80 characters.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", text)
    name = re.sub(r"\.{2,}", ".", name)[:_LONGEST].strip(".-")
    return f"notebook-{name}" if name.split(".")[0].lower() in _RESERVED else name or "notebook"


def unique_names(texts: Iterable[str]) -> list[str]:
    """Safe names in the order of ``texts``, with ``-2``, ``-3`` … where two differ by letter case at most."""
    taken: set[str] = set()
    names = []
    for text in texts:
        base, name, count = safe_name(text), safe_name(text), 1
        while name.lower() in taken:
            count += 1
            name = f"{base}-{count}"
        taken.add(name.lower())
        names.append(name)
    return names
