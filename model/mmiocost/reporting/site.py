"""The report as a site of files that opens from disk: index, one page a notebook, documents, shared assets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmiocost.cache import content_hash, files_hash, write_atomically
from mmiocost.execution.names import unique_names
from mmiocost.execution.results import NotebookRun
from mmiocost.reporting.assets import shared_assets
from mmiocost.reporting.context import SiteContext
from mmiocost.reporting.made_page import MadePage
from mmiocost.reporting.manifest import Made, is_current, read_manifest, write_manifest
from mmiocost.reporting.titles import first_heading, notebook_title
from mmiocost.startup import block_slow_imports
from mmiocost.whatif.answers import Answer

if TYPE_CHECKING:
    from mmiocost.reporting.pages import Link

_HERE = Path(__file__).resolve().parent
INDEX = "index.html"


@dataclass(frozen=True)
class _Page:
    """A page to be: where it goes, what it is called and made from.

    ``run`` is None for a document; ``make`` gives the body of a page that the site makes itself.
    """

    href: str
    title: str
    content: bytes
    run: NotebookRun | None
    make: Callable[[], str] | None = None


def build_site(
    runs: Sequence[NotebookRun],
    out: Path,
    *,
    answers: Sequence[Answer],
    context: SiteContext,
    made: Sequence[MadePage] = (),
) -> Path:
    """Write the site of ``runs`` and of ``made`` pages into the folder ``out`` and return the path of its index.

    Pages whose inputs have not changed are left as they are. All others are rendered before the first is
    written, each is replaced in one step, and the index comes last. Pages that the site no longer has are
    removed; files that it has not written are left alone.
    """
    pages = [*_notebook_pages(runs), *_document_pages(context), *_made_pages(made)]
    old = read_manifest(out)
    rendered: dict[str, bytes] = {}
    files: dict[str, Made] = {}
    for name, inputs, make in _files(pages, answers, context):
        if is_current(out, name, old.get(name), inputs):
            files[name] = old[name]
        else:
            rendered[name] = make()
            files[name] = Made(inputs, content_hash(rendered[name]))
    for name, content in rendered.items():
        write_atomically(out / name, content)
    for name in old.keys() - files.keys():
        (out / name).unlink(missing_ok=True)
    write_manifest(out, files)
    return out / INDEX


def page_of(run: NotebookRun) -> str:
    """File name of the page of a notebook within its site."""
    return f"notebook-{run.name}.html"


def _files(
    pages: Sequence[_Page], answers: Sequence[Answer], context: SiteContext
) -> Iterator[tuple[str, str, Callable[[], bytes]]]:
    """Path, hash of the inputs and maker of each file of the site; what others refer to comes first."""
    for name, content in shared_assets().items():
        yield name, content_hash(content), lambda content=content: content  # type: ignore[misc]
    links = [(INDEX, "Answers", False), *((page.href, page.title, _has_failed(page)) for page in pages)]
    # The date stands on the index only, so that a day's passing does not make every page anew.
    frame = replace(context, generated="", sources=(), machines=(), documents=(), remarks=())
    shared = content_hash(renderer_hash(), json.dumps([links, asdict(frame)]))
    for page in pages:
        inputs = content_hash(shared, page.content, json.dumps([page.href, _error(page)]))
        yield page.href, inputs, lambda page=page: _render(page, links, pages, context)  # type: ignore[misc]
    listed = [_listed(page) for page in pages]
    told = json.dumps([[asdict(answer) for answer in answers], listed, asdict(context)], default=str)
    yield INDEX, content_hash(shared, told), lambda: _render_index(answers, listed, links, context)


def _notebook_pages(runs: Sequence[NotebookRun]) -> Iterator[_Page]:
    for run in runs:
        content = Path(run.path).read_bytes()
        yield _Page(page_of(run), notebook_title(content) or run.name, content, run)


def _document_pages(context: SiteContext) -> Iterator[_Page]:
    names = unique_names(path.stem for path in context.documents)
    for name, path in zip(names, context.documents, strict=True):
        content = path.read_bytes()
        yield _Page(f"document-{name}.html", first_heading(content.decode(errors="replace")) or name, content, None)


def _made_pages(made: Sequence[MadePage]) -> Iterator[_Page]:
    for page in made:
        yield _Page(page.href, page.title, page.inputs.encode(), None, page.make)


def _render(page: _Page, links: list[tuple[str, str, bool]], pages: Sequence[_Page], context: SiteContext) -> bytes:
    block_slow_imports()
    from mmiocost.reporting.pages import notebook_body, page_html

    targets = _targets(pages, context)
    if page.make is not None:
        body = page.make()
    elif page.run is None:
        from mmiocost.reporting.markdown import markdown_html

        text = markdown_html(page.content.decode(errors="replace"), targets)
        body = f'<article class="prose">{text}</article>'
    else:
        body = notebook_body(page.run, page.content, targets)
    if "<h1" not in body:
        body = _title(page.title) + body
    return page_html(
        body,
        title=page.title,
        kind="document" if page.run is None else "notebook",
        here=page.href,
        links=_links(links),
        context=context,
        charts='<div class="chart"' in body,
    ).encode()


def _render_index(
    answers: Sequence[Answer],
    listed: Sequence[dict[str, Any]],
    links: list[tuple[str, str, bool]],
    context: SiteContext,
) -> bytes:
    block_slow_imports()
    from mmiocost.reporting.index import PageLine, index_body
    from mmiocost.reporting.pages import page_html

    body = index_body(answers, [PageLine(**line) for line in listed], context)
    return page_html(body, title="Answers", kind="index", here=INDEX, links=_links(links), context=context).encode()


def _listed(page: _Page) -> dict[str, Any]:
    if page.run is None:
        return {"href": page.href, "title": page.title, "status": "document", "name": ""}
    from mmiocost.reporting.numbers import quantity_text

    # "unchanged" tells of this run of the command, not of the page: both stand for a good execution.
    status = "failed" if page.run.status == "failed" else "executed"
    seconds = quantity_text(round(page.run.seconds, 1), unit="s")
    return {"href": page.href, "title": page.title, "status": status, "name": page.run.name, "seconds": seconds}


def _targets(pages: Sequence[_Page], context: SiteContext) -> dict[str, str]:
    """Pages by the names of the files that they come from, for links between documents."""
    notebooks = {f"{page.run.name}.ipynb": page.href for page in pages if page.run is not None}
    documents = [page.href for page in pages if page.run is None and page.make is None]
    return {**notebooks, **{path.name: href for path, href in zip(context.documents, documents, strict=True)}}


def _links(links: list[tuple[str, str, bool]]) -> list[Link]:
    from mmiocost.reporting.pages import Link

    return [Link(*link) for link in links]


def _has_failed(page: _Page) -> bool:
    return page.run is not None and page.run.status == "failed"


def _error(page: _Page) -> dict[str, Any] | None:
    return asdict(page.run.error) if page.run is not None and page.run.error is not None else None


def _title(title: str) -> str:
    return f"<h1>{escape(title)}</h1>"


def renderer_hash() -> str:
    """Hash of all that turns data into pages: this room's code, its templates, the libraries' versions."""
    files = [path for path in _HERE.rglob("*") if path.is_file() and path.suffix in {".py", ".j2", ".json"}]
    versions = [f"{name} {version(name)}" for name in ("nbconvert", "mistune", "pygments")]
    return content_hash(files_hash(files), *versions)
