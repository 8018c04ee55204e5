"""Rows that lines of a trace are read into, as numbers in columns, and how compiled code looks at a line's bytes.

Nothing that looks at bytes reads beyond a line but to find that it ends: no text looked for holds the end of a line.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .payloads import EVENTS
from .words import byte, hexadecimal, inlined, put, skip_blanks, word

OTHERS = len(EVENTS)
NO_CODE, CODE_IN_INFO1, CODE_IN_FIELD = 0, 1, 2  # where the error code of an exit stands, by its reason
LARGEST = np.uint64((1 << 63) - 1)
ALL_BITS = np.uint64((1 << 64) - 1)
NOTHING = -1  # event of a row that is none
WIDTH = 16  # columns that a thread's name is printed in


# Columns of a block, (COLUMNS, ROOM) of int64; -1 (0 for RW, NUMBER and VALUE) is what an event does not say.
# Numbers of columns, and one array: a tuple of arrays costs ten times as much to pass around.
COLUMNS = 15
(TIME, LINE, CPU, THREAD, KIND, VCPU, REASON, PRINTED, ADDRESS, NUMBER, RW, VALUE, ERROR_CODE, GEN, FLAG) = range(
    COLUMNS
)
ROOM = 40_008  # rows of a block; no power of two, or all columns would fall into the same places of the cache
#: The value of a known reason: the printed name's number, the canonical one's, and where the error code stands.
CANONICAL_SHIFT, CODE_SHIFT = 16, 32


def rows() -> Any:
    """Empty columns for ROOM events."""
    return np.empty((COLUMNS, ROOM), np.int64)


def clear(block: Any, line: int) -> None:
    """Make the first row one of a line that says nothing."""
    block[:, 0] = -1
    block[[NUMBER, RW, VALUE], 0] = 0
    block[LINE, 0], block[KIND, 0] = line, NOTHING


@inlined
def set_column(out: int, column: int, value: Any) -> None:
    """Set a column of the row at an address."""
    put(out, 8 * ROOM * column, value)


def starts(text: bytes) -> tuple[Any, Any]:
    """First eight bytes of a text as a word, and the mask of those that count."""
    padded = text[:8].ljust(8, b"\0")
    return np.uint64(int.from_bytes(padded, "little")), np.uint64((1 << (8 * len(text[:8]))) - 1)


@inlined
def is_at(buffer: int, at: int, text: Any, mask: Any) -> bool:
    """Whether a text of at most eight bytes stands at a place."""
    return bool((word(buffer, at) & mask) == text)


@inlined
def bounded(number: Any) -> Any:
    """A number as int64, the largest one where it is larger."""
    return np.int64(min(number, LARGEST))


@inlined
def hex_after(buffer: int, at: int, end: int, text: Any, mask: Any, length: int) -> tuple[Any, int]:
    """A hexadecimal number behind a text, and the place after it; -1 as the place where there is none."""
    if not is_at(buffer, at, text, mask):
        return np.uint64(0), -1
    value, after = hexadecimal(buffer, at + length, end)
    return value, (after if after > at + length and after <= end else -1)


@inlined
def to_end(buffer: int, at: int, end: int) -> bool:
    """Whether nothing but blanks is left."""
    return skip_blanks(buffer, at, end) == end


@inlined
def printable(buffer: int, at: int, end: int) -> bool:
    """Whether all bytes are ASCII and none a blank or a control character: as many letters as bytes."""
    while at < end and 32 < byte(buffer, at) < 127:
        at += 1
    return at == end
