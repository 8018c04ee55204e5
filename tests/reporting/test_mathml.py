from __future__ import annotations

from xml.etree import ElementTree

import pytest
import sympy

from mmiocost.reporting.display import formula
from mmiocost.reporting.mathml import checked


def test_a_formula_is_well_formed_mathml() -> None:
    slots, cost = sympy.symbols("slots theta_compare", positive=True)
    pieces = sympy.Piecewise((0, sympy.Eq(slots, 0)), (sympy.ceiling(sympy.log(slots + 1, 2)), True))
    shown = formula(sympy.Eq(sympy.Symbol("saving"), cost * sympy.sqrt(slots) / 2 + pieces))
    root = ElementTree.fromstring(shown.markup)
    assert root.tag == "math"
    assert root.get("alttext") == shown.plain
    assert {element.text for element in root.iter("mi")} >= {"saving", "slots", "θ", "compare"}


def test_a_name_with_markup_is_refused() -> None:
    """SymPy prints names as they are."""
    with pytest.raises(ValueError, match="script"):
        formula(sympy.Symbol("<script>x</script>"))


@pytest.mark.parametrize(
    "markup",
    [
        "<math><mi>x</math>",
        "<math><script>x</script></math>",
        "<math><annotation-xml><p/></annotation-xml></math>",
        "<mi>x</mi>",
        "<math><maction/></math>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><math>&a;</math>",
        "<math>&nosuch;</math>",
        "text",
    ],
)
def test_what_is_no_presentation_mathml_is_refused(markup: str) -> None:
    with pytest.raises(ValueError):
        checked(markup)


def test_links_styles_and_events_are_left_out() -> None:
    made = checked('<math onclick="x()"><mi href="javascript:x" style="y" mathvariant="normal">a</mi></math>')
    assert made == '<math><mi mathvariant="normal">a</mi></math>'
