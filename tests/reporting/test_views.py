"""Every view that a notebook shows gives a figure, a table or a formula that says what it is."""

import inspect
from pathlib import Path

import pytest

from mmiocost.reporting import views
from mmiocost.reporting.display import Figure, Formula, Table

ARGUMENTS = {
    "break_even_formulas": ({},),
    "break_even_tables": ({},),
    "faults_against_fills": ({},),
    "slots_against_cold_searches": ({},),
    "slots_against_updates": ({},),
    "hazard_schedules": ("freed_page",),
    "plan_tables": ({},),
    "scenario_results": ({},),
    "scenario_saving": ({},),
    "sensitivity_figure": ({},),
    "system_sequences": ("the fast MMIO bus",),
    "system_stack": ("the fast MMIO bus",),
}
SHOWN = views.__all__


def shown(name: str) -> list[object]:
    found = getattr(views, name)(*ARGUMENTS.get(name, ()))
    return list(found) if inspect.isgenerator(found) else [found]


@pytest.mark.parametrize("name", SHOWN)
def test_a_view_shows_something_that_says_what_it_is(name):
    """A figure has a title and a sentence, a table a caption and rows, a formula markup."""
    displays = shown(name)
    assert displays
    for item in displays:
        if isinstance(item, Figure):
            assert item.spec["title"]
            assert item.see.endswith(".")
            assert item.rows
        elif isinstance(item, Table):
            assert item.caption
            assert item.rows
        else:
            assert isinstance(item, Formula)
            assert item.markup.startswith("<math")


def test_notebooks_call_every_view_and_only_views():
    """A view that no notebook shows is dead; what a notebook calls is tested above."""
    notebooks = Path(__file__).parents[2] / "notebooks"
    text = "".join(path.read_text(encoding="utf-8") for path in notebooks.glob("*.ipynb"))
    assert [name for name in views.__all__ if f"views.{name}(" not in text] == []
