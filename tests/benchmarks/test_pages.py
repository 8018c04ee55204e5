"""How soon a page of the report shows something: first contentful paint in headless Chromium, opened from disk.

Median of five fresh openings each, of the index, the largest page and the single file; printed, and nothing here
fails by time. Without ``MMIOCOST_SITE``, the folder of a finished report, one is made of the small notebooks.
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

import pytest

from mmiocost.reporting.report import report
from mmiocost.reporting.single_file import write_single_file

pytestmark = pytest.mark.browser

OPENINGS = 5
PAINT = """() => new Promise((done) => new PerformanceObserver((list) => done(
    list.getEntriesByName('first-contentful-paint')[0]?.startTime)).observe({ type: 'paint', buffered: true }))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    given = os.environ.get("MMIOCOST_SITE")
    folder = Path(given) if given else report(["fast-mmio"], tmp_path_factory.mktemp("site")).index.parent
    write_single_file(folder)
    return folder


def paint(browser: Any, path: Path) -> float:
    """Milliseconds from the start of the navigation to the first text or picture; nothing is kept from before."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(path.as_uri(), wait_until="commit")
    found = float(page.evaluate(PAINT))
    context.close()
    return found


def test_first_contentful_paint(benchmark: Any, browser: Any, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pages = [path for path in site.glob("*.html") if path.name != "report.html"]
    largest = max(pages, key=lambda path: path.stat().st_size)
    chosen = {"index": site / "index.html", f"largest ({largest.name})": largest, "one file": site / "report.html"}
    rows = []
    for name, path in chosen.items():
        times = [paint(browser, path) for _ in range(OPENINGS)]
        rows.append((name, path.stat().st_size / 1e3, statistics.median(times), min(times), max(times)))
    benchmark.pedantic(paint, args=(browser, chosen["index"]), rounds=1)
    with capsys.disabled():
        print(f"\nfirst contentful paint, from disk, {OPENINGS} openings each")
        print(f"{'page':44} {'kB':>8} {'median ms':>10} {'least':>8} {'most':>8}")
        for name, size, middle, least, most in rows:
            print(f"{name:44} {size:8.0f} {middle:10.0f} {least:8.0f} {most:8.0f}")
    assert all(middle > 0 for _, _, middle, _, _ in rows)
