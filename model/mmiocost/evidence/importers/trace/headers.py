"""What a trace says of the host and of itself before its first event."""

from __future__ import annotations

import re
from typing import Any

from ..reading import Options

_FACTS = {
    "release": re.compile(r"^# os release : (\S{1,100})$", re.MULTILINE),
    "cpu_model": re.compile(r"^# cpudesc : (.{1,100})$", re.MULTILINE),
}
_LATENCY = re.compile(r"^# ?\S* ?latency trace v\S+ on (\S{1,100})$", re.MULTILINE)
_WRITTEN = re.compile(rb"^# entries-in-buffer/entries-written: (\d{1,15})/(\d{1,15})", re.MULTILINE)


def facts_of(head: bytes, options: Options) -> dict[str, Any]:
    """Release, CPU model and ISA, from the header or as the user says; what neither says is left out."""
    text = head.decode("utf-8", "replace").replace("\r\n", "\n")
    found = {name: match[1].strip() for name, pattern in _FACTS.items() if (match := pattern.search(text))}
    if (match := _LATENCY.search(text)) is not None:
        found.setdefault("release", match[1])
    said = {"release": options.kernel, "isa": options.isa, "clock_hz": options.clock_hz,
            "mmio_caching": options.mmio_caching}  # fmt: skip
    return {**found, **{name: value for name, value in said.items() if value is not None}}


def overwritten(head: bytes) -> int:
    """Events that the ring buffer no longer held when it was written out."""
    match = _WRITTEN.search(head)
    return 0 if match is None else max(0, int(match[2]) - int(match[1]))
