"""The head of a decision record: what makes it reproducible, as YAML front matter, written and strictly read.

A record may come from a stranger. Its head is read within bounds by the reader of scenarios, every field is checked,
and nothing of it is evaluated or made a path.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from ..errors import InvalidInput, Problem
from ..whatif.decision import FAST, UNIFIED
from ..whatif.options import OPTIONS, Outcome
from ..whatif.scenario import Scenario
from ..whatif.scenario_file import shown
from ..whatif.yaml_text import YAML_ERRORS, parse

FORMAT = 1
STATUSES = ("proposed", "accepted")
_SUPERSEDED = re.compile(r"superseded by [0-9]{4}")
_FENCE = "---\n"
_LIMIT = 1 << 18
_DIGITS = 8  # significant digits of a number in the head: more than any fit has
_HASH = re.compile(r"[0-9a-f]{16}")
#: Numbers that a record holds for each option; a bound has no probability and no regret.
_NUMBERS = ("cost", "low", "high", "against", "against_low", "against_high")
_OPEN = ("probability", "regret")
_FIELDS = (
    "format", "status", "date", "question", "scenario", "version", "evidence", "decision", "probability",
    "expected_regret", "options", "sources",
)  # fmt: skip


@dataclass(frozen=True)
class Head:
    """The head of a record.

    ``scenario`` are the fields of a scenario file; ``options`` the numbers of each option by its name; ``regret``
    is (value, low, high) in ``unit``; ``sources`` a digest of the rows of each source that was fitted.
    """

    status: str
    date: str
    question: str
    scenario: Mapping[str, Any]
    version: str
    evidence: str
    decision: str
    probability: float
    regret: tuple[float, float, float]
    unit: str
    options: Mapping[str, Mapping[str, float | None]]
    sources: Mapping[str, str]


def head_of(found: Outcome, status: str, date: str, version: str, sources: Mapping[str, str]) -> Head:
    """The head of the record of an outcome."""
    options = {
        item.name: {
            name: None if value is None else _rounded(value)
            for name, value in asdict(item).items()
            if name in (*_NUMBERS, *_OPEN)
        }
        for item in found.options
    }
    regret = [_rounded(part) for part in (found.expected_regret, found.regret_low, found.regret_high)]
    return Head(
        status, date, found.question, scenario_document(found.scenario), version, found.evidence, found.choice,
        _rounded(found.probability), (regret[0], regret[1], regret[2]), found.unit, options, sources,
    )  # fmt: skip


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def scenario_document(scenario: Scenario) -> dict[str, Any]:
    """A scenario as the fields of a scenario file, which ``scenario_of`` reads back."""
    machine, _, state = scenario.machine.partition("/")
    found: dict[str, Any] = {"name": scenario.name, "machine": machine}
    if state:
        found["state"] = state
    found |= {"mode": scenario.mode, "compare": {"before": scenario.before, "after": scenario.after}}
    return {**found, "set": {**scenario.counts, **scenario.mix}}


def front_matter(head: Head) -> str:
    """The head as YAML between two fences."""
    value, low, high = head.regret
    document = {
        "format": FORMAT, "status": head.status, "date": head.date, "question": head.question,
        "scenario": dict(head.scenario), "version": head.version, "evidence": head.evidence,
        "decision": head.decision, "probability": head.probability,
        "expected_regret": {"value": value, "low": low, "high": high, "unit": head.unit},
        "options": {name: dict(numbers) for name, numbers in head.options.items()}, "sources": dict(head.sources),
    }  # fmt: skip
    return _FENCE + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120) + _FENCE


def parts(text: str) -> tuple[str, str]:
    """Front matter and body of a record. Raises ValueError for a text that has none."""
    if text.startswith(_FENCE):
        matter, fence, body = text.removeprefix(_FENCE).partition(f"\n{_FENCE}")
        if fence:
            return f"{matter}\n", body
    raise ValueError("has no front matter between two lines of ---")


def read_text(path: Path) -> str:
    """The text of a record. Raises InvalidInput for a file that is none."""
    try:
        if path.exists() and not path.is_file():
            raise InvalidInput.one(str(path), "", "", "must be a file")
        with path.open("rb") as stream:
            data = stream.read(_LIMIT + 1)
        if len(data) > _LIMIT:
            raise InvalidInput.one(str(path), "", "", "is larger than 256 KiB, which no decision record is")
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InvalidInput.one(str(path), "", "", "is not UTF-8 text") from error
    except OSError as error:
        raise InvalidInput.one(str(path), "", "", f"can't be read: {error.strerror}") from error


def read_head(text: str, where: str) -> Head:
    """The head in the text of a record. Raises InvalidInput with all that is wrong with it."""
    try:
        document = parse(parts(text)[0])
    except YAML_ERRORS as error:
        reason = " ".join(str(error).split())[:300]
        raise InvalidInput.one(where, "", "", f"is no decision record: {reason}") from error
    if not isinstance(document, Mapping):
        raise InvalidInput.one(where, "", "", "is no decision record: its front matter must be a mapping")
    if document.get("format") != FORMAT:
        allowed = f"must be {FORMAT}: decide the question anew with `mmiocost decide QUESTION --supersedes N`"
        raise InvalidInput.one(where, "format", shown(document.get("format")), allowed)
    return _Reader(document, where).head()


class _Reader:
    """Fields of a head taken one by one, with what is wrong with them."""

    def __init__(self, document: Mapping[str, Any], where: str) -> None:
        self._fields, self._where, self._problems = document, where, list[Problem]()

    def head(self) -> Head:
        """All fields checked."""
        for name in self._fields:
            if name not in _FIELDS:
                self._wrong(str(name)[:60], "", "unknown field")
        text = {name: self._text(name) for name in ("status", "date", "question", "version", "evidence", "decision")}
        if text["status"] not in STATUSES and not _SUPERSEDED.fullmatch(text["status"]):
            self._wrong("status", text["status"], "must be proposed, accepted or superseded by NNNN")
        if not _HASH.fullmatch(text["evidence"]):
            self._wrong("evidence", text["evidence"], "must be 16 hexadecimal digits")
        known = OPTIONS.get(text["question"], {})
        if not known:
            self._wrong("question", text["question"], f"must be one of {', '.join(OPTIONS)}")
        elif text["decision"] not in known:
            self._wrong("decision", text["decision"], f"must be one of {', '.join(known)}")
        scenario, sources = self._mapping("scenario"), self._mapping("sources")
        for name, digest in sources.items():
            if not isinstance(digest, str) or not _HASH.fullmatch(digest) or not isinstance(name, str):
                self._wrong("sources", str(name)[:60], "must be a digest of 16 hexadecimal digits for each source")
        options = {name: self._option(name, self._mapping("options").get(name)) for name in known}
        regret = self._mapping("expected_regret")
        numbers = tuple(self._number("expected_regret", regret.get(name)) for name in ("value", "low", "high"))
        probability = self._number("probability", self._fields.get("probability"))
        unit = "cycle" if text["question"] in (FAST, UNIFIED) else "cycle/s"
        if regret.get("unit") != unit:
            self._wrong("expected_regret", shown(regret.get("unit")), f"must be in {unit}")
        if self._problems:
            raise InvalidInput(self._problems)
        return Head(
            text["status"], text["date"], text["question"], scenario, text["version"], text["evidence"],
            text["decision"], probability, (numbers[0], numbers[1], numbers[2]), unit, options, sources,
        )  # fmt: skip

    def _wrong(self, field: str, got: str, allowed: str) -> None:
        self._problems.append(Problem(self._where, field, got, allowed))

    def _text(self, name: str) -> str:
        value = self._fields.get(name)
        if isinstance(value, str) and 0 < len(value) <= 60 and value.isprintable():
            return value
        self._wrong(name, shown(value), "must be a text of at most 60 characters")
        return ""

    def _mapping(self, name: str) -> Mapping[str, Any]:
        value = self._fields.get(name)
        if isinstance(value, Mapping) and len(value) <= 1000:
            return value
        self._wrong(name, "", "must be a mapping")
        return {}

    def _option(self, name: str, given: object) -> dict[str, float | None]:
        if not isinstance(given, Mapping):
            self._wrong(f"options.{name}", "", "is missing")
            return {}
        where = f"options.{name}"
        found: dict[str, float | None] = {key: self._number(f"{where}.{key}", given.get(key)) for key in _NUMBERS}
        for key in _OPEN:
            value = given.get(key)
            found[key] = None if value is None else self._number(f"{where}.{key}", value)
        return found

    def _number(self, field: str, value: object) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        self._wrong(field, shown(value), "must be a number")
        return 0.0
