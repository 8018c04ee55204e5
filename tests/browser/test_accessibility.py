"""The main rules of WCAG 2.2, AA, checked on what a real browser makes of each page, in both colour schemes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sites
from browsing import CHARTS_READY, wait_until

pytestmark = pytest.mark.browser

PAGES = ["index", "notebook-payoff", "notebook-broken", "document-mechanism", "report"]

# Each rule gives the outer HTML, cut short, of every element that breaks it.
RULES = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (element) => element.checkVisibility({ visibilityProperty: true });
  const named = (element) => {
    const by = (element.getAttribute('aria-labelledby') || '').split(' ').map((id) => document.getElementById(id));
    const labels = [...(element.labels || [])];
    const texts = [element.getAttribute('aria-label'), element.getAttribute('alt'), element.getAttribute('title'),
                   ...[...by, ...labels].map((other) => other && other.textContent), element.textContent];
    const pictures = [...element.querySelectorAll('[aria-label], img[alt]')];
    return texts.some((text) => text && text.trim()) || pictures.length > 0;
  };
  const told = (elements) => elements.map((element) => element.outerHTML.slice(0, 160));
  const levels = all('h1, h2, h3, h4, h5, h6').filter(shown);
  const ids = all('[id]').map((element) => element.id);
  const refers = ['aria-labelledby', 'aria-describedby', 'aria-controls', 'for'];
  const landmarks = 'header, nav, main, footer, aside, .skip, #vg-tooltip-element';
  return {
    'the language is set': told(all('html:not([lang]), html[lang=""]')),
    'the page has a title': document.title.trim() ? [] : ['title'],
    'pictures have a text': told(all('img:not([alt]), area:not([alt])')),
    'drawings have a name or are hidden': told(all('svg').filter((svg) => !svg.closest('[aria-hidden=true]') &&
      !svg.closest('[aria-label], [aria-labelledby]') && !svg.querySelector('title, [aria-label]'))),
    'fields have labels': told(all('input:not([type=hidden]), select, textarea').filter((field) => !named(field))),
    'links and buttons have names': told(all('a[href], button, summary').filter((item) => !named(item))),
    'headings leave no level out': told(levels.filter((heading, position) => position > 0 &&
      Number(heading.tagName[1]) > Number(levels[position - 1].tagName[1]) + 1)),
    'the first heading is of the first level': told(levels.slice(0, 1).filter((heading) => heading.tagName !== 'H1')),
    'one main landmark': all('main').length === 1 ? [] : ['main'],
    'text stands in a landmark': told([...document.body.children].filter((element) => shown(element) &&
      element.innerText && element.innerText.trim() && !element.matches(landmarks))),
    'an id occurs once': ids.filter((id, position) => id && ids.indexOf(id) !== position &&
      !document.querySelector('svg [id="' + CSS.escape(id) + '"]')),
    'what is referred to is there': refers.flatMap((name) => told(all('[' + name + ']').filter((element) =>
      element.getAttribute(name).split(' ').some((id) => !document.getElementById(id))))),
    'tables have headers': told(all('table[class], .prose table').filter((table) => !table.querySelector('th'))),
    'what scrolls takes the keyboard': told(all('pre, .scroll').filter((box) => shown(box) &&
      box.scrollWidth > box.clientWidth + 1 && box.tabIndex < 0)),
    'no order of its own for the keyboard': told(all('[tabindex]').filter((element) => element.tabIndex > 0)),
  };
}"""

# Ratio of contrast of every element with text of its own against the colours behind it.
CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const parsed = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255);
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const light = (colour) => colour.map((p) => p <= 0.04045 ? p / 12.92 : ((p + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
  const paper = (element) => {
    if (!element) return [1, 1, 1];
    return over(parsed(getComputedStyle(element).backgroundColor), paper(element.parentElement));
  };
  const poor = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.closest('script, style') || !element.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(element);
    const behind = paper(element);
    const drawn = element.closest('svg') ? style.fill : style.color;
    const [a, b] = [light(over(parsed(drawn), behind)), light(behind)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) poor.push([ratio.toFixed(2), element.outerHTML.slice(0, 160)]);
  }
  return poor;
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sites.with_single_file(tmp_path_factory.mktemp("site"))


def opened(browser: Any, path: Path, scheme: str) -> Any:
    page = browser.new_context(color_scheme=scheme, viewport={"width": 800, "height": 800}).new_page()
    page.goto(path.as_uri())
    wait_until(page, CHARTS_READY)
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    return page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_the_rules(browser: Any, site: Path, name: str) -> None:
    page = opened(browser, site / f"{name}.html", "light")
    assert {rule: broken for rule, broken in page.evaluate(RULES).items() if broken} == {}
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_all_text_stands_out(browser: Any, site: Path, name: str, scheme: str) -> None:
    page = opened(browser, site / f"{name}.html", scheme)
    assert page.evaluate(CONTRAST) == []
    page.context.close()


BROKEN = """<!doctype html><html><head><title></title></head><body><h2>a</h2><h4>b</h4><img src="data:,"><input>
<button></button><p id="x">loose</p><p id="x" aria-labelledby="none" style="color: #999">c</p>
<svg width="9" height="9"></svg><table class="data"><tr><td>1</td></tr></table>
<p tabindex="3">d</p></body></html>"""


def test_the_rules_see_what_breaks_them(browser: Any) -> None:
    page = browser.new_page()
    page.set_content(BROKEN)
    assert [rule for rule, broken in page.evaluate(RULES).items() if not broken] == ["what scrolls takes the keyboard"]
    assert [ratio for ratio, _ in page.evaluate(CONTRAST)] == ["2.85"]
    page.close()
