"""Citing from a page: the button beside a number gives text and BibTeX, and hostile text stays text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sites

from mmiocost.reporting.site import build_site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    return build_site(
        sites.runs(folder / "runs"), folder / "out", answers=[sites.ANSWER], context=sites.context(folder)
    ).parent


def test_a_number_of_an_answer_is_cited_with_version_evidence_and_anchor(browser: Any, site: Path) -> None:
    page = browser.new_context().new_page()
    page.goto((site / "index.html").as_uri())
    page.click("[id='answer-fast-mmio-difference-of-the-exits'] button.cite")
    text, bibtex = page.locator("dialog.citation pre").all_inner_texts()
    assert "difference of the exits, at most 111\u00a0cycles".replace("\u00a0", " ") in text
    assert "Where does fast MMIO pay off? 95 % intervals for a machine not yet measured: difference" in text
    assert f"Version 0.1.0, evidence {'ab' * 32}" in text
    assert "(index.html#answer-fast-mmio-difference-of-the-exits)" in text
    assert "95 \\% intervals" in bibtex and "index.html\\#answer-fast-mmio" in bibtex
    page.keyboard.press("Escape")
    assert not page.locator("dialog.citation").is_visible()
    page.context.close()


def test_hostile_text_in_a_citation_is_text(browser: Any, site: Path) -> None:
    page = browser.new_context().new_page()
    page.goto((site / "index.html").as_uri())
    page.click("[id='answer-fast-mmio'] > h2 button.cite")
    assert "<script>" in page.locator("dialog.citation pre").first.inner_text()
    assert page.locator("dialog.citation script, dialog.citation img").count() == 0
    assert page.evaluate("typeof window.alerted") == "undefined"
    page.context.close()
