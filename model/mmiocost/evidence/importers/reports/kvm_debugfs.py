"""``grep -r . /sys/kernel/debug/kvm``: counters of the host, of each VM and of each vCPU since they exist.

One dump gives no rate: import two, with the time between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..reading import Account, Line, Options, Reading
from .values import whole

FORMAT = "kvm-debugfs"
_ROW = re.compile(
    r"(?:\S{0,200}/)?kvm/(?:(?P<vm>\d{1,10}-\d{1,10})/)?(?:(?P<vcpu>vcpu\d{1,6})/)?(?P<name>[\w-]{1,60})(?::\s{0,8}|\s{1,8})(?P<value>-?\d{1,20})\s{0,8}",
    re.ASCII,
)
GAUGES = ("guest_mode", "tsc-offset", "tsc-scaling-ratio", "nx_lpage_splits", "pages_4k", "pages_2m", "pages_1g",
          "mmu_unsync", "mmu_shadow_pages")  # fmt: skip


def fits(head: str) -> bool:
    """Whether a line is such a row."""
    return any(_ROW.fullmatch(line) is not None for line in head.splitlines()[:50])


def read(lines: Iterator[Line], account: Account, options: Options) -> Reading:
    """Rows ``vm``, ``vcpu`` (empty for the level above), ``name``, ``value`` and whether it is a ``gauge``."""
    rows: list[dict[str, Any]] = []
    for line in lines:
        match = _ROW.fullmatch(line.text)
        try:
            if match is not None:
                found = {key: match[key] or "" for key in ("vm", "vcpu", "name")}
                rows.append({**found, "value": whole(match["value"]), "gauge": match["name"] in GAUGES})
            elif line.text.strip() and not line.text.startswith("grep:"):
                account.skip(line.number, "unrecognised" if line.ended else "incomplete")
        except ValueError:
            account.skip(line.number, "bad_number")
    account.rows = len(rows)
    facts = {"window_s": options.window} if isinstance(options.window, float) else {}
    return Reading(FORMAT, account, {"counters": rows}, facts=facts)
