"""Pages printed as PDF by a real browser: no page is empty, nothing is wider than the paper."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Any

import pytest
import sites
from browsing import CHARTS_READY, wait_until

pytestmark = pytest.mark.browser

PAGES = ["index", "notebook-payoff", "notebook-broken", "document-mechanism", "report"]
PAPER = {"A4": 794, "A6": 397}  # width in CSS pixels


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sites.with_single_file(tmp_path_factory.mktemp("site"))


def drawn_on_pages(pdf: bytes) -> list[int]:
    """For each page of a PDF how many times it shows text, as the content streams of Chromium's PDFs say."""
    objects = {int(found[1]): found[2] for found in re.finditer(rb"(?s)(\d+) 0 obj\b(.*?)\bendobj", pdf)}
    pages = [body for body in objects.values() if re.search(rb"/Type\s*/Page\b", body)]
    streams = [objects[int(found[1])] for page in pages if (found := re.search(rb"/Contents\s+(\d+) 0 R", page))]
    assert len(streams) == len(pages)
    return [len(re.findall(rb"\bT[jJ]\b", _content(stream))) for stream in streams]


def _content(body: bytes) -> bytes:
    held = body.partition(b"stream")[2].lstrip(b"\r\n")
    return zlib.decompressobj().decompress(held) if b"/FlateDecode" in body else held


@pytest.mark.parametrize("name", PAGES)
def test_no_printed_page_is_empty(browser: Any, site: Path, name: str) -> None:
    page = browser.new_page()
    page.goto((site / f"{name}.html").as_uri())
    wait_until(page, CHARTS_READY)
    for paper in PAPER:
        drawn = drawn_on_pages(page.pdf(format=paper))
        assert drawn
        assert min(drawn) > 0, (paper, drawn)
    page.close()


def test_an_empty_page_would_be_seen(browser: Any) -> None:
    page = browser.new_page()
    page.set_content("<p>one</p><div style='break-before: page; height: 10px'></div>")
    assert [count > 0 for count in drawn_on_pages(page.pdf(format="A4"))] == [True, False]
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_no_chart_is_cut_on_paper(browser: Any, site: Path, name: str) -> None:
    """A chart is as wide as the sheet at most, lower than it, and is not broken between two."""
    page = browser.new_context(viewport={"width": PAPER["A4"] - 76, "height": 1000}).new_page()
    page.goto((site / f"{name}.html").as_uri())
    wait_until(page, CHARTS_READY)
    page.emulate_media(media="print")
    charts = page.evaluate(
        """[...document.querySelectorAll('figure')].filter(f => f.querySelector('.plot svg')).map(f => {
            const plot = f.querySelector('.plot svg').getBoundingClientRect();
            return [plot.right, plot.height, getComputedStyle(f).breakInside]; })"""
    )
    assert bool(charts) == (name in ("notebook-payoff", "report"))
    for right, height, broken in charts:
        assert right <= PAPER["A4"] - 76
        assert height < 1000
        assert broken in ("avoid", "avoid-page")
    page.context.close()
