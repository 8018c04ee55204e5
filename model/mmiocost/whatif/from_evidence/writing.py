"""A derived scenario as the text of a file that ``--scenario`` takes; what it does not say stands in comments."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ...errors import printable
from ...vocabulary import MIX_SYMBOLS
from .derivation import Derivation

_UNITS = {item.name: "/s" for item in MIX_SYMBOLS if item.unit == "1/s"}


def written(found: Derivation) -> str:
    """YAML that is read back as ``found.document`` says."""
    return "\n".join([*_lines(found), ""])


def _lines(found: Derivation) -> Iterator[str]:
    document = found.document
    for warning in found.warnings:
        yield f"# {printable(warning)}"
    for name in ("name", "about"):
        yield f"{name}: {_text(document[name])}"
    if "state" in document:
        yield "state: {" + ", ".join(f"{name}: {_text(value)}" for name, value in document["state"].items()) + "}"
    if "mode" in document:
        yield f"mode: {document['mode']}"
    yield "set:" if document["set"] else "set: {}"
    for symbol, value in document["set"].items():
        number = int(value) if value == int(value) else value
        yield f"  {symbol}: {number!r}{_UNITS.get(symbol, '')}  # {printable(found.derived[symbol].text())}"
    yield from _aside(found)
    yield "  # Not derived: what is taken unless set, and what a sensitivity study varies it over."
    for item in found.missing:
        yield f"  # {item.symbol}: default {item.default}; {item.range}; {item.meaning}"
    yield "sources:" if document["sources"] else "sources: {}"
    for symbol, text in document["sources"].items():
        yield f"  {symbol}: {_text(text)}"
    yield f"questions: {json.dumps(document['questions'])}"


def _aside(found: Derivation) -> Iterator[str]:
    """What is derived and no scenario takes, or not beside what it has."""
    for symbol, item in found.derived.items():
        if symbol not in found.document["set"] and symbol not in ("mode", "generation", "mitigations"):
            yield f"  # measured, not set: {symbol} {printable(f'{item.text()}: {item.rule}')}"


def _text(value: Any) -> str:
    return json.dumps(str(value), ensure_ascii=False)
