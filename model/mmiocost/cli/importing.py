"""``import``: what tools printed, into a folder of evidence."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, Problem
from ..startup import without
from .options import Commands, add_command
from .output import envelope, print_json


def register(commands: Commands) -> None:
    """Add the command."""
    from ..evidence.importers.recording import ALL

    parser = add_command(commands, "import", import_)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = ALL.replace("%", "%%")
    parser.add_argument("files", nargs="+", metavar="FILE", help="traces, reports, counters; - is standard input")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder of evidence; made if missing")
    parser.add_argument("--format", metavar="NAME", help="name of the format, where content does not tell")
    parser.add_argument("--clock-hz", metavar="HZ", help="clock of times in ticks, and of cycles (TSC)")
    parser.add_argument("--isa", choices=("vmx", "svm"), help="where a file has bare numbers of exit reasons")
    parser.add_argument("--kernel", metavar="RELEASE", help="release of the host's kernel")
    parser.add_argument("--mmio-caching", choices=("on", "off"), help="the module parameter kvm.mmio_caching")
    parser.add_argument("--machine", metavar="NAME", help="name of the machine; default: its CPU model")
    parser.add_argument("--window", metavar="SECONDS|A:B", help="what counters span; or seconds A to B of a trace")
    parser.add_argument("--keep-names", action="store_true", help="write names of threads and hosts as they are")


def import_(files: list[str], to: Path, json: bool, **said: Any) -> int:
    """Measurements of the user's machine into a folder of evidence, for --evidence DIR and scenario --from DIR."""
    from ..evidence import evidence_hash
    from ..evidence.importers.run import import_file, order

    options = _options(**said)
    done: list[dict[str, Any]] = []
    problems: list[Problem] = []
    with without("pandas", "scipy.linalg"):
        for file in order(files):
            try:
                done.append(import_file(file, to, options))
            except InvalidInput as error:
                problems += error.problems
                done.append(_refused(file, error.problems[0]))
    if json:
        about = envelope(evidence_hash([to]) if to.is_dir() else None)
        errors = {"errors": [problem.document() for problem in problems]} if problems else {}
        print_json({"files": sorted(done, key=lambda item: files.index(item["file"])), **errors, **about})
    else:
        for sentence in _against_the_fit(to, done):
            print(sentence)
        for item in done:
            if item["format"] is not None:
                print(_text(item))
        for problem in problems:
            print(problem.line(), file=sys.stderr)
    return InvalidInput.exit_status if problems else 0


def _against_the_fit(to: Path, done: list[dict[str, Any]]) -> tuple[str, ...]:
    """What imported costs say against the packaged fit, said first; nothing where only traces or counters came."""
    from ..evidence.importers.detect import TRACES
    from ..reporting.conflicts import said_first

    fresh = (item for item in done if item["format"] not in (None, "host", *TRACES) and not item.get("unchanged"))
    return said_first([to], plain=True) if any(fresh) else ()


def _refused(file: str, problem: Problem) -> dict[str, Any]:
    warning = {"line": None, "text": problem.allowed.partition("\n")[0]}
    return {"file": file, "format": None, "rows": 0, "skipped": 0, "skipped_lines": [], "warnings": [warning]}


def _options(
    format: str | None,
    clock_hz: str | None,
    isa: str | None,
    kernel: str | None,
    mmio_caching: str | None,
    machine: str | None,
    window: str | None,
    keep_names: bool,
) -> Any:
    from ..evidence.importers.detect import named
    from ..evidence.importers.reading import Options

    return Options(
        format=None if format is None else named(format),
        clock_hz=None if clock_hz is None else _positive(clock_hz, "--clock-hz"),
        isa=isa,
        kernel=kernel,
        mmio_caching=None if mmio_caching is None else mmio_caching == "on",
        machine=machine,
        window=None if window is None else _window(window),
        keep_names=keep_names,
    )


def _window(text: str) -> float | tuple[float, float]:
    first, colon, last = text.partition(":")
    if not colon:
        return _positive(text, "--window")
    found = (_number(first, "--window"), _number(last, "--window"))
    if not found[0] < found[1]:
        raise InvalidInput.one("--window", "", text, "must be SECONDS, or A:B with A below B")
    return found


def _positive(text: str, option: str) -> float:
    found = _number(text, option)
    if found <= 0:
        raise InvalidInput.one(option, "", text, "must be above 0")
    return found


def _number(text: str, option: str) -> float:
    from ..units import UnitError, parse_number

    try:
        return parse_number(text)
    except UnitError:
        raise InvalidInput.one(option, "", text, "must be a number") from None


def _text(item: dict[str, Any]) -> str:
    """What was found in a file, in a few lines."""
    lines = [f"{item['file']}: {item['format']}, {_counted(item)} ({item['id']})"]
    lines += [f"  {reason['line']}: {reason['reason']}" for reason in item["skipped_lines"][:5]]
    lines += [f"  {_place(warning)}{warning['text']}" for warning in item["warnings"]]
    return "\n".join(lines)


def _counted(item: dict[str, Any]) -> str:
    if "pairs" not in item:
        return f"{item['rows']} rows, {item['skipped']} lines skipped"
    sound = not (item["skipped"] or item["lost_markers"] or item["negative_pairs"])
    unpaired = f"{item['unpaired_exits']} exits and {item['unpaired_entries']} entries unpaired"
    found = f"{item['events']} events, {item['pairs']} pairs, {unpaired}, {item['skipped']} lines skipped"
    return f"{found}; the trace is sound" if sound else found


def _place(warning: dict[str, Any]) -> str:
    return "" if warning["line"] is None else f"line {warning['line']}: "
