"""A folder of decision records: numbers, the status of superseded ones, the index, pages of the same content."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from .. import __version__, resources
from ..cache import write_atomically
from ..errors import InvalidInput
from ..evidence import evidence_hash
from ..startup import block_slow_imports
from .context import SiteContext
from .record import Head, parts, read_head, read_text
from .record_text import TITLE, TITLES, index_text

_RECORD = re.compile(r"([0-9]{4})-[a-z0-9-]{1,80}\.md")
_STATUS = re.compile(r"^status: .*$", re.MULTILINE)
INDEX = "README.md"


def default_folder() -> Path:
    """``reports/decisions`` of the checkout, or of the current folder for an installed package."""
    return (resources.checkout() or Path.cwd()) / "reports" / "decisions"


def records(folder: Path) -> dict[int, Path]:
    """Records of a folder by their number; files of other names are none."""
    found = sorted(folder.glob("*.md")) if folder.is_dir() else []
    return {int(match[1]): path for path in found if (match := _RECORD.fullmatch(path.name))}


def next_number(folder: Path) -> int:
    """One more than the highest number of a folder.

    Raises InvalidInput where four digits are used up, or where an index stands that is not one of records.
    """
    if _is_foreign(folder):
        raise InvalidInput.one("--out", "", str(folder), "has an index of something else: name a folder for records")
    number = max(records(folder), default=0) + 1
    if number > 9999:
        raise InvalidInput.one("--out", "", str(folder), "holds record 9999: begin another folder")
    return number


def _is_foreign(folder: Path) -> bool:
    """Whether the files that the index would replace are not an index of records."""
    try:
        with (folder / INDEX).open("rb") as stream:
            return stream.read(len(TITLE)) != TITLE.encode()
    except OSError:
        return (folder / INDEX).exists() or (folder / "index.html").exists()


def superseded(folder: Path, number: int, by: int) -> tuple[Path, str]:
    """The record of a number, and its text with its status changed and nothing else. Raises InvalidInput."""
    known = records(folder)
    if number not in known:
        allowed = f"must be a record of {folder}: {', '.join(map(str, known)) or 'it has none'}"
        raise InvalidInput.one("--supersedes", "", str(number), allowed)
    text, status = read_text(known[number]), f"superseded by {by:04d}"
    read_head(text, str(known[number]))
    changed = _STATUS.sub(f"status: {status}", text, count=1)
    if read_head(changed, str(known[number])).status != status:
        raise InvalidInput.one(
            str(known[number]), "status", "", "must stand as `status: accepted` on a line of its own"
        )
    return known[number], changed


def write_folder(folder: Path, texts: dict[Path, str]) -> None:
    """Write records, then the index and the pages of all. Raises InvalidInput for a folder that can't be written."""
    try:
        for path, text in texts.items():
            write_atomically(path, text)
        rows = list(_rows(folder))
        write_atomically(folder / INDEX, index_text(rows))
        _write_pages(folder)
    except OSError as error:
        raise InvalidInput.one("--out", "", str(folder), f"can't be written: {error.strerror}") from error


def _rows(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    for number, path in records(folder).items():
        try:
            head = read_head(read_text(path), path.name)
        except InvalidInput:  # a person's own record among them, or an older format
            yield path.name, path.stem, "not read", ""
            continue
        yield path.name, f"{number}. {TITLES[head.question]}: {head.decision}", head.status, head.date


def _write_pages(folder: Path) -> None:
    from .assets import own_assets
    from .pages import page_html

    block_slow_imports()
    for name, content in own_assets().items():
        place = folder / name
        if not place.is_file() or place.read_bytes() != content:
            write_atomically(place, content)
    texts = dict(_readable(folder))
    pages = {name: f"{name.removesuffix('.md')}.html" for name in texts} | {INDEX: "index.html"}
    for source, text in {**texts, INDEX: (folder / INDEX).read_text("utf-8")}.items():
        page, (evidence, body) = pages[source], page_body(text, source, pages)
        context = SiteContext(__version__, evidence, "")
        shown = page_html(
            f'<article class="prose">{body}</article>', title=Path(source).stem, kind="document", here=page, links=(),
            context=context,
        )  # fmt: skip
        write_atomically(folder / page, shown)


def _readable(folder: Path) -> Iterator[tuple[str, str]]:
    """Names and texts of the records that are of this form."""
    for path in records(folder).values():
        with contextlib.suppress(InvalidInput):
            text = read_text(path)
            read_head(text, path.name)
            yield path.name, text


def page_body(text: str, where: str, pages: dict[str, str]) -> tuple[str, str]:
    """Evidence hash and trusted HTML of a record or an index; all that it says is escaped. Raises InvalidInput."""
    from .markdown import markdown_html

    if where == INDEX:
        return evidence_hash(), markdown_html(text, pages)
    head = read_head(text, where)
    title, end, rest = markdown_html(parts(text)[1], pages).partition("</h1>")
    return head.evidence, f"{title}{end}{_head_html(head)}{rest}"


def _head_html(head: Head) -> str:
    said = {"Status": head.status, "Date": head.date, "Question": head.question, "mmiocost": head.version,
            "Evidence": head.evidence}  # fmt: skip
    items = "".join(f"<div><dt>{name}</dt><dd>{escape(text)}</dd></div>" for name, text in said.items())
    return f'<dl class="limits">{items}</dl>'
