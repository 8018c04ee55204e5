"""One line of a trace up to its payload, as perf script, ftrace and trace-cmd print it.

This and ``payloads`` are the whole grammar, one line at a time. ``scanning`` reads the common forms a hundred times
as fast and must agree with them; whatever it does not know comes here. Every pattern takes time linear in the
line's length: names, which may hold anything, have at most 16 bytes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_LARGEST = (1 << 63) - 1


class Head(NamedTuple):
    """What stands before the payload. ``time`` is in ns, or in ticks of the trace's own clock.

    ``token`` is the event as printed, ``prefix`` the length of the text up to the CPU's bracket, 0 where there is
    none; ``digits`` those of the time's fraction; -1 is an unknown ``cpu`` or ``tgid``.
    """

    comm: str
    tid: int
    tgid: int
    cpu: int
    time: int
    digits: int
    event: str
    token: str
    payload: str
    prefix: int


class Marker(NamedTuple):
    """Events were lost: on a CPU or, if that is -1, on any; ``lost`` is -1 where the number is not said."""

    cpu: int
    lost: int


_TIME = r"(?P<seconds>\d{1,20})(?:\.(?P<fraction>\d{1,9}))?"
_PERF = re.compile(
    r" +(?:-?\d{1,10}/)?(?P<tid>-?\d{1,10}) +(?:\[(?P<cpu>\d{1,5})\] +)?(?:[UKGH]+ +)?" + _TIME + r": +"
    r"(?:\d{1,20} +)?(?P<token>[A-Za-z]\w{0,30}:(?P<event>\w{1,32})):(?: +(?P<payload>.*))?",
    re.ASCII,
)
_FTRACE = re.compile(
    r"-(?P<tid>\d{1,10}) +(?:\( *(?P<tgid>\d{1,10}|-+)\) +)?\[(?P<cpu>\d{1,5})\] +(?:\S{3,8} +)?" + _TIME + r": "
    r"(?P<token>(?P<event>\w{1,64})):(?: +(?P<payload>.*))?",
    re.ASCII,
)
_LATENCY = re.compile(
    r"-(?P<tid>\d{1,10}) +(?P<cpu>\d{1,5}?)[^\s\d]\S{2,7} +(?P<seconds>\d{1,20})us[ +!#*@$]?: "
    r"(?P<token>(?P<event>\w{1,64})):(?: +(?P<payload>.*))?",
    re.ASCII,
)
_PERF_TGID = re.compile(r" +(-?\d{1,10})/")
_MARKERS = (
    re.compile(r"CPU:(?P<cpu>\d{1,5}) \[LOST(?: (?P<lost>\d{1,15}))? EVENTS\]"),
    re.compile(r"CPU:(?P<cpu>\d{1,5}) \[(?:(?P<lost>\d{1,15}) )?EVENTS DROPPED\]"),
    re.compile(r"Processed \d+ events and lost (?P<lost>\d{1,15}) chunks!.*"),
)
_PERF_LOST = re.compile(r"PERF_RECORD_LOST lost (\d{1,15})$")
_NO_EVENT = re.compile(
    r"#.*|\s*|\t+ *[0-9a-f]+ .*| => .*|<stack trace>|cpus=\d+|version = \S+|CPU \d+ is empty|\S* latency trace v.*"
    r"|[ *|\\/=_-]+|##### CPU \d+ buffer started ####|\[ perf record: .*|Warning:|Check IO/CPU overload!",
    re.ASCII,
)


def head(text: str, form: str) -> Head | None:
    """The part of a line before its payload, for a ``form`` of "perf-script", "ftrace" or "trace-cmd"; else None.

    The name is cut by position, since it may look like anything; only where that fails the shortest is taken.
    """
    patterns = (_PERF,) if form == "perf-script" else (_FTRACE, _LATENCY)
    for pattern, width in zip(patterns, (16, 8), strict=False):
        for length in dict.fromkeys((width, *range(width + 1))):
            if (match := pattern.match(text, length)) is not None:
                return _head(text, match, length)
    return None


def _head(text: str, match: re.Match[str], length: int) -> Head:
    found = match.groupdict()
    fraction = found.get("fraction")
    seconds, tgid = int(found["seconds"]), found.get("tgid") or ""
    if match.re is _PERF and (both := _PERF_TGID.match(text, length)) is not None:
        tgid = both[1]
    if match.re is _LATENCY:
        time, digits = seconds * 1000, 6
    elif fraction is None:
        time, digits = seconds, 0
    else:
        time, digits = seconds * 10**9 + int(fraction.ljust(9, "0")), len(fraction)
    cpu = found["cpu"]
    bracket = match.start("cpu") - 1 if cpu and match.re is not _LATENCY else 0
    return Head(
        text[:length].strip(), int(found["tid"]), int(tgid) if tgid.lstrip("-").isdecimal() else -1,
        -1 if cpu is None else int(cpu), min(time, _LARGEST), digits, found["event"], found["token"],
        found["payload"] or "", bracket,
    )  # fmt: skip


def marker(text: str) -> Marker | None:
    """What a line says of lost events, if it does."""
    for pattern in _MARKERS:
        if (match := pattern.fullmatch(text.strip())) is not None:
            found = match.groupdict()
            return Marker(int(found.get("cpu") or -1), int(found["lost"] or -1))
    match = _PERF_LOST.search(text[-64:])
    return None if match is None else Marker(-1, int(match[1]))


def no_event(text: str) -> bool:
    """Whether a line is known to be no event: comment, header, blank, stack frame."""
    return _NO_EVENT.fullmatch(text) is not None
