"""Pages rendered: a notebook or a Markdown document, in the layout that all pages share.

This module loads nbconvert and jinja2; the site imports it only when a page has to be rendered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mmiocost.execution.results import NotebookRun
from mmiocost.reporting.anchors import Anchors
from mmiocost.reporting.citation import citation
from mmiocost.reporting.context import SiteContext
from mmiocost.reporting.markdown import markdown_html
from mmiocost.reporting.outputs import output_html

TEMPLATES = Path(__file__).resolve().parent / "template"

# Scripts and styles come from the site's own folder only: 'self' is that folder where a server gives the pages
# out, file: where a browser opens them from disk. There is no 'unsafe-inline' and no 'unsafe-eval'.
POLICY = (
    "default-src 'none'; script-src 'self' file:; style-src 'self' file:; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class Link:
    """One entry of the navigation."""

    href: str
    title: str
    failed: bool = False


def page_html(
    body: str, *, title: str, kind: str, here: str, links: Sequence[Link], context: SiteContext, charts: bool = False
) -> str:
    """A whole page around ``body``, which is trusted HTML; everything else is escaped."""
    return render(
        "layout.html.j2",
        body=Markup(body),
        title=title,
        kind=kind,
        here=here,
        links=links,
        context=context,
        charts=charts,
        policy=POLICY,
        citation=citation(context.version, context.evidence_hash),
    )


def notebook_body(run: NotebookRun, content: bytes, pages: Mapping[str, str]) -> str:
    """The executed notebook ``content`` as HTML; on top, where it failed and why."""
    from nbconvert.filters import Highlight2HTML
    from nbformat import reads

    exporter = _exporter()
    exporter.register_filter("output_html", partial(output_html, anchors=Anchors()))
    exporter.register_filter("prose", lambda cell: markdown_html(cell.source, pages, cell.get("attachments")))
    highlight = Highlight2HTML(pygments_lexer="ipython3", parent=exporter)  # type: ignore[no-untyped-call]
    exporter.register_filter("highlight_code", highlight)
    resources = {"failed_cell": run.error.number if run.error else 0}
    notebook = reads(content.decode(), as_version=4)  # type: ignore[no-untyped-call]
    body, _ = exporter.from_notebook_node(notebook, resources)
    failure = render("failure.html.j2", error=run.error) if run.error else ""
    return f"{failure}{body}"


def render(template: str, **values: Any) -> str:
    """One of the templates beside this module with ``values``, which are escaped unless marked as Markup."""
    return _templates().get_template(template).render(**values)


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )


def _exporter() -> Any:
    from nbconvert.exporters import TemplateExporter

    # The plain template exporter: the one for HTML parses each page again to look for pictures.
    own = {"template_name": "notebook", "extra_template_basedirs": [str(TEMPLATES)], "file_extension": ".html"}
    return TemplateExporter(**own)  # type: ignore[no-untyped-call]
