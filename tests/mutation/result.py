"""The kept result of a run over all faults, and the reasons why the survivors change no count."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mmiocost.cache import content_hash, files_hash, write_atomically

from .drawn import ALL_PATHS, SEED, examples, points
from .faults import Fault
from .judge import SEARCHED, SEARCHED_STORIES, Verdict
from .rooms import PACKAGE, faults_of, room_hash
from .stories import NUMBERS

HERE = Path(__file__).parent
RESULT, SURVIVORS = HERE / "result.json", HERE / "survivors.toml"
COMMAND = "make mutate"
FORMAT = 1
OUTCOMES = ("killed", "raised", "timeout", "found", "survived")

Verdicts = Mapping[str, tuple[Verdict, ...]]
_Key = tuple[str, str, str, str]


def key(fault: Fault) -> _Key:
    """What names a fault by its text, so that lines may move."""
    return fault.module, fault.function, fault.original, fault.mutated


def reasons() -> dict[_Key, str]:
    """Why each known survivor changes no count."""
    entries = tomllib.loads(SURVIVORS.read_text("utf-8"))["survivor"]
    return {
        (entry["module"], entry["function"], entry["original"], mutated): entry["reason"]
        for entry in entries
        for mutated in entry["mutated"]
    }


def hashes() -> dict[str, str]:
    """Content that the verdicts depend on: either side, what they share, and this harness with its scenarios."""
    support = HERE.parent / "support"
    harness = [*HERE.glob("[!t_]*.py"), support / "scenarios.py", support / "sequences.py"]
    shared = [path for path in (PACKAGE / "vocabulary").glob("*.py") if path.stem != "tables"]
    return {
        "equations": room_hash("equations"),
        "mechanism": room_hash("mechanism"),
        "vocabulary": files_hash(shared)[:16],
        "harness": content_hash(files_hash(harness), repr(examples()))[:16],
    }


def tally(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """How many faults fared how."""
    found = Counter(verdict.outcome for verdict in verdicts)
    return {"faults": found.total(), **{outcome: found[outcome] for outcome in OUTCOMES}}


def survivors(verdicts: Verdicts) -> list[tuple[Fault, Verdict]]:
    """Faults that no scenario notices."""
    return [
        (fault, verdict)
        for module, row in verdicts.items()
        for fault, verdict in zip(faults_of(module), row, strict=True)
        if verdict.outcome == "survived"
    ]


def complaints(verdicts: Verdicts) -> list[str]:
    """What makes a run fail: survivors without a reason, reasons without a survivor, scenarios too weak."""
    known, alive = reasons(), survivors(verdicts)
    found = [f"{_where(fault)}: survives without a reason" for fault, _ in alive if key(fault) not in known]
    stale = known.keys() - {key(fault) for fault, _ in alive}
    found += [
        f"{SURVIVORS.name}: {module}.{function}: {mutated!r} does not survive"
        for module, function, _, mutated in sorted(stale)
    ]
    for module, row in verdicts.items():
        for fault, verdict in zip(faults_of(module), row, strict=True):
            if verdict.outcome == "found":
                found.append(f"{_where(fault)}: noticed only by the search, on {verdict.path}: try more scenarios")
    return found


def _where(fault: Fault) -> str:
    return f"{fault.module}:{fault.line}: {fault.original!r} -> {fault.mutated!r}"


def document(verdicts: Verdicts, made: str) -> dict[str, Any]:
    """All of a run, for the file."""
    known = reasons()
    return {
        "format": FORMAT,
        "made": made,
        "seed": SEED,
        "scenarios": sum(len(points(path)) for path in ALL_PATHS),
        "sequences": len(NUMBERS),
        "searched": {"scenarios": SEARCHED, "sequences": SEARCHED_STORIES},
        "hashes": hashes(),
        "score": tally(verdict for row in verdicts.values() for verdict in row),
        "modules": {module: tally(row) for module, row in verdicts.items()},
        "survivors": [_survivor(fault, verdict, known) for fault, verdict in survivors(verdicts)],
        "verdicts": {module: [list(verdict) for verdict in row] for module, row in verdicts.items()},
    }


def _survivor(fault: Fault, verdict: Verdict, known: Mapping[_Key, str]) -> dict[str, Any]:
    return {
        "module": fault.module,
        "line": fault.line,
        "function": fault.function,
        "kind": fault.kind,
        "original": fault.original,
        "mutated": fault.mutated,
        "searched": verdict.searched,
        "reason": known.get(key(fault), ""),
    }


def write(verdicts: Verdicts, made: str) -> None:
    """Keep a run's result, one verdict a line."""
    whole = document(verdicts, made)
    rows = whole.pop("verdicts")
    text = json.dumps(whole, indent=1, ensure_ascii=False).removesuffix("\n}")
    kept = ",\n".join(f"  {json.dumps(module)}: [\n{_rows(row)}\n  ]" for module, row in rows.items())
    write_atomically(RESULT, f'{text},\n "verdicts": {{\n{kept}\n }}\n}}\n')


def _rows(rows: Iterable[list[Any]]) -> str:
    return ",\n".join(f"   {json.dumps(row)}" for row in rows)


def read() -> dict[str, Any]:
    """The kept result; ``verdicts`` are verdicts again."""
    found: dict[str, Any] = json.loads(RESULT.read_text("utf-8"))
    found["verdicts"] = {module: tuple(Verdict(*row) for row in rows) for module, rows in found["verdicts"].items()}
    return found


def why_not_current(kept: Mapping[str, Any]) -> str:
    """What has changed since a result was made, with the command that makes it anew; else empty."""
    now = hashes()
    changed = [name for name in now if kept["hashes"].get(name) != now[name]]
    return f"made with another {' and another '.join(changed)}: run `{COMMAND}`" if changed else ""


def table(verdicts: Verdicts) -> str:
    """The score, for a person."""
    heads = ("module", "faults", *OUTCOMES)
    rows = [(module, *map(str, tally(row).values())) for module, row in verdicts.items()]
    total = tally(verdict for row in verdicts.values() for verdict in row)
    rows.append(("all", *map(str, total.values())))
    lines = [f"{row[0]:28}" + "".join(f"{cell:>10}" for cell in row[1:]) for row in (heads, *rows)]
    noticed = total["faults"] - total["survived"]
    lines.append(f"score: {noticed} of {total['faults']} faults noticed, {total['survived']} change no count")
    return "\n".join(lines)
