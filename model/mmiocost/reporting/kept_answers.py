"""The answers of a report as a file beside its pages, for another report to be compared with.

Goes out: ``answers.json`` with version, hash of the evidence and of the model's code, answers with intervals, and
each source with the hash of what it says. Comes in: such a file of this or another version, read as a stranger's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..cache import content_hash, write_atomically
from ..errors import InvalidInput
from ..evidence import Evidence
from ..whatif.answers import Answer, AnswerRow

ANSWERS_FILE = "answers.json"
FORMAT = 1
_LIMIT = 16 << 20
_ADVICE = "name the folder of a report: `mmiocost report --out DIR`, with --evidence for evidence of your own"


@dataclass(frozen=True)
class KeptSource:
    """A source of the evidence: how many of its rows are fitted, and the hash of all that it says."""

    id: str
    title: str
    fitted: int
    hash: str


@dataclass(frozen=True)
class KeptAnswers:
    """What a report answered, and from what. ``code`` is the hash of the model's code, ``date`` ISO 8601."""

    version: str
    evidence: str
    code: str
    date: str
    answers: tuple[Answer, ...]
    sources: tuple[KeptSource, ...]


def kept_sources(evidence: Evidence) -> tuple[KeptSource, ...]:
    """The sources of ``evidence`` with what each contributes."""
    rows: dict[str, list[Any]] = {name: [] for name in evidence.sources}
    for row in evidence.observations:
        rows.setdefault(row.source_id, []).append(row)
    return tuple(_source(name, evidence.sources.get(name), rows[name]) for name in sorted(rows))


def _source(name: str, source: Any, rows: Sequence[Any]) -> KeptSource:
    said = json.dumps([asdict(source) if source else None, [asdict(row) for row in rows]], sort_keys=True)
    fitted = sum(row.use == "fit" for row in rows)
    return KeptSource(name, source.title if source else name, fitted, content_hash(said.encode())[:16])


def write_answers(kept: KeptAnswers, out: Path) -> None:
    """Write ``answers.json`` into the folder of a report, in one step."""
    write_atomically(out / ANSWERS_FILE, json.dumps({"format": FORMAT, **asdict(kept)}, indent=1) + "\n")


def read_answers(folder: Path) -> KeptAnswers:
    """The answers of the report in ``folder``. Raises InvalidInput where there are none, or none that can be read."""
    path = folder / ANSWERS_FILE
    if not folder.is_dir():
        raise InvalidInput.one(str(folder), "--compare", str(folder), f"is no folder; {_ADVICE}")
    try:
        if path.stat().st_size > _LIMIT:
            raise InvalidInput.one(str(path), "", "", f"is larger than {_LIMIT >> 20} MiB; {_ADVICE}")
        document = json.loads(path.read_bytes())
    except OSError:
        raise InvalidInput.one(str(folder), "--compare", str(folder), f"holds no {ANSWERS_FILE}; {_ADVICE}") from None
    except (ValueError, RecursionError):
        raise InvalidInput.one(str(path), "", "", f"is no JSON; {_ADVICE}") from None
    return _kept(document, path)


def _kept(document: Any, path: Path) -> KeptAnswers:
    given = document.get("format") if isinstance(document, dict) else None
    if given != FORMAT:
        raise InvalidInput.one(
            str(path), "format", str(given), f"is not {FORMAT}; write it anew: `mmiocost report --out {path.parent}`"
        )
    try:
        head = {name: _word(document[name]) for name in ("version", "evidence", "code", "date")}
        sources = tuple(
            KeptSource(_word(item["id"]), _word(item["title"]), int(item["fitted"]), _word(item["hash"]))
            for item in document["sources"]
        )
        return KeptAnswers(answers=tuple(map(answer_from, document["answers"])), sources=sources, **head)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = f"the report that it should hold lacks or misstates {error}; {_ADVICE}"
        raise InvalidInput.one(str(path), "", "", what) from None


def answer_from(document: Any) -> Answer:
    """An answer from its JSON form. Raises KeyError, TypeError or ValueError for what is none."""
    return Answer(
        key=_word(document["key"]),
        question=_word(document["question"]),
        sentence=_word(document["sentence"]),
        rows=tuple(map(_row, document["rows"])),
        interval=_word(document["interval"]),
        widest=_word(document["widest"]),
        prior_bounded=tuple(map(_word, document["prior_bounded"])),
        sources=tuple(map(_word, document["sources"])),
        notebook=_word(document["notebook"]),
    )


def _row(document: Any) -> AnswerRow:
    value, low, high = (_number(document[name]) for name in ("value", "low", "high"))
    return AnswerRow(_word(document["label"]), value, low, high, _word(document["unit"]), _word(document["note"]))


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text ({str(value)[:40]})")
    return value


def _number(value: Any) -> float | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise TypeError(f"a number ({str(value)[:40]})")
    if value is not None and not math.isfinite(value):
        raise ValueError(f"a number ({value})")
    return None if value is None else float(value)
