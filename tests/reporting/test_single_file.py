"""A site as one file for mail: complete, nothing loaded, links stay inside, only hashed scripts run."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import sites

from mmiocost.reporting.single_file import single_file, write_single_file
from mmiocost.reporting.site import build_site

PAGES = ["index", "notebook-payoff", "notebook-broken", "document-mechanism"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    index = build_site(
        sites.runs(folder / "runs"), folder / "out", answers=[sites.ANSWER], context=sites.context(folder)
    )
    return index.parent


class Read(HTMLParser):
    """Start tags with attributes, and the text of each script and style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.contents: list[tuple[str, dict[str, str], str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self.contents.append((*self.found[-1], data))


@pytest.fixture(scope="module")
def read(site: Path) -> Read:
    return Read(write_single_file(site).read_text())


def test_every_page_is_a_section_the_index_first(read: Read) -> None:
    sections = [attributes for tag, attributes in read.found if tag == "section" and attributes.get("id") in PAGES]
    assert [section["id"] for section in sections] == PAGES
    assert all(section["aria-label"] for section in sections)
    assert [sum(tag == name for tag, _ in read.found) for name in ("main", "header", "footer", "title")] == [1] * 4


def test_every_id_occurs_once_and_every_link_inside_has_its_target(read: Read) -> None:
    ids = [attributes["id"] for _, attributes in read.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"] for tag, attributes in read.found if tag == "a"]
    assert all(link.startswith(("#", "https://")) for link in links)
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    named = [word for _, found in read.found for word in found.get("aria-labelledby", "").split()]
    assert set(named) <= set(ids)


def test_links_go_where_they_went_in_the_site(site: Path) -> None:
    text = single_file(site)
    assert '<a href="#notebook-broken--cell-1" rel="noopener noreferrer">the other</a>' in text
    assert '<section class="cell failed" id="notebook-broken--cell-2"' in text
    assert 'href="#notebook-broken--cell-2"' in text
    assert '<a class="brand" href="#index"' in text


def test_nothing_is_loaded_and_only_what_is_hashed_may_run(read: Read) -> None:
    assert not any("src" in attributes for tag, attributes in read.found if tag != "img")
    assert not any(tag in {"link", "iframe", "object"} for tag, _ in read.found)
    (policy,) = [a["content"] for tag, a in read.found if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert not re.search(r"unsafe|self|file:|https?:", policy)
    run = [(tag, text) for tag, given, text in read.contents if given.get("type") != "application/json"]
    assert {tag for tag, _ in run} == {"script", "style"}
    for tag, text in run:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        part = next(part for part in policy.split("; ") if part.startswith(f"{tag}-src"))
        assert f"'sha256-{digest}'" in part


def test_vega_comes_before_the_script_that_uses_it(site: Path) -> None:
    text = single_file(site)
    vega, own = ((site / "assets" / name).read_text() for name in ("vega.js", "site.js"))
    assert 0 < text.index(vega[:2000]) < text.index(own)


def test_a_script_that_names_its_own_end_stays_one_script(tmp_path: Path) -> None:
    build_site([], tmp_path, answers=[], context=sites.context(tmp_path))
    script = "var a = '</script><p>', b = '<!-- <script>';\r\nvar c = 1;"
    (tmp_path / "assets" / "site.js").write_text(script, newline="")
    read = Read(single_file(tmp_path))
    (held,) = [text for tag, _, text in read.contents if tag == "script" and "script><p>" in text]
    assert held == "var a = '\\x3c/script><p>', b = '\\x3c!-- \\x3cscript>';\nvar c = 1;"


def test_building_again_leaves_the_single_file_alone(site: Path) -> None:
    path = write_single_file(site)
    before = path.stat().st_ino
    folder = site.parent
    build_site(sites.runs(folder / "runs"), site, answers=[sites.ANSWER], context=sites.context(folder))
    assert path.stat().st_ino == before
