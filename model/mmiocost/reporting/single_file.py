"""A site as one HTML file, for mail: its pages one below the other, scripts and styles within, links into itself.

Comes in: the folder of a finished site. Goes out: one page in the frame of the index. Its Content-Security-Policy
names each script and style by its hash, so that nothing else runs in it and nothing is loaded.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path

from mmiocost.cache import write_atomically
from mmiocost.reporting.manifest import read_manifest

INDEX = "index.html"
SINGLE_FILE = "report.html"
_STYLE = """
main > section + section { border-top: 1px solid var(--line); margin-top: 4rem; padding-top: 2rem; }
@media print { main > section + section { break-before: page; border: 0; margin: 0; padding: 0; } }
"""
_PAGE = re.compile(r"(?s)^(.*?)<main\b([^>]*)>(.*)</main>(.*)$")
_LINKED = re.compile(r'<link rel="stylesheet" href="([^"]+)">\n?')
_LOADED = re.compile(r'<script src="([^"]+)"(?: defer)?></script>\n?')
_POLICY = re.compile(r'(<meta http-equiv="Content-Security-Policy" content=")[^"]*(">)')
_TITLE = re.compile(r"(?s)<title>(.*?)</title>")
_KIND = re.compile(r'\bclass="([^"]*)"')
_REFERS = re.compile(r'(?<=\s)(id|for|aria-labelledby|aria-describedby|aria-controls|href)="([^"]*)"')


@dataclass(frozen=True)
class _Part:
    """One page taken apart: what stands before and after its main element, and what is in that."""

    name: str
    before: str
    kind: str
    body: str
    after: str

    @property
    def anchor(self) -> str:
        """Id of the page's section."""
        return re.sub(r"[^\w.-]+", "-", self.name.removesuffix(".html"))

    def assets(self, pattern: re.Pattern[str]) -> list[str]:
        """Files that the page loads, by their path within the site; some pages name scripts of their own below."""
        return [_within(self.name, unescape(href)) for href in pattern.findall(self.before + self.body)]


def write_single_file(out: Path) -> Path:
    """Write the site in the folder ``out`` into ``report.html`` beside its index, in one step; returns its path."""
    path = out / SINGLE_FILE
    write_atomically(path, single_file(out))
    return path


