"""kernbench: a kernel build's times by load level; only elapsed time is free of the levels before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..reading import Account, Line, Options, Reading
from .values import number

FORMAT = "kernbench"
_BLOCK = re.compile(
    r"Average (Half|Optimal|Maximal|Custom) (?:[Ll]oad -j ?(\d{0,6})|-j ?(\d{0,6}) [Ll]oad) ?Run"
    r"(?: \(std deviation\))?:"
)
_NAMES = ("Elapsed Time", "User Time", "System Time", "Percent CPU", "Context Switches", "Sleeps")
_VALUE = re.compile(rf"({'|'.join(_NAMES)}) (\S{{1,24}})(?: \((\S{{1,24}})\))?\s*")
_DATE = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3} +\d{1,2} \d\d:\d\d:\d\d .{1,20}")
_KERNEL = re.compile(r"(?:Kernel )?(\d{1,3}\.\d{1,4}\S{0,60})")
_RUNS = re.compile(r"Performing (\d{1,4}) runs of")
_CHATTER = re.compile(
    r"\d+ cpus found|Cleaning source tree\.\.\.|Caching kernel source in ram\.\.\.|Making .*|make -j ?\d*|Warmup run.*"
    r"|All data logged to .*|No old config found.*|Kernel .*|Found .*|.* run number .*"
)
_USE_WHY = "a change of a workload, never the cost of an event"


def fits(head: str) -> bool:
    """Whether a line opens a block of averages."""
    return any(_BLOCK.fullmatch(line.strip()) is not None for line in head.splitlines())


def read(lines: Iterator[Line], account: Account, options: Options) -> Reading:
    """Rows of each load level: ``run``, ``kernel``, ``load``, ``jobs``, ``name``, ``mean``, ``sd``."""
    rows: list[dict[str, Any]] = []
    run, levels, kernel, repeats = 0, 0, "", 5
    level: dict[str, Any] | None = None
    for line in lines:
        text = line.text.strip()
        if (match := _BLOCK.fullmatch(text)) is not None:
            levels += 1
            run = max(run, 1)
            level = {"run": run, "kernel": kernel, "load": match[1].lower(), "jobs": match[2] or match[3] or ""}
        elif (match := _VALUE.fullmatch(text)) is not None and level is not None:
            _value(match, level, line, rows, account)
        elif _DATE.fullmatch(text) is not None:
            run, level = run + 1, None
        elif (match := _KERNEL.fullmatch(text)) is not None:
            kernel = match[1]
        elif (match := _RUNS.fullmatch(text)) is not None:
            repeats = int(match[1])
        elif text and _CHATTER.fullmatch(text) is None:
            account.skip(line.number, "unrecognised" if line.ended else "incomplete")
    account.rows = levels
    facts = {"guest_release": kernel} if kernel else {}
    observed = [_observation(row, repeats) for row in rows if row["name"] == "Elapsed Time"]
    return Reading(FORMAT, account, {"kernbench": rows}, observed, facts)


def _value(
    match: re.Match[str], level: dict[str, Any], line: Line, rows: list[dict[str, Any]], account: Account
) -> None:
    try:
        mean, sd = number(match[2]), None if match[3] is None else number(match[3])
    except ValueError:
        account.skip(line.number, "bad_number")
        return
    rows.append({**level, "name": match[1], "mean": mean, "sd": sd})


def _observation(row: dict[str, Any], repeats: int) -> dict[str, Any]:
    return {
        "quantity": "workload.kernbench", "value": row["mean"], "unit": "s", "spread": row["sd"],
        "spread_kind": "sd" if row["sd"] is not None else "", "n_runs": repeats, "use": "validation",
        "use_why": _USE_WHY, "workload": f"kernbench {row['load']} -j {row['jobs']}".strip(),
        "locator": f"run {row['run']}",
    }  # fmt: skip
