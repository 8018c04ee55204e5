"""The note beside a recording: kernel release, CPU, module parameters and mitigations of the host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..reading import Account, Line, Options, Reading

FORMAT = "host"
_RELEASE = re.compile(r"\d{1,3}\.\d{1,4}\S{0,80}")
_LSCPU = re.compile(r"(Model name|BIOS Model name|CPU (?:max |min )?MHz|CPU\(s\) scaling MHz):\s{0,60}(\S.{0,120})")
_PARAMETER = re.compile(r"\S{0,80}/parameters/(mmio_caching|ept|npt|tdp_mmu):(\S{1,20})")
_VULNERABILITY = re.compile(r"\S{0,80}/vulnerabilities/([\w-]{1,40}):(.{1,200})")


def fits(head: str) -> bool:
    """Whether a text names a CPU model and a module parameter or a vulnerability."""
    lines = head.splitlines()[:200]
    model = any(line.startswith("Model name:") for line in lines)
    return model and any(_PARAMETER.match(line) or _VULNERABILITY.match(line) for line in lines)


def read(lines: Iterator[Line], account: Account, options: Options) -> Reading:
    """Facts ``release``, ``cpu_model``, ``mmio_caching``, ``ept``, ``npt`` and ``mitigations`` by vulnerability."""
    facts: dict[str, Any] = {}
    mitigations: dict[str, str] = {}
    rows = 0
    for line in lines:
        text = line.text.strip()
        if (match := _PARAMETER.fullmatch(text)) is not None:
            facts[match[1]] = match[2] in ("Y", "1")
        elif (match := _VULNERABILITY.fullmatch(text)) is not None:
            mitigations[match[1]] = match[2]
        elif (match := _LSCPU.fullmatch(text)) is not None:
            if match[1] == "Model name":
                facts["cpu_model"] = match[2].strip()
        elif _RELEASE.fullmatch(text) is not None and "release" not in facts:
            facts["release"] = text
        else:
            if text:
                account.skip(line.number, "unrecognised" if line.ended else "incomplete")
            continue
        rows += 1
    account.rows = rows
    return Reading(FORMAT, account, facts={**facts, **({"mitigations": mitigations} if mitigations else {})})
