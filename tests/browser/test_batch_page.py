"""The index of a batch in a real browser: filter, sort, compare, small charts; a thousand scenarios."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import batches
import pytest
from browsing import wait_until

from mmiocost.reporting.batch_site import Pages

pytestmark = pytest.mark.browser

COUNT = 1000


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("batch")
    return Pages(folder, batches.ABOUT).finish(batches.rows(folder, COUNT))


@pytest.fixture
def page(browser: Any, index: Path) -> Any:
    """The index, opened from disk; it asks for nothing but its own files, and complains of nothing."""
    opened = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
    requests: list[str] = []
    complaints: list[str] = []
    opened.on("request", lambda request: requests.append(request.url))
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(index.as_uri())
    wait_until(opened, "document.documentElement.dataset.batch === 'ready'")
    yield opened
    assert complaints == []
    assert all(url.startswith(index.parent.as_uri()) for url in requests)


def visible(page: Any, column: int) -> list[str]:
    rows = "[...document.querySelectorAll('#scenarios tbody tr')].filter(row => !row.hidden)"
    found: list[str] = page.evaluate(f"n => {rows}.map(row => row.cells[n].innerText)", column)
    return found


def test_a_thousand_scenarios_are_shown_and_drawn(page: Any) -> None:
    assert len(visible(page, 1)) == COUNT
    assert page.inner_text("#count") == "1000 of 1000"
    assert page.eval_on_selector_all("#panels figure", "all => all.map(f => f.querySelectorAll('circle').length)") == [
        999
    ]
    assert page.input_value("#across") == "1"  # slots, with the most values
    assert page.eval_on_selector("#legend", "e => e.innerText").split() == ["ept", "shadow"]


def test_rows_are_filtered_by_words_and_by_values(page: Any) -> None:
    page.fill("#search", "s99 shadow")
    assert visible(page, 1) == ["s99", "s991", "s993", "s995", "s997", "s999"]
    page.select_option("select[data-field=status]", "failed")
    assert visible(page, 1) == ["s999"]
    assert page.inner_text("#count") == "1 of 1000"
    page.click("button[type=reset]")
    wait_until(page, "document.getElementById('count').textContent === '1000 of 1000'")


def test_rows_are_sorted_by_number_and_those_without_come_last(page: Any) -> None:
    head = page.locator("th[data-sort='value:0'] button")
    head.click()
    assert visible(page, 1)[:2] + visible(page, 1)[-1:] == ["s0", "s1", "s999"]
    head.press("Enter")
    assert visible(page, 1)[:2] + visible(page, 1)[-1:] == ["s998", "s997", "s999"]
    assert page.get_attribute("th[data-sort='value:0']", "aria-sort") == "descending"


def test_chosen_rows_stand_side_by_side(page: Any) -> None:
    assert page.is_hidden("#compare")
    page.check("[aria-label='Compare s2']")
    page.check("[aria-label='Compare s5']")
    rows = page.eval_on_selector_all("#compared tr", "all => all.map(r => [...r.cells].map(c => c.innerText))")
    assert rows[0] == ["scenario", "s2", "s5"]
    assert rows[2] == ["mode", "ept", "shadow"]
    assert rows[4] == ["saving:fast_mmio", "20 [10, 32]\u00a0cycles", "50 [40, 62]\u00a0cycles"]
    assert page.eval_on_selector_all("#panels .chosen", "all => all.length") == 2


def test_the_page_fits_a_phone_and_reads_without_script(browser: Any, index: Path) -> None:
    still = browser.new_context(viewport={"width": 360, "height": 800}, java_script_enabled=False).new_page()
    still.goto(index.as_uri())
    assert still.locator("#scenarios tbody tr").count() == COUNT
    assert still.locator("noscript").count() == 1
    narrow = browser.new_context(viewport={"width": 360, "height": 800}).new_page()
    narrow.goto(index.as_uri())
    wait_until(narrow, "document.documentElement.dataset.batch === 'ready'")
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 360
