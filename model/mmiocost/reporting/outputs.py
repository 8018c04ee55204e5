"""Outputs of an executed notebook as HTML. Only data that this module understands becomes markup."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from typing import Any

from mmiocost.reporting import html, mathml
from mmiocost.reporting.anchors import Anchors
from mmiocost.reporting.display import MEDIA_TYPE, VEGA_LITE

# Control sequences of a terminal (ECMA-48).
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def output_html(output: Mapping[str, Any], anchors: Anchors) -> str:
    """One output of a code cell (nbformat 4) as HTML; ``anchors`` are those of its page."""
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return _pre(output.get("text", ""), name)
    if kind == "error":
        return _pre("\n".join(output.get("traceback") or [str(output.get("evalue", ""))]), "error")
    return _bundle(output.get("data") or {}, anchors)


def _bundle(data: Mapping[str, Any], anchors: Anchors) -> str:
    said = data.get(MEDIA_TYPE)
    if isinstance(said, Mapping):
        shown = _own(said, data, anchors)
        if shown:
            return shown
    for media_type, render in _RENDERERS.items():
        if media_type in data:
            return render(data[media_type])
    return _pre(data.get("text/plain", ""), "result")


def _own(said: Mapping[str, Any], data: Mapping[str, Any], anchors: Anchors) -> str:
    """One of the project's displays, or nothing if its data are not what they should be."""
    try:
        if said["kind"] == "figure":
            return _figure(data[VEGA_LITE], said, anchors)
        if said["kind"] == "table":
            caption = str(said["caption"])
            place = partial(anchors, f"table-{caption}")
            return html.table(_texts(said["columns"]), said["rows"], caption, place=place)
        if said["kind"] == "formula":
            markup = mathml.checked(said["mathml"], alttext=str(said["plain"]))
            return f'<div class="formula scroll" role="region" tabindex="0" aria-label="Formula">{markup}</div>'
    except (KeyError, TypeError, ValueError, IndexError):
        pass
    return ""


def _figure(spec: Mapping[str, Any], said: Mapping[str, Any], anchors: Anchors) -> str:
    see, rows = str(said["see"]), said["rows"]
    title = str(spec.get("title") or "")
    drawn = {name: part for name, part in spec.items() if name != "title"}  # the page sets the title, and wraps it
    behind = html.table(_texts(said["columns"]), rows, "")
    count = f"{len(rows)} rows" if len(rows) != 1 else "1 row"
    citable = f' id="{anchors("figure", title)}" data-cite="{escape(f"{title}: {see}")}"'
    return (
        f'<figure{citable}><p class="title">{escape(title)}</p>{_chart(drawn)}<figcaption>{escape(see)}</figcaption>'
        f"<details><summary>Data behind this figure ({count})</summary>{behind}</details></figure>"
    )


def _chart(spec: Mapping[str, Any]) -> str:
    title = spec.get("title")
    name = title.get("text") if isinstance(title, Mapping) else title
    described = str(spec.get("description") or name or "Chart")
    return (
        f'<div class="chart" role="group" aria-label="{escape(described)}">'
        f'<script type="application/json">{json_in_script(spec)}</script>'
        f'<noscript><p class="note">{escape(described)}</p></noscript></div>'
    )


def json_in_script(document: object) -> str:
    """JSON that cannot end the script element that holds it, whatever text is in it."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _texts(values: list[object]) -> list[str]:
    return [str(value) for value in values]


def _pre(text: object, kind: str) -> str:
    joined = "".join(text) if isinstance(text, list) else str(text)
    return f'<pre class="output {kind}" tabindex="0">{escape(_TERMINAL_CODES.sub("", joined))}</pre>'


def _sanitized(text: Any) -> str:
    joined = "".join(text) if isinstance(text, list) else str(text)
    return f'<div class="scroll" role="region" tabindex="0" aria-label="Output">{html.sanitized(joined)}</div>'


def _image(media_type: str) -> Callable[[Any], str]:
    def render(content: Any) -> str:
        joined = "".join(content) if isinstance(content, list) else str(content)
        encoded = base64.b64encode(joined.encode()).decode() if media_type.endswith("xml") else "".join(joined.split())
        return f'<img alt="Output image" src="data:{media_type};base64,{escape(encoded)}">'

    return render


def _vega_lite(spec: Any) -> str:
    return f"<figure>{_chart(spec)}</figure>" if isinstance(spec, Mapping) else ""


_RENDERERS: dict[str, Callable[[Any], str]] = {
    VEGA_LITE: _vega_lite,
    "text/html": _sanitized,
    "image/svg+xml": _image("image/svg+xml"),
    "image/png": _image("image/png"),
    "image/jpeg": _image("image/jpeg"),
}
