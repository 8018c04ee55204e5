from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import HOSTILE

from mmiocost.reporting.html import is_link, sanitized, table


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("<b>bold</b> &lt;i&gt; &amp;", "<b>bold</b> &lt;i&gt; &amp;"),
        ("<script>alert(1)</script>after", "after"),
        ("<style>p{}</style><p style='x' onclick='y' class='z'>a</p>", "<p>a</p>"),
        ("<img src=x onerror=y><svg><a>b</a></svg>c", "c"),
        ("<a href='javascript:x'>a</a>", "<a>a</a>"),
        (
            "<a href='https://e.org/?a=1&amp;b'>a</a>",
            '<a href="https://e.org/?a=1&amp;b" rel="noopener noreferrer">a</a>',
        ),
        ("<table><tr><td colspan=2>a", '<table><tr><td colspan="2">a</td></tr></table>'),
        ("</p></div>a<!-- c --><br/>", "a<br>"),
        ("<scr<script>ipt>a", "ipt&gt;a"),
    ],
)
def test_only_harmless_elements_are_kept(fragment: str, expected: str) -> None:
    assert sanitized(fragment) == expected


@given(st.text(alphabet="<>/='\"abpscriptonimgsvg& \n!-[]?;:", max_size=80) | st.text())
def test_no_markup_outside_the_list_survives(fragment: str) -> None:
    names = re.findall(r"<\s*/?\s*([^\s>/]*)", sanitized(fragment))
    assert not {"script", "img", "svg", "style", "iframe"} & {name.lower() for name in names}
    assert sanitized(sanitized(fragment)) == sanitized(fragment)


def test_text_in_a_table_is_text() -> None:
    made = table([HOSTILE, "n"], [(HOSTILE, 3), (None, 12345.678)], HOSTILE)
    assert "<script" not in made
    assert "<img" not in made
    assert made.count("&lt;script&gt;") == 4  # label, caption, head and first cell
    assert '<th scope="row"></th>' in made
    assert '<td class="number">12\u202f346</td>' in made


@pytest.mark.parametrize("address", ["javascript:x", "file:///etc", "//e.org", "data:text/html,x", "", "http://a b"])
def test_only_web_addresses_are_links(address: str) -> None:
    assert not is_link(address)
    assert is_link("https://lore.kernel.org/kvm/1")
