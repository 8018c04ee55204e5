"""The single file in a real browser, opened from disk alone: drawn under its policy, nothing requested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sites
from browsing import CHARTS_READY, wait_until

from mmiocost.reporting.single_file import single_file
from mmiocost.reporting.site import build_site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def mailed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file by itself in a folder, as after mail."""
    folder = tmp_path_factory.mktemp("site")
    index = build_site(
        sites.runs(folder / "runs"), folder / "out", answers=[sites.ANSWER], context=sites.context(folder)
    )
    path = tmp_path_factory.mktemp("mail") / "report.html"
    path.write_text(single_file(index.parent))
    return path


@pytest.mark.parametrize("width", [360, 1200])
def test_it_opens_by_itself_with_its_charts(browser: Any, mailed: Path, width: int) -> None:
    page = browser.new_context(viewport={"width": width, "height": 800}).new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(mailed.as_uri())
    wait_until(page, CHARTS_READY)
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [mailed.as_uri()]
    assert page.evaluate("document.querySelectorAll('.plot svg').length") == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("typeof window.alerted") == "undefined"
    page.locator("aside a").click()
    wait_until(page, "document.getElementById('notebook-broken--cell-2').querySelector('details.code').open")
    page.context.close()


def test_a_script_put_in_afterwards_does_not_run(browser: Any, mailed: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.html"
    changed.write_text(mailed.read_text().replace("</main>", "<script>window.added = 1</script></main>"))
    page = browser.new_context().new_page()
    page.goto(changed.as_uri())
    wait_until(page, CHARTS_READY)
    assert page.evaluate("typeof window.added") == "undefined"
    page.context.close()
