"""``scenario``: the library of named scenarios, and what one of them or a file says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput
from ..evidence import evidence_hash
from ..vocabulary import MIX_SYMBOLS, SYMBOLS
from .options import Commands, add_command
from .output import envelope, in_columns, print_json, quantity_text

if TYPE_CHECKING:
    from ..whatif.from_evidence import Derivation, Derived
    from ..whatif.scenario import Scenario

_UNITS = {item.name: item.unit for item in SYMBOLS} | {item.name: item.unit for item in MIX_SYMBOLS}
_ELSEWHERE = ("mode", "generation", "mitigations")  # fields of a scenario of their own
_UNITS_ASIDE = {"clock_hz": "Hz"}


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "scenario", scenario)
    parser.add_argument("name", nargs="?", type=Path, metavar="NAME", help="one of the library, or a file")
    parser.add_argument("--from", dest="source", type=Path, metavar="DIR", help="derive one from imported traces")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the derived scenario as YAML")
    parser.add_argument("--workload", metavar="FILE", help="netperf result of the same run: accesses per transaction")
    parser.add_argument("--prefer", metavar="FILE", help="the import that decides where two files disagree")


def scenario(
    name: Path | None, source: Path | None, out: Path | None, workload: str | None, prefer: str | None, json: bool
) -> None:
    """The scenarios that --scenario takes by name; with NAME, what it sets, from which source, and what to ask; with
    --from, the one that imported traces describe."""
    if source is not None:
        if name is not None:
            raise InvalidInput.one("--from", "", str(name), "give a NAME or --from, not both")
        _derive(source, out, workload, prefer, json)
        return
    for option, value in (("--out", out), ("--workload", workload), ("--prefer", prefer)):
        if value is not None:
            raise InvalidInput.one(option, "", str(value), "goes with --from DIR only")
    _show(name, json)


def _show(name: Path | None, json: bool) -> None:
    from ..whatif.library import names
    from ..whatif.scenario import read_scenario

    about = envelope(evidence_hash())
    if name is not None:
        found = read_scenario(file=name)
        if json:
            print_json({**_document(found), **about})
        else:
            print(_text(found, str(name)))
        return
    library = [read_scenario(file=item) for item in names()]
    if json:
        print_json([{**_document(item), **about} for item in library])
    else:
        print(in_columns([(item.name, item.about.partition(". ")[0].rstrip(".")) for item in library]))


def _document(found: Scenario) -> dict[str, Any]:
    """A scenario as one JSON object; every value with its unit and source."""
    values = {
        symbol: {"value": value, "unit": _UNITS[symbol], "source": found.sources.get(symbol)}
        for symbol, value in {**found.counts, **found.mix}.items()
    }
    return {
        "name": found.name, "about": found.about, "machine": found.machine, "mode": found.mode,
        "compare": {"before": found.before, "after": found.after}, "set": values,
        "questions": list(found.questions), "notes": list(found.notes),
    }  # fmt: skip


def _text(found: Scenario, asked: str) -> str:
    document = _document(found)
    lines = [f"{found.name}: {found.about}" if found.about else found.name]
    lines.append(f"  {found.machine}, mode {found.mode}, {found.before} against {found.after}")
    lines += [f"  {note}" for note in found.notes]
    rows = [
        (f"  {symbol}", quantity_text(item["value"], unit=item["unit"]), item["source"] or "no source is given")
        for symbol, item in document["set"].items()
    ]
    lines += in_columns(rows).splitlines() if rows else []
    lines += [f"  mmiocost predict {question} --scenario {asked}" for question in found.questions]
    return "\n".join(lines)


def _derive(folder: Path, out: Path | None, workload: str | None, prefer: str | None, json: bool) -> None:
    """Derive a scenario from a folder of imports, write it if asked to, and say what it rests on."""
    from ..cache import write_atomically
    from ..whatif.from_evidence import derive, written

    found = derive(folder, workload=workload, prefer=prefer, name=out.stem if out else "")
    if out is not None:
        try:
            write_atomically(out, written(found))
        except OSError as error:
            raise InvalidInput.one("--out", "", str(out), f"can't be written: {error.strerror}") from None
    if json:
        print_json({**_derivation(found), **envelope(evidence_hash([folder]))})
    else:
        print(_derivation_text(found, folder, out))


def _derivation(found: Derivation) -> dict[str, Any]:
    """The JSON of a derived scenario; ``missing`` are names, ``defaults`` says what is taken for each."""
    kept = ("value", "low", "high", "source", "rule", "bound")
    return {
        "scenario": found.document,
        "derived": {symbol: {key: getattr(item, key) for key in kept} for symbol, item in found.derived.items()},
        "missing": [item.symbol for item in found.missing],
        "defaults": {item.symbol: {"default": item.default, "range": item.range} for item in found.missing},
        "warnings": list(found.warnings),
    }


def _derivation_text(found: Derivation, folder: Path, out: Path | None) -> str:
    lines = [*found.warnings, "Derived, with 95 % intervals:"]
    rows = [(f"  {symbol}", _value_text(item), item.source, item.rule) for symbol, item in found.derived.items()]
    lines += in_columns(rows).splitlines() if rows else ["  nothing: the imports hold no MMIO access"]
    aside = [symbol for symbol in found.derived if symbol not in {*found.document["set"], *_ELSEWHERE}]
    lines += (
        [f"Measured, not set, since a scenario takes none or another in their place: {', '.join(aside)}"]
        if aside
        else []
    )
    lines.append("Missing; taken unless set, and varied by a sensitivity study over:")
    gaps = [(f"  {item.symbol}", item.default, item.range, item.meaning) for item in found.missing]
    lines += in_columns(gaps).splitlines()
    if out is None:
        lines.append(f"mmiocost scenario --from {folder} --out my.yaml writes it")
    else:
        lines.append(f"Written: {out}. State what is missing there, slots first; then for example:")
        lines.append(f"  mmiocost predict saving:fast_mmio --scenario {out} --evidence {folder}")
        lines.append(f"  mmiocost breakeven slots --between before after --scenario {out} --evidence {folder}")
    return "\n".join("".join(letter if letter.isprintable() else "?" for letter in line) for line in lines)


def _value_text(item: Derived) -> str:
    """Value, interval and unit; of a bound the side that is sure."""
    from ..reporting.numbers import estimate_text

    if isinstance(item.value, str):
        return item.value
    return estimate_text(
        item.value, item.low, item.high, _UNITS.get(item.symbol, _UNITS_ASIDE.get(item.symbol, "1")), plain=True
    )
