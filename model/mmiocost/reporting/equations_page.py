"""The page of the equations: every named one as MathML, the cost of every path, and the symbols they are made of."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from markupsafe import Markup

from . import formulas
from .anchors import anchor
from .glossary import SYMBOL_COLUMNS, counted_symbols, mixed_symbols


def equations_body() -> str:
    """The page as trusted HTML; ids are ``equation-…``, ``symbol-…`` and ``path-…``."""
    from .pages import render

    groups = [_group(group) for group in formulas.groups()]
    rest = [("notation", "Notation"), ("symbols", "Symbols"), ("mix-symbols", "Symbols of a mix"), ("paths", "Paths")]
    return render(
        "reference/equations.html.j2",
        groups=groups,
        contents_list=[*((group["anchor"], group["title"]) for group in groups), *rest],
        paths=[_equation("path", item) for item in formulas.path_costs()],
        counted=counted_symbols(),
        mixed=mixed_symbols(),
        symbol_columns=SYMBOL_COLUMNS,
    )


def _group(group: formulas.Group) -> dict[str, Any]:
    equations = [_equation("equation", item) for item in group.equations]
    return {
        "anchor": anchor("group", group.title),
        "title": group.title,
        "source": group.source,
        "equations": equations,
    }


def _equation(kind: str, item: formulas.Named) -> dict[str, Any]:
    return {**asdict(item), "anchor": anchor(kind, item.name), "markup": Markup(item.markup)}
