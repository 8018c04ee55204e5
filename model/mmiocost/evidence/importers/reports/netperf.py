"""netperf: transactions or throughput of one test; interim results are not pooled with it.

The two ends named in the title are hosts of somebody, and are not taken over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ..reading import Account, Line, Options, Reading
from .values import number, whole

FORMAT = "netperf"
_TITLE = re.compile(r"(?:MIGRATED )?(?P<test>[\w|/ -]{1,60}?) TEST from .{1,400}")
_TESTS = {
    "TCP REQUEST/RESPONSE": "TCP_RR", "UDP REQUEST/RESPONSE": "UDP_RR", "TCP Connect/Request/Response": "TCP_CRR",
    "TCP STREAM": "TCP_STREAM", "TCP MAERTS": "TCP_MAERTS", "UDP UNIDIRECTIONAL SEND": "UDP_STREAM",
    "UDP STREAM": "UDP_STREAM", "OMNI Send|Recv": "OMNI", "OMNI": "OMNI",
}  # fmt: skip
_ASKED = re.compile(r"\+/-([\d.]{1,10})% @ ([\d.]{1,10})% conf\.")
_INTERIM = re.compile(r"Interim result: +(\S{1,24}) (\S{1,24}) over (\S{1,24}) seconds ending at \S+")
_KEY = re.compile(r"([A-Z][A-Z0-9_]{1,60})=(.{0,200})")
_REACHED = re.compile(r"!!! +(?:Throughput|Local CPU|Remote CPU)[^:]{0,40}: +(-?[\d.]{1,12}) ?%")
_UNITS = {"trans/s": "trans/s", "per sec": "trans/s", "10^6bits/sec": "1e6 bit/s", "10^6bits/s": "1e6 bit/s",
          "mbytes/sec": "MBytes/s", "10^3bits/sec": "1e3 bit/s", "10^9bits/sec": "1e9 bit/s", "kbytes/sec": "KBytes/s",
          "gbytes/sec": "GBytes/s"}  # fmt: skip
_HEADER_WORDS = {"local", "socket", "send", "bytes", "recv", "size", "remote"}
_WHY = "a change of a workload, never the cost of an event"


def fits(head: str) -> bool:
    """Whether a text has the title, the keywords or the CSV header of a result."""
    if any(_TITLE.fullmatch(line.strip()) is not None and "port" in line for line in head.splitlines()):
        return True
    return any(line.startswith(("THROUGHPUT=", "Throughput,Throughput Units")) for line in head.splitlines())


def read(lines: Iterator[Line], account: Account, options: Options) -> Reading:
    """One row a result: ``test``, ``value``, ``unit``, ``elapsed_s`` and what else the table has."""
    state = _State()
    for line in lines:
        if line.text.strip() and not state.take(line.text.strip()):
            account.skip(line.number, "unrecognised" if line.ended else "incomplete")
    state.finish()
    account.rows = len(state.rows)
    if state.reached is False:
        account.warn("netperf did not reach the confidence that was asked for")
    interim = [{"value": value, "unit": unit} for value, unit in state.interim]
    tables = {"netperf": state.rows, **({"interim": interim} if interim else {})}
    return Reading(FORMAT, account, tables, [_observation(row) for row in state.rows if row["unit"] == "trans/s"])


class _State:
    """What is known while a text is read."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.interim: list[tuple[float | None, str]] = []
        self.reached: bool | None = None
        self._test = ""
        self._width: float | None = None
        self._unit = ""
        self._keys: dict[str, str] = {}
        self._csv: list[str] | None = None

    def take(self, text: str) -> bool:
        """Take a line in; False where it is nothing known."""
        if (match := _TITLE.fullmatch(text)) is not None and "port" in text:
            self.finish()
            self._test, self._unit = _TESTS.get(match["test"], match["test"]), ""
            asked = _ASKED.search(text)
            self._width = None if asked is None else number(asked[1])
        elif (match := _INTERIM.fullmatch(text)) is not None:
            self.interim.append((_or_none(match[1]), match[2][:24]))
        elif (match := _KEY.fullmatch(text)) is not None:
            self._keys[match[1]] = match[2]
        elif text.startswith("!!!"):
            self._warned(text)
        elif "Throughput,Throughput Units" in text or (self._csv is None and self._test == "OMNI" and "," in text):
            self._csv = text.split(",")
        elif self._csv is not None:
            return self._csv_row(text.split(","))
        else:
            return self._table_line(text)
        return True

    def _warned(self, text: str) -> None:
        if "Desired confidence was not achieved" in text:
            self.reached = False
        if (match := _REACHED.match(text)) is not None and "Throughput" in text:
            full = number(match[1])
            self._width = None if full is None else full / 2  # what netperf prints there is the full width

    def _csv_row(self, values: Sequence[str]) -> bool:
        names = self._csv or []
        self._csv = None
        if len(values) != len(names):
            return False
        found = dict(zip(names, values, strict=True))
        latency = _or_none(found.get("Mean Latency Microseconds", ""))
        words = (found.get(name, "") for name in ("Throughput", "Throughput Units", "Elapsed Time (sec)"))
        self._result(*words, mean_latency_us=latency)
        return True

    def _table_line(self, text: str) -> bool:
        words = text.split()
        values = [_or_none(word) for word in words]
        if any(value is None for value in values):
            self._unit = _unit_in(text) or self._unit
            first = re.sub(r"\W", "", words[0]).lower()
            return first in _HEADER_WORDS or "%" in text or "Time" in text or "bytes" in text.lower()
        numbers = [value for value in values if value is not None]
        if len(numbers) <= 2:
            return True  # the remote's socket sizes
        stream = self._test.endswith(("STREAM", "MAERTS"))
        place = 3 if stream else 4
        if len(numbers) <= place + 1 - (1 if stream and self._test.startswith("UDP") else 0):
            return False
        return self._numbers(numbers, words, place, stream)

    def _numbers(self, numbers: Sequence[float], words: Sequence[str], place: int, stream: bool) -> bool:
        default = "1e6 bit/s" if stream else "trans/s"
        try:
            sizes = [whole(word) for word in words[2:4]] if not stream else [whole(words[2])]
        except ValueError:
            return False
        more: dict[str, Any] = dict(zip(("message",) if stream else ("request", "response"), sizes, strict=True))
        names = ("cpu_local_pct", "cpu_remote_pct", "sdem_local_us", "sdem_remote_us")
        for name, value in zip(names, numbers[place + 2 :], strict=False):
            more[name] = None if value == -1 else value
        self._result(words[place + 1], self._unit or default, words[place], **more)
        return True

    def _result(self, value: str, unit: str, elapsed: str, **more: Any) -> None:
        known = _UNITS.get(unit.strip().lower(), unit.strip()[:24])
        row = {"test": self._test, "value": _or_none(value), "unit": known, "elapsed_s": _or_none(elapsed),
               "half_width_percent": self._width, "confidence_reached": self.reached, **more}  # fmt: skip
        self.rows.append(row)

    def finish(self) -> None:
        """The result of a keyword output, which is complete only at its end."""
        if "THROUGHPUT" in self._keys:
            keys = self._keys
            self._result(keys["THROUGHPUT"], keys.get("THROUGHPUT_UNITS", ""), keys.get("ELAPSED_TIME", ""),
                         mean_latency_us=_or_none(keys.get("MEAN_LATENCY", "")))  # fmt: skip
        self._keys = {}


def _or_none(text: str) -> float | None:
    try:
        return number(text.strip())
    except ValueError:
        return None


def _unit_in(text: str) -> str:
    lowered = text.lower()
    return next((unit for unit in _UNITS if unit in lowered), "")


def _observation(row: dict[str, Any]) -> dict[str, Any]:
    known = row["test"] == "TCP_RR"
    width = row["half_width_percent"]
    spread = None if width is None or row["value"] is None else row["value"] * width / 100
    return {
        "quantity": "workload.netperf_tcp_rr" if known else "", "value": row["value"], "unit": "trans/s",
        "spread": spread, "spread_kind": "interval_half" if spread is not None else "", "n_runs": 1,
        "use": "validation", "use_why": _WHY, "workload": f"netperf {row['test']}",
    }  # fmt: skip
