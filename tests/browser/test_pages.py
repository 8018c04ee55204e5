"""The site in a real browser, opened from disk: nothing is requested from elsewhere, nothing is complained about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sites
from browsing import CHARTS_READY, wait_until

from mmiocost.reporting.site import build_site

pytestmark = pytest.mark.browser

PAGES = ["index", "notebook-payoff", "notebook-broken", "document-mechanism"]
WIDTHS = [360, 768, 1920]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    return build_site(
        sites.runs(folder / "runs"), folder / "out", answers=[sites.ANSWER], context=sites.context(folder)
    ).parent


class Opened:
    """A page with all that it asked for and complained about."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page = browser.new_context(**options).new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri())
        wait_until(self.page, CHARTS_READY)

    def value(self, expression: str) -> Any:
        return self.page.evaluate(expression)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_offline_and_fits(browser: Any, site: Path, name: str, width: int) -> None:
    opened = Opened(browser, site / f"{name}.html", viewport={"width": width, "height": 800})
    assert opened.complaints == []
    assert all(url.startswith(site.as_uri()) for url in opened.requests if not url.startswith("data:"))
    assert opened.value("document.documentElement.scrollWidth") <= width
    opened.page.context.close()


def test_charts_and_formulas_are_drawn(browser: Any, site: Path) -> None:
    opened = Opened(browser, site / "notebook-payoff.html")
    assert opened.value("document.querySelectorAll('.plot svg').length") == 2
    assert opened.value("document.querySelectorAll('.plot.note').length") == 0
    assert opened.value("document.querySelectorAll('.plot path').length") > 10
    assert opened.value("document.querySelector('math').getBoundingClientRect().height") > 10
    assert opened.value("typeof window.alerted") == "undefined"


def test_a_class_is_hidden_and_shown_by_keyboard(browser: Any, site: Path) -> None:
    opened = Opened(browser, site / "notebook-payoff.html")
    count = "document.querySelectorAll('.chart')[0].querySelectorAll('.mark-symbol path').length"
    button = opened.page.locator(".filter button").first
    before = opened.value(count)
    button.focus()
    opened.page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "false"
    wait_until(opened.page, f"{count} < {before}")
    opened.page.keyboard.press("Enter")
    wait_until(opened.page, f"{count} === {before}")
    assert opened.complaints == []


def test_hovering_a_point_shows_its_numbers(browser: Any, site: Path) -> None:
    opened = Opened(browser, site / "notebook-payoff.html")
    opened.page.locator(".chart").first.locator(".mark-symbol path").first.hover(force=True)
    tooltip = opened.page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    assert "Slots" in tooltip.inner_text()
    assert opened.complaints == []


def test_print_is_black_on_white_and_keeps_the_legend(browser: Any, site: Path) -> None:
    opened = Opened(browser, site / "notebook-payoff.html", color_scheme="dark")
    opened.page.emulate_media(media="print")
    assert opened.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert (
        opened.value("getComputedStyle(document.querySelector('.plot .role-axis-label text')).fill") == "rgb(0, 0, 0)"
    )
    assert opened.page.locator(".filter").first.is_visible()
    assert not opened.page.locator("details.code").first.is_visible()


@pytest.mark.parametrize("name", PAGES)
def test_both_colour_schemes_are_readable(browser: Any, site: Path, name: str) -> None:
    """Contrast of text with the paper is at least 7 (WCAG 2.2, level AAA) in both."""
    for scheme in ("light", "dark"):
        opened = Opened(browser, site / f"{name}.html", color_scheme=scheme)
        colours = [opened.value(f"getComputedStyle(document.body).{part}") for part in ("color", "backgroundColor")]
        lights = sorted(_luminance(colour) for colour in colours)
        assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 7
        assert (_luminance(colours[1]) > 0.5) == (scheme == "light")


def test_text_in_charts_takes_the_colour_of_the_page(browser: Any, site: Path) -> None:
    opened = Opened(browser, site / "notebook-payoff.html", color_scheme="dark")
    label = "getComputedStyle(document.querySelector('.plot .role-axis-label text')).fill"
    assert opened.value(label) == opened.value("getComputedStyle(document.body).color")


def test_the_first_stop_of_the_keyboard_skips_to_the_content(browser: Any, site: Path) -> None:
    opened = Opened(browser, site / "index.html")
    opened.page.keyboard.press("Tab")
    assert opened.value("document.activeElement.textContent") == "Skip to content"
    assert opened.value("document.activeElement.getBoundingClientRect().left") >= 0
    opened.page.keyboard.press("Enter")
    assert opened.value("document.activeElement.id") == "content"


def test_code_is_folded_and_a_link_to_a_cell_unfolds_it(browser: Any, site: Path) -> None:
    opened = Opened(browser, site / "notebook-broken.html")
    unfolded = "[...document.querySelectorAll('details.code')].map(d => d.open)"
    assert opened.value(unfolded) == [False, False, False]
    opened.page.locator("aside a").click()
    wait_until(opened.page, "document.querySelector('#cell-2 details.code').open")
    assert opened.value(unfolded) == [False, True, False]


def _luminance(colour: str) -> float:
    """Relative luminance of ``rgb(r, g, b)`` (WCAG 2.2)."""
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
