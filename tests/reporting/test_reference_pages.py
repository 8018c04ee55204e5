"""The pages made from the package: nothing of the command line, the API, the vocabulary or the evidence is left out."""

from __future__ import annotations

import argparse
import re
from dataclasses import replace
from pathlib import Path

import pytest
import sites
import yaml

import mmiocost
from mmiocost import resources
from mmiocost.cli.main import parser
from mmiocost.cli.reference import reference
from mmiocost.evidence import catalogue, load
from mmiocost.evidence.package import open_package
from mmiocost.reporting import citation, formulas
from mmiocost.reporting.anchors import Anchors, anchor
from mmiocost.reporting.evidence_page import evidence_body
from mmiocost.reporting.glossary import TERMS, glossary_body
from mmiocost.reporting.made_page import MadePage
from mmiocost.reporting.reference import command_line_body, commands, prose, public_names, python_body
from mmiocost.reporting.reference_pages import reference_pages
from mmiocost.reporting.site import build_site
from mmiocost.vocabulary import EVENTS, GENERATIONS, MIX_SYMBOLS, PATHS, SYMBOLS

LARGEST = 2_000_000


def _ids(page: str) -> set[str]:
    found = re.findall(r' id="([^"]+)"', page)
    assert len(found) == len(set(found)), "ids are unique"
    return set(found)


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    pages = {page.href: page.make() for page in reference_pages((), reference(), "") if page.href != "equations.html"}
    # Printing the costs of all paths takes seconds; each is printed by the same call.
    pages["equations.html"] = _equations()
    return pages


