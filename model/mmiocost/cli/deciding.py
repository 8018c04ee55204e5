"""``decide``: a question as a decision record, and an old record held against what is known today."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput
from .options import Commands, add_command, evidence_option, positive, scenario_options
from .output import envelope, percent, print_json, quantity_text

if TYPE_CHECKING:
    from ..whatif.options import Outcome


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "decide", decide)
    parser.add_argument("question", nargs="?", metavar="QUESTION", help="fast-mmio, bypass-guest-pf or unified-loop")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the records; default: reports/decisions")
    parser.add_argument("--status", metavar="STATUS", help="proposed (the default) or accepted")
    parser.add_argument("--supersedes", type=positive, metavar="N", help="the record of the folder that this replaces")
    parser.add_argument("--check", type=Path, metavar="FILE", help="derive a record again: does it still hold?")
    scenario_options(parser)
    evidence_option(parser)


def decide(
    question: str | None,
    out: Path | None,
    status: str | None,
    supersedes: int | None,
    check: Path | None,
    sets: list[str],
    scenario: Path | None,
    machine: str | None,
    evidence: list[Path],
    json: bool,
) -> int:
    """A decision record: options with costs and intervals, the choice, its probability and regret, what turns it over;
    with --check, whether one still holds (exit status 1 where it is turned over)."""
    if check is not None:
        given = {"QUESTION": question, "--out": out, "--status": status, "--supersedes": supersedes,
                 "--set": sets or None, "--scenario": scenario, "--machine": machine}  # fmt: skip
        for name, value in given.items():
            if value is not None:
                raise InvalidInput.one("--check", name, "", "does not go with it: the record says what was asked")
        return _check(check, evidence, json)
    if question is None:
        raise InvalidInput.one("decide", "QUESTION", "", "name a question, or a record with --check FILE")
    from ..reporting.deciding import decide as ask
    from ..whatif.scenario import read_scenario

    found = ask(
        question, read_scenario(sets, scenario, machine), out, status=status or "proposed", supersedes=supersedes,
        evidence=evidence,
    )  # fmt: skip
    if json:
        print_json({"file": found.file, **_document(found.outcome), **envelope(found.outcome.evidence)})
    else:
        print(f"{outcome_text(found.outcome)}\n  {found.file}")
    return 0


def _document(found: Outcome) -> dict[str, Any]:
    return {
        "question": found.question, "decision": found.choice, "probability": found.probability,
        "expected_regret": found.expected_regret, "regret_low": found.regret_low, "regret_high": found.regret_high,
        "unit": found.unit, "transaction_share": found.transaction_share, "open_facts": list(found.open_facts),
        "options": [{name: getattr(item, name) for name in item.__dataclass_fields__} for item in found.options],
        "sources": list(found.sources),
    }  # fmt: skip


def outcome_text(found: Outcome) -> str:
    """The choice with its probability and regret, and every option beside the first."""
    regret = quantity_text(found.expected_regret, found.regret_low, found.regret_high, found.unit)
    lines = [
        f"{found.question}: '{found.choice}', the cheapest in {percent(round(found.probability, 3))} of the draws;"
        f" expected regret {regret}"
    ]
    for item in found.options:
        cost = quantity_text(item.cost, item.low, item.high, found.unit)
        more = quantity_text(item.against, item.against_low, item.against_high, found.unit)
        beside = "" if item is found.options[0] else f"; {more} beside '{found.options[0].name}'"
        lines.append(f"  {item.name}: {cost}{beside}")
    return "\n".join(lines)


def _check(file: Path, evidence: list[Path], json: bool) -> int:
    from ..reporting.record_check import TURNED
    from ..reporting.record_check import check as ask

    found = ask(file, evidence=evidence)
    if json:
        about = {"verdict": found.verdict, "by": list(found.by), "moved": list(found.moved)}
        recorded = {"decision": found.recorded.decision, "probability": found.recorded.probability,
                    "expected_regret": found.recorded.regret[0], "version": found.recorded.version,
                    "evidence": found.recorded.evidence}  # fmt: skip
        now = _document(found.now)
        print_json({"file": found.file, **about, "recorded": recorded, **now, **envelope(found.now.evidence)})
    else:
        print(found.text)
        if found.verdict == TURNED:
            print(f"  '{found.recorded.decision}' was decided, '{found.now.choice}' has the lower expected cost now")
        elif found.moved:
            print(f"  by more than a twentieth of its width: {', '.join(found.moved)}")
    return int(found.verdict == TURNED)
