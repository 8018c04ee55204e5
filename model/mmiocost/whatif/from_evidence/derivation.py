"""The scenario that a folder of imports describes, value by value with its interval, file and rule.

The table of symbols and their sources is that of the format description's section on scenarios; nothing is filled in:
what no file says is named as missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import InvalidInput, nearest_name, printable
from ...evidence.importers.detect import TRACES
from ...evidence.importers.folder import Import, imports
from ...vocabulary import MIX_SYMBOLS, SYMBOLS
from . import counters, host, reports, traces
from .choosing import chosen
from .derived import Derived
from .missing import Missing, missing
from .traces import Trace
from .workload import accesses_per_transaction, transactions

_DIGITS = 5
_WHOLE = {item.name for item in SYMBOLS} | {"mmio_pages"}
_SYMBOLS = {item.name for item in SYMBOLS} | {item.name for item in MIX_SYMBOLS}


@dataclass(frozen=True)
class Derivation:
    """A derived scenario.

    ``document`` has the fields of a scenario file; ``derived`` the values by symbol, those included that no scenario
    takes (the share of stores, of stale entries); ``missing`` what no file says; ``warnings`` what to know first.
    """

    document: Mapping[str, Any]
    derived: Mapping[str, Derived]
    missing: tuple[Missing, ...]
    warnings: tuple[str, ...]


def derive(folder: Path, *, workload: str | None = None, prefer: str | None = None, name: str = "") -> Derivation:
    """Derive the scenario of a folder's imports.

    ``workload`` is a netperf file of the same run, ``prefer`` the import (file name or id) that decides where files
    disagree. Raises InvalidInput for a folder without imports, a damaged one, and files that disagree beyond their
    intervals.
    """
    items = imports(folder)
    if not items:
        advice = "has no imports: `mmiocost import FILE --to DIR` makes some, and its --help says how to record"
        raise InvalidInput.one(str(folder), "", "", advice)
    wanted = None if prefer is None else _named(items, prefer, "--prefer").id
    found, warnings = _all(items, wanted, folder.name or str(folder))
    if workload is not None:
        found |= _per_transaction(found, workload, items)
    warnings += [*_on_hits(found), *_on_amd(items)]
    set_values = _set(found)
    return Derivation(
        _document(name or folder.name or "own-evidence", items, found, set_values), found, missing(found),
        tuple(warnings),
    )  # fmt: skip


def _named(items: Iterable[Import], text: str, option: str) -> Import:
    called = [item for item in items if text in (item.id, item.entry["file"], item.path.name)]
    called = called or [item for item in items if Path(text).name == item.entry["file"]]
    if len(called) != 1:
        known = [str(item.entry["file"]) for item in items]
        allowed = "several imports are called so: give the id" if called else "no import is called so"
        raise InvalidInput.one(option, "", text, allowed, nearest_name(text, known))
    return called[0]


def _all(items: list[Import], prefer: str | None, where: str) -> tuple[dict[str, Derived], list[str]]:
    """All values: first those of the host, since the release and the paging mode are needed by the others."""
    told = [Trace(item, host.release_of(item)) for item in items if item.entry["format"] in TRACES]
    about = [found for item in items for found in (*host.facts(item), *host.mode_of_report(item))]
    about += [found for trace in told for found in host.mode_of_trace(trace)]
    found, warnings = chosen(about, prefer, where)
    shadow = "mode" in found and found["mode"].value == "shadow"
    rest, more = chosen(_rest(items, told, shadow), prefer, where)
    return {**rest, **found}, [*warnings, *more]


def _rest(items: list[Import], told: list[Trace], shadow: bool) -> Iterator[Derived]:
    for trace in told:
        yield from traces.derive(trace, shadow)
    counted = list(counters.gathered(items))
    threads = {trace.threads for trace in told if trace.threads} or {item.vcpus for item in counted if item.vcpus}
    vcpus = threads.pop() if len(threads) == 1 else None
    for item in items:
        if item.entry["format"] == reports.FORMAT:
            yield from reports.derive(item, vcpus)
    for counts in counted:
        yield from counters.derive(counts, vcpus, shadow)


def _per_transaction(found: Mapping[str, Derived], workload: str, items: list[Import]) -> dict[str, Derived]:
    known = [item for item in items if workload in (item.id, item.entry["file"])]
    per_second = transactions(workload, known[0] if known else None)
    if "mmio_rate" not in found:
        return {}
    return {"accesses_per_transaction": accesses_per_transaction(found["mmio_rate"], per_second, Path(workload).name)}


def _on_hits(found: Mapping[str, Derived]) -> list[str]:
    """A warning where the measured share of hits is none that the rates allow."""
    needed = [found.get(name) for name in ("hit_fraction", "mmio_rate", "generation_rate", "mmio_pages")]
    hit, rate, updates, pages = needed
    if hit is None or rate is None or updates is None or pages is None:
        return []
    low = _hits(rate.low, pages.value, updates.high)
    high = _hits(rate.high, pages.value, updates.low)
    if low <= float(hit.value) <= high:
        return []
    return [f"hit_fraction: {hit.text()} was measured, but the rates give {low:.3g} to {high:.3g}: accesses come in"
            " bursts, or other things than updates remove entries"]  # fmt: skip


def _on_amd(items: Iterable[Import]) -> list[str]:
    """What an AMD host's exits say that no row of the table takes up."""
    if all(item.entry["facts"].get("isa") != "svm" for item in items):
        return []
    return [
        "decode_assist: the exits are an AMD host's; set decode_assist=1 where its CPU supplies the instruction bytes"
    ]


def _hits(rate: float | None, pages: float | str, updates: float | None) -> float:
    """r_m / (r_m + k·λ_g); an end that is open is without bound."""
    if updates is None:
        return 0.0
    lost = float(pages) * updates
    return 1.0 if rate is None or lost == 0 else rate / (rate + lost)


def _set(found: Mapping[str, Derived]) -> dict[str, float]:
    """What a scenario takes: of shares of stores only all or nothing, of hits and updates one."""
    values: dict[str, float] = {}
    for symbol, item in found.items():
        if symbol in _SYMBOLS and not isinstance(item.value, str):
            values[symbol] = float(f"{item.value:.{_DIGITS}g}")  # no more digits than a reader copies
    if {"mmio_rate", "generation_rate"} <= values.keys():
        values.pop("hit_fraction", None)
    elif "hit_fraction" in values:
        values.pop("generation_rate", None)
    if values.get("is_write") not in (0, 1):
        values.pop("is_write", None)
    return {name: int(value) if name in _WHOLE else value for name, value in values.items()}


def _document(
    name: str, items: list[Import], found: Mapping[str, Derived], values: Mapping[str, float]
) -> dict[str, Any]:
    """The fields of a scenario file, in their order."""
    files = ", ".join(dict.fromkeys(printable(str(item.entry["file"])) for item in items))
    state = {}
    if "generation" in found:
        stated = next(item for item in items if item.id == found["generation"].id)
        state["kernel"] = str(host.release_of(stated))
    if "mitigations" in found:
        state["mitigations"] = str(found["mitigations"].value)
    document: dict[str, Any] = {"name": printable(name)[:100], "about": f"Derived from {files}."[:900]}
    if state:
        document["state"] = state
    if "mode" in found:
        document["mode"] = found["mode"].value
    document["set"] = dict(values)
    document["sources"] = {symbol: _source(found[symbol]) for symbol in values}
    document["questions"] = ["saving:fast_mmio"]
    return document


def _source(item: Derived) -> str:
    bound = f" ({item.bound} bound)" if item.bound else ""
    return printable(f"file {item.source}: {item.rule}{bound}")