def _equations() -> str:
    from mmiocost.reporting.equations_page import equations_body

    some = [item for item in PATHS if item.generation in ("v31", "any")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mmiocost.vocabulary.PATHS", some)
        return equations_body()


def _registered(top: argparse.ArgumentParser) -> set[str]:
    """Names of commands as argparse itself lists them where one is wrong."""
    return set(re.findall(r"'([\w-]+)'", _refusal(top)))


def _refusal(top: argparse.ArgumentParser) -> str:
    with pytest.raises(mmiocost.errors.InvalidInput) as refused:  # type: ignore[attr-defined]
        top.parse_args(["no-such-command"])
    return str(refused.value).partition("choose from")[2]


def test_every_command_is_in_the_reference(made: dict[str, str]) -> None:
    names = _registered(parser())
    assert {"report", "predict", "breakeven", "evidence"} <= names
    ids = _ids(made["command-line.html"])
    assert {anchor("command", name) for name in names} <= ids
    assert {"command-evidence-show", "command-evidence-verify"} <= ids


def test_a_command_that_is_registered_later_and_each_of_its_options_is_found() -> None:
    top = parser()
    below = next(action for action in top._actions if isinstance(action, argparse._SubParsersAction))
    later = below.add_parser("later", description="Comes <later>.")
    later.add_argument("--how-much", metavar="N", default=3, help="%(default)s if not said")
    later.add_argument("file")
    found = {item.name: item for item in commands(top)}["mmiocost later"]
    assert [(option.written, option.says) for option in found.options][1:] == [
        ("--how-much N", "3 if not said"),
        ("FILE", ""),
    ]
    assert "Comes &lt;later&gt;." in command_line_body(top)


def test_every_public_name_is_in_the_reference(made: dict[str, str]) -> None:
    ids = _ids(made["python.html"])
    assert {anchor("api", name) for name in mmiocost.__all__} <= ids
    assert {anchor("api", f"views.{name}") for name in mmiocost.views.__all__} <= ids


def test_every_public_function_says_what_it_does_and_its_text_is_the_same_in_each_run(made: dict[str, str]) -> None:
    for item in public_names(mmiocost):
        assert item.doc and (item.signature or item.kind in ("module", "constant")), item.name
    assert " at 0x" not in made["python.html"]


def test_a_docstring_arrives_as_text() -> None:
    assert prose("a <b> ``x < y``\n\nsee :func:`~.predict.predict`") == (
        "<p>a &lt;b&gt; <code>x &lt; y</code></p><p>see <code>predict</code></p>"
    )


def test_the_glossary_has_the_whole_vocabulary(made: dict[str, str]) -> None:
    ids = _ids(made["glossary.html"])
    assert {anchor("term", name) for name, _ in TERMS} <= ids
    assert {anchor("event", item.name) for item in EVENTS} <= ids
    assert {anchor("generation", item.id) for item in GENERATIONS} <= ids
    assert {anchor("path", item.name) for item in PATHS} <= ids
    linked = set(re.findall(r'href="equations\.html#([^"]+)"', made["glossary.html"]))
    assert {anchor("symbol", item.name) for item in (*SYMBOLS, *MIX_SYMBOLS)} <= linked <= _ids(made["equations.html"])


def test_every_named_equation_is_mathml_under_a_name_of_its_own(made: dict[str, str]) -> None:
    named = [item for group in formulas.groups() for item in group.equations]
    ids = _ids(made["equations.html"])
    assert {anchor("equation", item.name) for item in named} <= ids
    assert all(item.markup.startswith("<math") for item in named)
    assert "path-v31.ept.mmio_hit" in ids
    assert any(item.plain == "Eq(h, r_m/(k*λ_g + r_m))" for item in named)


def test_every_file_source_and_row_of_the_evidence_has_an_anchor(made: dict[str, str]) -> None:
    page, ids, known = made["evidence.html"], _ids(made["evidence.html"]), load()
    assert {anchor("resource", item.name) for item in catalogue()} <= ids
    assert {anchor("source", name) for name in known.sources} <= ids
    assert {anchor("row", row.id) for row in known.observations} <= ids
    assert {anchor("prior", name) for name in known.priors} <= ids
    assert all(str(item["hash"]) in page for item in open_package().resources.values())
    assert all(link in ids for link in re.findall(r'href="#([^"]+)"', page))


def test_the_user_s_rows_are_in_the_catalogue_and_their_text_is_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = load()
    hostile = replace(known.observations[0], id="own-1", machine="<script>alert(1)</script>", locator='"><img src=x>')
    monkeypatch.setattr(
        "mmiocost.reporting.evidence_page.load", lambda extra: replace(known, observations=(hostile,), own=(hostile,))
    )
    page = evidence_body([tmp_path])
    assert 'id="row-own-1"' in page
    assert "<script" not in page and "<img" not in page


def test_no_page_is_over_two_megabytes(made: dict[str, str]) -> None:
    assert all(len(page.encode()) < LARGEST for page in made.values())


def test_the_site_holds_the_pages_and_makes_them_once(tmp_path: Path) -> None:
    calls = []
    page = MadePage("evidence.html", "Evidence catalogue", "a", lambda: calls.append(1) or "<h1>Evidence</h1>")  # type: ignore[func-returns-value]
    context = sites.context(tmp_path)
    for inputs in ("a", "a", "b"):
        build_site([], tmp_path / "out", answers=[], context=context, made=[replace(page, inputs=inputs)])
    assert len(calls) == 2
    index = (tmp_path / "out" / "index.html").read_text()
    assert 'href="evidence.html#source-mail-1"' in index
    assert "data-cite-bibtex" in (tmp_path / "out" / "evidence.html").read_text()


def test_without_a_reference_the_pages_of_reference_are_left_out() -> None:
    assert [page.href for page in reference_pages((), None, "")] == [
        "what-if.html",
        "evidence.html",
        "equations.html",
        "glossary.html",
    ]


def test_a_citation_names_version_evidence_and_place() -> None:
    found = citation.citation("0.1.0", "ab" * 32, "5 cycles", "index.html#answer-x")
    for form in (found.text, found.bibtex):
        assert all(part in form for part in ("0.1.0", "ab" * 32, "5 cycles", "index.html#answer-x"))
    assert re.fullmatch(r"@software\{mmiocost-0\.1\.0-abababababab,\n(  \w+ = \{.*\},?\n)+\}\n", found.bibtex)


def test_the_citation_is_that_of_the_citation_file() -> None:
    checkout = resources.checkout()
    assert checkout is not None
    said = yaml.safe_load((checkout / "CITATION.cff").read_text())
    assert said["title"] == citation.TITLE
    assert [author["name"] for author in said["authors"]] == [citation.AUTHORS]
    assert said["version"] == mmiocost.__version__


def test_an_anchor_is_given_once_a_page_and_is_the_same_each_time() -> None:
    for _ in range(2):
        anchors = Anchors()
        assert [anchors("table-Saving of a", x) for x in ("b c", "b c", "<d>")] == [
            "table-Saving-of-a-b-c",
            "table-Saving-of-a-b-c-2",
            "table-Saving-of-a-d",
        ]


def test_the_page_of_the_glossary_is_made_without_a_site() -> None:
    assert glossary_body().count("<h1>") == 1
    assert python_body(mmiocost).count("<h1>") == 1
