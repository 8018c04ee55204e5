"""Markdown as HTML, with nothing taken over that a stranger could use: raw HTML is shown as text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from html import escape
from typing import Any

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from mmiocost.reporting.html import is_link

_SCROLL = '<div class="scroll" role="region" tabindex="0" aria-label="Table"><table>'


def markdown_html(text: str, pages: Mapping[str, str], attachments: Mapping[str, Any] | None = None) -> str:
    """``text`` as HTML. ``pages`` maps file names to pages of the site, for links between documents.

    Comments are left out, pictures from elsewhere become links, links to files outside the site plain text.
    """
    rendered = MarkdownWithMath(renderer=_Renderer(pages, attachments or {})).render(text)
    return rendered.replace("<table>", _SCROLL).replace("</table>", "</table></div>")


class _Renderer(IPythonRenderer):
    def __init__(self, pages: Mapping[str, str], attachments: Mapping[str, Any]) -> None:
        super().__init__(
            escape=True, allow_harmful_protocols=False, exclude_anchor_links=True, attachments=dict(attachments)
        )
        self._pages = pages
        self._slugs: Counter[str] = Counter()

    def heading(self, text: str, level: int, **_: Any) -> str:
        slug = re.sub(r"[^\w\- ]", "", re.sub(r"<[^>]*>|&\w+;", "", text)).strip().lower().replace(" ", "-")
        self._slugs[slug] += 1
        name = f"{slug}-{self._slugs[slug] - 1}" if self._slugs[slug] > 1 else slug
        return f'<h{level} id="{escape(name)}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        target = self._target(url)
        if target is None:
            return text
        return f'<a href="{escape(target)}" rel="noopener noreferrer">{text}</a>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        if url.startswith("attachment:") and url.removeprefix("attachment:") in self.attachments:
            return f'<img src="{escape(self._embed_image_or_attachment(url))}" alt="{escape(text)}">'
        return self.link(text or escape(url), url)

    def block_html(self, html: str) -> str:
        return "" if html.lstrip().startswith("<!--") else f"<p>{escape(html)}</p>\n"

    def inline_html(self, html: str) -> str:
        return "" if html.startswith("<!--") else escape(html)

    def block_math(self, body: str) -> str:
        return f'<pre class="tex" tabindex="0">{escape(body)}</pre>'

    def inline_math(self, body: str) -> str:
        return f'<code class="tex">{escape(body)}</code>'

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(body)

    def block_mermaidjs(self, code: str) -> str:
        return f"<pre>{escape(code)}</pre>"

    def _target(self, url: str) -> str | None:
        if is_link(url) or url.startswith("#"):
            return url
        path, mark, fragment = url.partition("#")
        page = self._pages.get(path.rpartition("/")[2])
        return None if page is None else page + mark + fragment
