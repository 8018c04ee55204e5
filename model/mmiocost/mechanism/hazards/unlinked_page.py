"""A page unlinked in mid-hierarchy and not yet freed: the walker goes on in a page that no table holds any more.

P is linked and holds the entry 1; Q, which replaces it, holds 2. Bad: the walker finds 3, which no table that could
be reached from the root ever held. Finding 1 is right: it was there when the link was read.
"""

from __future__ import annotations

from .machine import Machine, Step, Thread, Values, assign

NAME = "unlinked_page"
_REPLACE = assign("links Q in place of P", link="Q")
_UPDATES = {
    "clear_children_first": ("P's entry is cleared before P is unlinked", (assign("clears P's entry", P=0), _REPLACE)),
    "unlink_only": ("P is unlinked and left as it is", (_REPLACE,)),
    "recycled_in_place": ("P is used for another table at once", (_REPLACE, assign("writes 3 into P", P=3))),
}


def machines() -> tuple[Machine, ...]:
    """Each way to replace a page."""
    return tuple(
        Machine(
            NAME,
            variant,
            meaning,
            {"link": "P", "P": 1, "Q": 2, "walker.link": "", "walker.found": ""},
            (Thread("walker", _walk()), Thread("updater", steps)),
            lambda v: v["walker.found"] == 3,
        )
        for variant, (meaning, steps) in _UPDATES.items()
    )


def _walk() -> tuple[Step, ...]:
    def read_entry(v: Values) -> None:
        v["walker.found"] = v[v["walker.link"]]

    return (
        Step("reads the link", lambda v: v.update({"walker.link": v["link"]}), shows="walker.link"),
        Step("reads that page's entry", read_entry, shows="walker.found"),
    )
