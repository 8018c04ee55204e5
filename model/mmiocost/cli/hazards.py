"""``hazards``: the lockless walk explored over every interleaving."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..evidence import evidence_hash
from .options import Commands, add_command
from .output import envelope, in_columns, print_json

if TYPE_CHECKING:
    from ..mechanism.hazards import Hazard


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "hazards", hazards)
    parser.add_argument("name", nargs="?", metavar="NAME", help="one machine, with its shortest bad schedules")


def hazards(name: str | None, json: bool) -> None:
    """The hazards of a lockless shadow walk, each explored over every interleaving: verdict, states, bad schedule."""
    from ..mechanism.hazards import explore

    found = explore(name)
    if json:
        about = envelope(evidence_hash())
        print_json([{**_document(hazard), **about} for hazard in found])
        return
    print(_table(found))
    if name is None:
        print("\n`mmiocost hazards NAME` shows how a bad state is reached.")
    else:
        print("\n".join(_details(hazard) for hazard in found))


def _document(hazard: Hazard) -> dict[str, object]:
    return {
        "machine": hazard.machine,
        "variant": hazard.variant,
        "verdict": hazard.verdict,
        "states": hazard.states,
        "schedule": hazard.schedule,
    }


def _table(found: tuple[Hazard, ...]) -> str:
    head = ("machine", "variant", "verdict", "states", "steps to the bad state")
    rows = [
        (item.machine, item.variant, item.verdict, str(item.states), str(len(item.schedule) or "none"))
        for item in found
    ]
    return in_columns([head, *rows])


def _details(hazard: Hazard) -> str:
    """What the variant does, and the shortest bad schedule with its steps numbered."""
    steps = [f"  {number:2}  {step}" for number, step in enumerate(hazard.schedule, 1)]
    reached = steps or ["  no schedule reaches a bad state"]
    return "\n".join([f"\n{hazard.variant}: {hazard.meaning}", *reached])
