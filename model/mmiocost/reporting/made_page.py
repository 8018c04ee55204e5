"""A page that the site makes from the package itself, such as the glossary: neither a notebook nor a document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

EVIDENCE = "evidence.html"
WHAT_IF = "what-if.html"


@dataclass(frozen=True)
class MadePage:
    """``inputs`` names all that the page is made from besides this room; ``make`` gives its body as trusted HTML.

    ``make`` is called only where the page has to be written anew.
    """

    href: str
    title: str
    inputs: str
    make: Callable[[], str]
