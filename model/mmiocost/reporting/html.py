"""HTML out of text that strangers may have written: escaped, or cut down to a list of harmless elements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from html.parser import HTMLParser

from mmiocost.reporting.numbers import quantity_text


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KEPT = _words(
    "a abbr b blockquote br caption code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i ins kbd li ol p pre s "
    "samp section small span strong sub summary sup table tbody td tfoot th thead tr tt u ul var"
)
_ATTRIBUTES = frozenset({"colspan", "rowspan", "scope", "start", "title", "lang", "dir"})
# Elements whose text is no text for a reader.
_DROPPED = frozenset(
    {"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "textarea", "title"}
)
_VOID = frozenset({"br", "hr"})


def is_link(address: str) -> bool:
    """Whether ``address`` is an absolute http or https address, the only kind that pages link to."""
    return address.startswith(("https://", "http://")) and not any(letter.isspace() for letter in address)


def sanitized(fragment: str) -> str:
    """``fragment`` with harmless elements only: no script, style, form, media, class, event or inline style.

    The result is written anew from the elements that were understood, so that nothing of the input's markup
    can survive by being read differently; unclosed elements are closed.
    """
    parser = _Sanitizer()
    parser.feed(fragment)
    parser.close()
    return parser.result()


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    caption: str,
    *,
    kind: str = "data",
    place: Callable[[str], str] | None = None,
) -> str:
    """An accessible table in a box that scrolls by itself; the first column heads each row.

    Everything is escaped. Numbers are aligned by class ``number``; None is an empty cell. ``place``
    gives each row an id from its head; such a row can be cited.
    """
    head = "".join(f'<th scope="col">{escape(str(column))}</th>' for column in columns)
    body = "".join(f"<tr{_place(row, place)}>{_row(row)}</tr>" for row in rows)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption or "Table")}">'
        f'<table class="{escape(kind)}">{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _place(row: Sequence[object], place: Callable[[str], str] | None) -> str:
    return f' id="{escape(place(str(row[0])))}" data-cite=""' if place and row else ""


def _row(row: Sequence[object]) -> str:
    cells = [f'<th scope="row">{_cell(value)}</th>' for value in row[:1]]
    for value in row[1:]:
        cells.append(f'<td class="number">{_cell(value)}</td>' if _is_numeric(value) else f"<td>{_cell(value)}</td>")
    return "".join(cells)


def _cell(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return escape(quantity_text(value))
    return "" if value is None else escape(str(value))


def _is_numeric(value: object) -> bool:
    return str(value).lstrip("[−-+~<>≤≥ ")[:1].isdigit()


class _Sanitizer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self._dropping: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self._dropping.append(tag)
        if self._dropping or tag not in _KEPT:
            return
        self._parts.append(f"<{tag}{_attributes(tag, attrs)}>")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Outside SVG and MathML the slash means nothing: <script/> opens a script.
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._dropping:
            if tag == self._dropping[-1]:
                self._dropping.pop()
        elif tag in self._open:
            while (closed := self._open.pop()) != tag:
                self._parts.append(f"</{closed}>")
            self._parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._dropping:
            self._parts.append(escape(data))

    def result(self) -> str:
        return "".join([*self._parts, *(f"</{tag}>" for tag in reversed(self._open))])


def _attributes(tag: str, attrs: list[tuple[str, str | None]]) -> str:
    kept = [(name, value or "") for name, value in attrs if name in _ATTRIBUTES]
    target = dict(attrs).get("href") or ""
    if tag == "a" and is_link(target):
        kept += [("href", target), ("rel", "noopener noreferrer")]
    return "".join(f' {name}="{escape(value)}"' for name, value in kept)
