"""Names for output files, derived from names that strangers may have chosen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from mmiocost.cache import content_hash

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


def steady_names(texts: Sequence[str]) -> list[str]:
    """Safe names in the order of ``texts``, all different, that do not hang on that order.

    A text that is no safe name by itself, and one of several that differ by letter case at most, gets twelve digits
    of its hash, so that a scenario keeps its files when others come before it. Equal texts raise ValueError.
    """
    if len(set(texts)) < len(texts):
        raise ValueError("names must differ")
    count = Counter(safe_name(text).lower() for text in texts)
    names = [_marked(text) if safe_name(text) != text or count[text.lower()] > 1 else text for text in texts]
    # Someone may choose the very name that another one is given.
    return names if len({name.lower() for name in names}) == len(names) else [_marked(text) for text in texts]


def _marked(text: str) -> str:
    return f"{safe_name(text)}-{content_hash(text.encode(errors='surrogatepass'))[:12]}"
