"""The summary of a batch as files that open from disk: an index page, and a page for every executed notebook.

A page is written in one step and says in its last line what it was made from, so that a run that comes later, after
a kill too, makes only those that are missing or of something else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from ..cache import content_hash, write_atomically
from ..execution.folder import folder_within, remove_leftovers
from ..execution.results import NotebookRun
from ..startup import block_slow_imports
from .assets import shared_assets
from .batch_table import Row
from .context import SiteContext
from .site import INDEX, renderer_hash

_OWN = Path(__file__).resolve().parent / "template" / "batch"
_LAST_LINE = 200  # bytes, more than the line holds


class Pages:
    """The pages of one batch in the folder ``out``, rendered as their notebooks end; ``finish`` writes the index."""

    def __init__(self, out: Path, about: Mapping[str, str]) -> None:
        self._out, self._about, self._renderer = out, about, renderer_hash()
        self._context = SiteContext(about["version"], about["evidence"], "")

    def add(self, run: NotebookRun) -> None:
        """Render the page of an executed notebook, unless there is one of the same. Remote notebooks have none."""
        if not isinstance(run.path, str) and not self.is_current(run):
            content = run.path.read_bytes()
            _write_page(self._out / page_of(run), self._page(run, content), self._inputs(run, content))

    def is_current(self, run: NotebookRun) -> bool:
        """Whether the page of a notebook was made from what it would be made from now, and is all there."""
        return _made_from(self._out / page_of(run)) == self._inputs(run, Path(run.path).read_bytes())

    def _inputs(self, run: NotebookRun, content: bytes) -> str:
        error = json.dumps(asdict(run.error)) if run.error else ""
        return content_hash(content, error, self._renderer, json.dumps(self._about), run.name)

    def finish(self, rows: Sequence[Row]) -> Path:
        """Write what the pages share, and the index of all rows last; returns its path."""
        assets = folder_within(self._out, "assets")
        for folder in (self._out, assets):
            remove_leftovers(folder)
        own = {f"assets/{path.name}": path.read_bytes() for path in sorted(_OWN.iterdir()) if path.suffix != ".j2"}
        for name, content in {**shared_assets(), **own}.items():
            if not _holds(self._out / name, content):
                write_atomically(self._out / name, content)
        from .batch_page import index_body
        from .pages import page_html

        body = index_body(rows, self._about)
        page = page_html(body, title="Scenarios", kind="batch", here=INDEX, links=(), context=self._context)
        write_atomically(self._out / INDEX, page)
        return self._out / INDEX

    def _page(self, run: NotebookRun, content: bytes) -> str:
        block_slow_imports()
        from .pages import Link, notebook_body, page_html

        body = notebook_body(run, content, {})
        charts = '<div class="chart"' in body
        links = [Link(INDEX, "All scenarios")]
        where = {"title": run.name, "kind": "notebook", "here": page_of(run)}
        return page_html(body, links=links, context=self._context, charts=charts, **where)


def page_of(run: NotebookRun) -> str:
    """File name of the page of a notebook within its batch."""
    return f"scenario-{run.name}.html"


def _write_page(path: Path, page: str, made_from: str) -> None:
    write_atomically(path, f"{page.rstrip()}\n<!-- made from {made_from} -->\n")


def _made_from(path: Path) -> str:
    """What the last line of a page says that it was made from; empty for one that has no such line."""
    try:
        with path.open("rb") as file:
            file.seek(-min(_LAST_LINE, path.stat().st_size), 2)
            line = file.read().decode(errors="replace").rstrip("\n").rpartition("\n")[2]
    except OSError:
        return ""
    return line.removeprefix("<!-- made from ").removesuffix(" -->") if line.startswith("<!-- made from ") else ""


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False
