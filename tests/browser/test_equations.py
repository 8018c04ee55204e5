"""The equations in a real browser, on a page opened from disk: equal integers, nothing requested, no complaint."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from points import ALL_PATHS, edges, exact

from mmiocost.equations import javascript
from mmiocost.vocabulary import COLD_COMPARE

pytestmark = pytest.mark.browser

ASK = """(asked) => asked.map(([name, points]) => points.map((point) =>
    mmiocostEquations.evaluate(name, { cold_search_fraction: 0, ...point })))"""


def test_every_path_counts_the_same_in_the_browser(chromium: str, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    (tmp_path / "equations.js").write_text(javascript.source())
    page_file = tmp_path / "page.html"
    page_file.write_text('<!doctype html><meta charset="utf-8"><title>x</title><script src="equations.js"></script>')
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as started:
        running = started.chromium.launch(executable_path=chromium, args=sandbox)
        page = running.new_page()
        noticed: list[str] = []
        page.on("console", lambda message: noticed.append(message.text))
        page.on("pageerror", lambda error: noticed.append(str(error)))
        page.on("request", lambda request: noticed.append(request.url))
        page.goto(page_file.as_uri())
        found = page.evaluate(ASK, [[path, edges(path)] for path in ALL_PATHS])
        running.close()
    for path, answers in zip(ALL_PATHS, found, strict=True):
        for answer in answers:
            answer.pop(COLD_COMPARE, None)
        assert answers == [exact(path, point) for point in edges(path)], path
    assert noticed == [page_file.as_uri(), (tmp_path / "equations.js").as_uri()]
