from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import sites

from mmiocost.reporting.site import build_site

PAGES = ["document-mechanism.html", "index.html", "notebook-broken.html", "notebook-payoff.html"]
ASSETS = ["citation.js", "equations.js", "site.css", "site.js", "vega.js", "what_if.js"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    index = build_site(
        sites.runs(folder / "runs"), folder / "out", answers=[sites.ANSWER], context=sites.context(folder)
    )
    assert index == folder / "out" / "index.html"
    return folder / "out"


class Elements(HTMLParser):
    """Every start tag of a page with its attributes."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_the_site_has_a_page_for_everything(site: Path) -> None:
    assert sorted(path.name for path in site.glob("*.html")) == PAGES
    assert sorted(path.name for path in (site / "assets").iterdir()) == ASSETS


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_nothing_but_the_assets_of_the_site(site: Path, page: str) -> None:
    elements = Elements(site / page)
    for tag, attributes in elements.found:
        if tag != "a":
            loaded = attributes.get("href") or attributes.get("src") or ""
            assert loaded.startswith(("assets/", "data:image/")) or not loaded, (tag, attributes)
    loaded_scripts = [script["src"] for script in elements.of("script") if "src" in script]
    assert set(loaded_scripts) <= {"assets/vega.js", "assets/site.js", "assets/citation.js"}
    assert all(script == {"type": "application/json"} for script in elements.of("script") if "src" not in script)


@pytest.mark.parametrize("page", PAGES)
def test_hostile_text_arrives_as_text(site: Path, page: str) -> None:
    elements = Elements(site / page)
    assert "&lt;script&gt;" in (site / page).read_text()
    assert not any(name.startswith("on") for _, attributes in elements.found for name in attributes)
    assert not any("style" in attributes for _, attributes in elements.found)
    assert all(image["src"].startswith("data:") for image in elements.of("img"))
    assert all(link["href"].startswith(("https://", "#")) or ".html" in link["href"] for link in elements.of("a"))
    assert not elements.of("style")
    assert not elements.of("iframe")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_policy_language_landmarks_and_one_title(site: Path, page: str) -> None:
    elements = Elements(site / page)
    policies = [meta["content"] for meta in elements.of("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none';")
    assert "unsafe" not in policies[0]
    assert elements.of("html") == [{"lang": "en"}]
    assert [len(elements.of(tag)) for tag in ("main", "nav", "header", "footer", "h1", "title")] == [1] * 6
    assert elements.of("a")[0] == {"class": "skip", "href": "#content"}


def test_only_pages_with_charts_load_vega(site: Path) -> None:
    with_vega = [page for page in PAGES if "assets/vega.js" in (site / page).read_text()]
    assert with_vega == ["notebook-payoff.html"]


def test_the_index_answers_first(site: Path) -> None:
    text = (site / "index.html").read_text()
    places = [
        text.index(part)
        for part in (
            "Where does fast MMIO pay off?",
            "It pays from 32 slots on.",
            "590 [410, 810]\u00a0cycles",
            "at most 111\u00a0cycles",
            "The share of cold searches.",
            "vm_exit_ept_misconfig",
            'href="#source-mail-1"',
            'href="notebook-payoff.html">Reasons and figures',
            'id="pages"',
            "skylake-8160",
            'id="source-mail-1"',
            "2026-01-02",
        )
    ]
    assert places == sorted(places)
    assert 'href="#source-unlisted"' not in text


def test_a_failed_notebook_shows_the_cell_and_the_error_on_top(site: Path) -> None:
    text = (site / "notebook-broken.html").read_text()
    places = [
        text.index(part) for part in ('role="alert"', 'href="#cell-2"', "ZeroDivisionError", "1 / 0", 'id="cell-1"')
    ]
    assert places == sorted(places)
    assert '<section class="cell failed" id="cell-2"' in text
    assert 'class="badge failed"' in (site / "index.html").read_text()


def test_documents_link_to_pages_of_the_site_and_leave_files_alone(site: Path) -> None:
    text = (site / "document-mechanism.html").read_text()
    assert '<a href="notebook-payoff.html" rel="noopener noreferrer">payoff</a>' in text
    assert "data/x.csv" not in text
    assert '<a href="https://e.org/x.png" rel="noopener noreferrer">far</a>' in text
    assert '<h2 id="paths">Paths</h2>' in text
    assert "<!-- made -->" not in text
    assert "made --" not in text


def test_outputs_are_shown_by_what_the_site_understands(site: Path) -> None:
    text = (site / "notebook-payoff.html").read_text()
    specs = re.findall(r'<script type="application/json">(.*?)</script>', text)
    assert all("vega-lite/v6" in json.loads(spec)["$schema"] for spec in specs)
    assert len(specs) == 2
    assert text.count("<figcaption>") == 2
    assert "<math " in text
    assert "no formula" in text
    assert "script output" in text
    assert "\x1b" not in text


def test_a_second_build_renders_and_writes_nothing(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.stat().st_ino for path in site.rglob("*.html")}
    monkeypatch.setattr("mmiocost.reporting.pages.page_html", None)
    folder = site.parent
    build_site(sites.runs(folder / "runs"), site, answers=[sites.ANSWER], context=sites.context(folder))
    assert {path: path.stat().st_ino for path in site.rglob("*.html")} == before


def test_a_change_is_rendered_and_what_is_gone_is_removed_but_nothing_else(tmp_path: Path) -> None:
    out, context = tmp_path / "out", sites.context(tmp_path)
    runs = sites.runs(tmp_path / "runs")[1:]
    build_site(runs, out, answers=[], context=context)
    strange = out / "notebook-of-mine.html"
    strange.write_text("mine")
    (out / "notebook-broken.html").write_text("damaged")
    build_site(runs, out, answers=[], context=replace(context, documents=(), generated="2026-01-03"))
    assert not (out / "document-mechanism.html").exists()
    assert strange.read_text() == "mine"
    assert "1 / 0" in (out / "notebook-broken.html").read_text()
    assert "2026-01-03" in (out / "index.html").read_text()


def test_a_manifest_cannot_make_the_site_remove_files_elsewhere(tmp_path: Path) -> None:
    victim = tmp_path / "victim.html"
    victim.write_text("keep")
    out = tmp_path / "out"
    out.mkdir()
    made = {"inputs": "", "content": ""}
    names = ["../victim.html", str(victim), "x/../../victim.html", "..\\victim.html"]
    (out / "site.json").write_text(json.dumps({"format": 1, "files": dict.fromkeys(names, made)}))
    build_site([], out, answers=[], context=sites.context(tmp_path))
    assert victim.read_text() == "keep"