def single_file(out: Path) -> str:
    """All pages of the site in ``out`` as one page: the index first, the others in the order of the index's links."""
    names = [name for name in read_manifest(out) if name.endswith(".html")]
    parts = _in_order([_part(name, (out / name).read_text(encoding="utf-8")) for name in names])
    frame = parts[0]
    ids = _ids(parts)
    sections = "\n".join(_section(part, ids) for part in parts)
    styles = [_text(out / name) for name in _merged(part.assets(_LINKED) for part in parts)]
    style = _in_style("\n".join([*styles, _STYLE]))
    scripts = [_in_script(_text(out / name)) for name in _merged(part.assets(_LOADED) for part in parts)]
    policy = (
        f"default-src 'none'; script-src {_hashes(scripts)}; style-src {_hashes([style])}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    head = _LOADED.sub("", _LINKED.sub("", _rewritten(frame, frame.before, ids)))
    head = _POLICY.sub(lambda found: f"{found[1]}{policy}{found[2]}", head)
    head = head.replace("</head>", f"<style>{style}</style>\n</head>")
    run = "".join(f"<script>{script}</script>\n" for script in scripts)
    after = _rewritten(frame, frame.after, ids).replace("</body>", f"{run}</body>")
    return f'{head}<main id="content" tabindex="-1">\n{sections}\n</main>{after}'


def _part(name: str, page: str) -> _Part:
    found = _PAGE.match(page)
    if found is None:
        raise ValueError(f"{name} has no main element")
    kind = _KIND.search(found[2])
    return _Part(name, found[1], kind[1] if kind else "", found[3], found[4])


def _in_order(parts: Sequence[_Part]) -> list[_Part]:
    by_name = {part.name: part for part in parts}
    index = by_name[INDEX]
    linked = [_within(INDEX, unescape(href)) for href in re.findall(r' href="([^"#]+)', index.before + index.body)]
    ordered = dict.fromkeys([INDEX, *(name for name in linked if name in by_name), *sorted(by_name)])
    return [by_name[name] for name in ordered]


def _section(part: _Part, ids: Mapping[tuple[str, str], str]) -> str:
    title = _TITLE.search(part.before)
    label = title[1] if title else escape(part.name)
    kind = f' class="{part.kind}"' if part.kind else ""
    body = _LOADED.sub("", _rewritten(part, part.body, ids))
    return f'<section{kind} id="{part.anchor}" aria-label="{label}">{body}</section>'


def _ids(parts: Sequence[_Part]) -> dict[tuple[str, str], str]:
    """The id in the single file of each (page, id): as it was, unless an earlier page has it already.

    The page itself is (page, "").
    """
    given = {(part.name, ""): part.anchor for part in parts}
    taken = {"content", *given.values()}
    for part in parts:
        for old in _Tags.of(part.body).ids:
            new = old if old not in taken else f"{part.anchor}--{old}"
            given[part.name, old] = new
            taken.add(new)
    return given


def _rewritten(part: _Part, markup: str, ids: Mapping[tuple[str, str], str]) -> str:
    """``markup`` of a page with its ids and its links to pages of the site as they are in the single file."""

    def referring(found: re.Match[str]) -> str:
        name, value = found[1], unescape(found[2])
        if name == "href":
            path, mark, fragment = value.partition("#")
            page = _within(part.name, path) if path else part.name
            inside = (page, "") in ids and (path or mark)
            new = f"#{ids.get((page, fragment), fragment)}" if inside else value
        else:
            new = " ".join(ids.get((part.name, word), word) for word in value.split(" "))
        return f'{name}="{escape(new)}"'

    return _Tags.of(markup, lambda tag: _REFERS.sub(referring, tag)).copy


class _Tags(HTMLParser):
    """Copies markup letter by letter, but hands each start tag to ``change``."""

    def __init__(self, change: Callable[[str], str]) -> None:
        super().__init__(convert_charrefs=False)
        self._change = change
        self.ids: list[str] = []
        self._parts: list[str] = []

    @classmethod
    def of(cls, markup: str, change: Callable[[str], str] = str) -> _Tags:
        """``markup`` read to its end."""
        parser = cls(change)
        parser.feed(markup)
        parser.close()
        return parser

    @property
    def copy(self) -> str:
        """What was read, with its start tags changed."""
        return "".join(self._parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text = self.get_starttag_text() or ""
        self.ids += [value for name, value in attrs if name == "id" and value]
        self._parts.append(self._change(text))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self._parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._parts.append(data)

    def handle_entityref(self, name: str) -> None:
        self._parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._parts.append(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self._parts.append(f"<!{decl}>")


def _within(page: str, href: str) -> str:
    """Path within the site of what a page refers to by a relative path."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), href))


def _merged(lists: Iterable[Sequence[str]]) -> list[str]:
    """Every name once, in an order in which what stands before a name on any page still does."""
    merged: list[str] = []
    for names in lists:
        place = len(merged)
        for name in reversed(names):
            if name in merged:
                place = merged.index(name)
            else:
                merged.insert(place, name)
    return merged


def _text(path: Path) -> str:
    # As a browser reads it, for its hash is of that: every line break becomes a line feed.
    return path.read_text(encoding="utf-8").replace("\r\n", "\n").replace("\r", "\n")


def _in_script(source: str) -> str:
    """A script that can stand in a page: what would end its element or hide its end is written another way.

    Both occur in strings and regular expressions only, where the backslash changes nothing.
    """
    return re.sub(r"<(?=/script|script)", r"\\x3c", source, flags=re.IGNORECASE).replace("<!--", "\\x3c!--")


def _in_style(source: str) -> str:
    return re.sub(r"</(?=style)", r"<\\/", source, flags=re.IGNORECASE)


def _hashes(contents: Sequence[str]) -> str:
    digests = (base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() for content in contents)
    return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
