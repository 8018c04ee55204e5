"""Stable anchors: the same name gives the same place in a page, whatever stands before it."""

from __future__ import annotations

import re


def anchor(kind: str, name: str) -> str:
    """``kind-name`` with each run of all but letters of ASCII, digits, ``_`` and ``.`` as one dash."""
    return re.sub(r"[^A-Za-z0-9_.]+", "-", f"{kind}-{name}").strip("-")


class Anchors:
    """The anchors of one page, each given once: a name that comes again gets ``-2``, ``-3`` …"""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def __call__(self, kind: str, name: str) -> str:
        """An anchor that this page does not have yet."""
        found = base = anchor(kind, name)
        count = 1
        while found in self._taken:
            count += 1
            found = f"{base}-{count}"
        self._taken.add(found)
        return found
