"""Formulas as presentation MathML: printed by SymPy, and checked whoever printed them."""

from __future__ import annotations

import re
from html.entities import html5
from typing import Any
from xml.etree import ElementTree

_XML_ENTITIES = {"amp", "lt", "gt", "quot", "apos"}
_NAMESPACE = "http://www.w3.org/1998/Math/MathML"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ELEMENTS = _words(
    "math merror mfenced mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow mspace msqrt "
    "mstyle msub msubsup msup mtable mtd mtext mtr munder munderover semantics none"
)
_ATTRIBUTES = _words(
    "accent alttext columnalign columnspan depth display displaystyle fence form height linethickness lspace "
    "mathvariant maxsize minsize movablelimits rowspan rspace scriptlevel separator stretchy symmetric width"
)


def from_sympy(expression: Any) -> str:
    """A SymPy expression as one ``math`` element with its plain text as ``alttext``."""
    from sympy.printing.mathml import mathml

    # Names here are words, which an invisible product sign would run together.
    inner = mathml(expression, printer="presentation", mul_symbol="dot")
    return checked(f'<math display="block">{inner}</math>', alttext=str(expression))


def checked(markup: str, alttext: str = "") -> str:
    """``markup`` parsed and written anew as one ``math`` element.

    Raises ValueError if it is not well-formed, or holds an element that is not presentation MathML. Attributes
    that could link or carry style are left out.
    """
    if "<!" in markup or "<?" in markup:
        raise ValueError("declarations are not allowed in MathML")
    try:
        root = ElementTree.fromstring(_without_named_entities(markup))
    except ElementTree.ParseError as error:
        raise ValueError(f"MathML is not well-formed: {error}") from None
    for element in root.iter():
        _clean(element)
    if root.tag != "math":
        raise ValueError(f"expected a math element, not {root.tag}")
    if alttext:
        root.set("alttext", alttext)
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)


def _clean(element: ElementTree.Element) -> None:
    element.tag = element.tag.removeprefix(f"{{{_NAMESPACE}}}")
    if element.tag not in _ELEMENTS:
        raise ValueError(f"not an element of presentation MathML: {element.tag}")
    for name in [name for name in element.attrib if name not in _ATTRIBUTES]:
        del element.attrib[name]


def _without_named_entities(markup: str) -> str:
    """XML knows five named entities; SymPy writes those of HTML, such as InvisibleTimes."""
    return re.sub(r"&([A-Za-z]\w*);", _character, markup)


def _character(match: re.Match[str]) -> str:
    name = match[1]
    return match[0] if name in _XML_ENTITIES else html5.get(f"{name};", match[0])
