"""The pages that the site makes from the package itself: evidence, equations, glossary, and the reference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .made_page import EVIDENCE, WHAT_IF, MadePage
from .reference import Reference


def reference_pages(evidence: Sequence[Path], reference: Reference | None, inputs: str) -> tuple[MadePage, ...]:
    """Pages in the order of the navigation; those of the reference only where it is given.

    ``inputs`` is a hash of the model's code and of the evidence.
    """
    return (
        MadePage(WHAT_IF, "What if", inputs, lambda: _what_if(evidence)),
        MadePage(EVIDENCE, "Evidence catalogue", inputs, lambda: _evidence(evidence)),
        MadePage("equations.html", "Equations and symbols", inputs, _equations),
        MadePage("glossary.html", "Glossary", inputs, _glossary),
        *(_described(reference, inputs) if reference else ()),
    )


def _described(reference: Reference, inputs: str) -> tuple[MadePage, ...]:
    from .reference import command_line_body, python_body

    return (
        MadePage("command-line.html", "Reference: command line", inputs, lambda: command_line_body(reference.parser())),
        MadePage("python.html", "Reference: Python API", inputs, lambda: python_body(reference.package)),
    )


def _what_if(evidence: Sequence[Path]) -> str:
    from .what_if import what_if_body

    return what_if_body(evidence)


def _evidence(evidence: Sequence[Path]) -> str:
    from .evidence_page import evidence_body

    return evidence_body(evidence)


def _equations() -> str:
    from .equations_page import equations_body

    return equations_body()


def _glossary() -> str:
    from .glossary import glossary_body

    return glossary_body()
