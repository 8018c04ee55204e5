"""The hazards of the lockless walk: verdicts, and the shortest bad schedules drawn as sequences."""

from __future__ import annotations

from collections.abc import Iterator

from ...mechanism.hazards import Hazard, explore
from ...mechanism.hazards import machines as step_machines
from ...mechanism.hazards.recount import recount
from .. import charts
from ..display import Figure, Table, figure, table


def hazard_table() -> Table:
    """Every machine and variant: verdict, states reached, length of the shortest bad schedule."""
    import pandas as pd

    rows = [
        (item.machine, item.variant, item.verdict, item.states, len(item.schedule) or "none", item.meaning)
        for item in explore()
    ]
    columns = ["machine", "variant", "verdict", "states", "steps to the bad state", "what it says"]
    return table(pd.DataFrame(rows, columns=columns), "Hazards of a lockless walk, over every interleaving")


def hazard_recount() -> Table:
    """State counts of the search beside those of a second one that shares nothing with it."""
    import pandas as pd

    found = {(item.machine, item.variant): item for item in explore()}
    rows = []
    for machine in step_machines():
        states, violated = recount(machine)
        item = found[machine.name, machine.variant]
        agree = item.states == states and (item.verdict == "violated") == violated
        rows.append((machine.name, machine.variant, item.states, states, "yes" if agree else "NO"))
    columns = ["machine", "variant", "breadth first", "depth first", "agree"]
    return table(pd.DataFrame(rows, columns=columns), "The two searches")


def hazard_schedules(machine: str) -> Iterator[Figure]:
    """The shortest bad schedule of each violated variant of a machine."""
    for item in explore(machine):
        if item.schedule:
            yield _schedule(item)


def _schedule(item: Hazard) -> Figure:
    import pandas as pd

    steps = [entry.partition(": ") for entry in item.schedule]
    frame = pd.DataFrame(
        {
            "step": range(1, len(steps) + 1),
            "actor": [actor for actor, _, _ in steps],
            "text": [text for _, _, text in steps],
        }
    )
    said = item.meaning[0].upper() + item.meaning[1:]
    see = f"{said}. After {len(steps)} steps, the fewest that lead there, the bad state is reached."
    return figure(charts.sequence(frame), title=f"{item.machine}, variant {item.variant}", see=see)
