"""What the evidence can't tell apart, in the words of someone who reads kernel profiles, and as a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..fitting.identifiability import IN_WORDS, Identifiability, Verdict
from ..fitting.sums import KnownSum
from .numbers import quantity_text

SMALL = 0.02  # of a sum: parts below it are counted, not named
_AS_SPOKEN = {
    "ept": "EPT", "io": "I/O", "mmio": "MMIO", "msr": "MSR", "pm": "PM", "pmu": "PMU", "pte": "PTE",
    "userspace": "user-space", "vcpu": "vCPU",
}  # fmt: skip
_NAMES = {
    "emulate_instruction": "instruction emulation",
    "emulate_resume": "resumed emulation",
    "pio_dispatch": "in-kernel port dispatch",
}
_EXIT = "vm_exit_"


def spoken_cost(name: str) -> str:
    """A cost parameter in words: ``user-space exit``, ``vmscape part of user-space mitigation``."""
    event, _, setting = name.partition(":")
    words = f"VM exit ({_words(event.removeprefix(_EXIT))})" if event.startswith(_EXIT) else _words(event)
    return f"{_words(setting)} part of {words}" if setting else words


def _words(name: str) -> str:
    return _NAMES.get(name) or " ".join(_AS_SPOKEN.get(word, word) for word in name.split("_"))


def sum_sentence(item: KnownSum, *, plain: bool = False) -> str:
    """Which costs can't be told apart on which machine, and what they cost together."""
    ranked = sorted(zip(item.parts, item.shares, strict=True), key=lambda pair: -abs(pair[1]))
    added = [_part(*part) for part, share in ranked if part[1] > 0 and share >= SMALL]
    less = [_part(name, -count) for (name, count), share in ranked if count < 0 and -share >= SMALL]
    small = len(item.parts) - len(added) - len(less)
    if small:
        added.append(f"{small} smaller cost{'s' if small > 1 else ''}")
    together = f"their sum, less {_listed(less)}," if less else "their sum"
    cost = quantity_text(item.cycles.value, item.cycles.low, item.cycles.high, "cycle", plain=plain)
    return (
        f"On {item.machine}/{item.state} {_listed(added)} can't be told apart by this evidence; {together} is {cost}."
    )


def _part(name: str, count: float) -> str:
    return spoken_cost(name) if count == 1 else f"{count:g} x {spoken_cost(name)}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def statements(found: Identifiability, *, plain: bool = False) -> tuple[str, ...]:
    """One sentence for each sum of a machine, of its states the one where it is sharpest; then what is bounded only."""
    sums: dict[tuple[str, frozenset[str]], list[KnownSum]] = {}
    for item in found.sums:
        core = frozenset(name for name, _ in item.parts if ":" not in name)
        sums.setdefault((item.machine, core), []).append(item)
    said = []
    for alike in sums.values():
        sentence = sum_sentence(min(alike, key=lambda item: item.relative), plain=plain)
        others = len(alike) - 1
        said.append(
            sentence + (f" Alike in {others} other state{'s' if others > 1 else ''} of that machine." if others else "")
        )
    for cost in dict.fromkeys(item.cost for item in found.verdicts):
        verdict = found.of_cost(cost)
        if verdict and verdict.verdict == "bounded_above":
            said.append(bound_sentence(verdict, plain=plain))
    return tuple(said)


def bound_sentence(item: Verdict, *, plain: bool = False) -> str:
    """What the rows say of a cost that they only hold from above."""
    bound = quantity_text(None, None, item.cycles.high, "cycle", plain=plain)
    return f"On {item.machine}/{item.state} {spoken_cost(item.cost)} costs {bound}; the rows don't hold it from below."


def identifiability_document(found: Identifiability) -> dict[str, Any]:
    """The same for programs: ``sums`` with their parts and interval, ``verdicts`` on every cost in every state."""
    return {
        "sums": [
            {
                "machine": f"{item.machine}/{item.state}",
                "parts": dict(item.parts),
                **item.cycles._asdict(),
                "unit": "cycle",
                "statement": sum_sentence(item, plain=True),
            }
            for item in found.sums
        ],
        "verdicts": [
            {
                "name": item.cost,
                "machine": f"{item.machine}/{item.state}",
                "verdict": item.verdict,
                "meaning": IN_WORDS[item.verdict],
                "width_left": item.width_left,
                "low": item.cycles.low if item.verdict in ("identified", "not_informed") else None,
                "high": item.cycles.high,
                "unit": "cycle",
                "sum_of": item.sum_of,
            }
            for item in found.verdicts
        ],
    }
