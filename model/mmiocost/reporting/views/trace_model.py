"""The model beside the user's own recordings: what it says of each class of exits, and which scenario they describe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...errors import InvalidInput
from ...evidence import load
from ...evidence.importers.folder import Import
from ...fitting.fit import POPULATION, Fit
from ...fitting.intervals import Interval
from ...vocabulary import GENERATIONS, generation_of_kernel
from ...whatif.clock import clock_of
from ...whatif.from_evidence import Derivation, derive
from ...whatif.from_evidence.handlers import Handler, handler, path_of
from ...whatif.scenario import Scenario
from ..display import Table, table
from ..numbers import estimate_text, quantity_text
from .frames import MISSING, fit_of
from .trace_files import LABEL, mean_ends, mean_text, nothing, pairs_asked, traces, unit_of

Folders = Sequence[str]
_KINDS = f"""select {LABEL} as label, class, slow_case, served, reason, rw, count(*) as exits, avg(duration) as mean,
 stddev_samp(duration) / sqrt(count(*)) as error from read_parquet(?) group by all order by exits desc, label, rw"""


def model_beside(evidence: Folders = ()) -> Iterator[Table]:
    """Time in the handler as recorded, and as the model gives it: the path's cost with the exit taken off."""
    fit = fit_of(evidence)
    for item in traces(evidence):
        if item.entry.get("time_unit") == "ns":
            yield _beside(item, fit, evidence)
    if not traces(evidence):
        yield nothing("The model beside your recording")


def _beside(item: Import, fit: Fit, evidence: Folders) -> Table:
    import pandas as pd

    generation, said = _generation(item)
    scenario = Scenario(machine=_machine(item, fit, evidence), mode=_mode(item))
    clock = clock_of(scenario, item.entry["facts"].get("clock_hz"), [Path(folder) for folder in evidence])
    rows = []
    for row in pairs_asked(item, _KINDS):
        asked = path_of(row, generation, scenario.mode)
        found = handler(*asked, scenario, fit, clock) if asked is not None else None
        if found is not None:
            rows.append(_row(row, found, item))
    columns = ["class", "exits", "exit to entry", "path", "model: round trip",
               "model: exit off", "left over"]  # fmt: skip
    frame = pd.DataFrame(rows or [("no class with a path of the model", *[MISSING] * 6)], columns=columns)
    caption = f"The model beside {item.entry['file']}: {said}, {_place(scenario)}, {clock.note}"
    return table(frame, caption)


def _row(row: dict[str, Any], found: Handler, item: Import) -> tuple[object, ...]:
    unit, scale = unit_of(item)
    without = found.without_exit
    low, high = mean_ends(row, item)
    ends = (None if low is None or without.high is None else (low - without.high) / scale,
            None if high is None or without.low is None else (high - without.low) / scale)  # fmt: skip
    round_trip, rest = (_scaled(part, unit, scale) for part in (found.round_trip, without))
    left = estimate_text((row["mean"] - without.value) / scale, *ends, unit)
    way = row["rw"].removeprefix("unsatisfied-")
    return (f"{row['label']} {way}".rstrip(), row["exits"], mean_text(row, item), found.path, round_trip,
            rest, left)  # fmt: skip


def _scaled(found: Interval, unit: str, scale: float) -> str:
    low, high = (None if end is None else end / scale for end in found[1:])
    return estimate_text(found.value / scale, low, high, unit)


def _generation(item: Import) -> tuple[str, str]:
    release = item.entry["facts"].get("release")
    try:
        found = generation_of_kernel(str(release))
    except InvalidInput:
        return GENERATIONS[-1].id, f"kernel not stated, taken as {GENERATIONS[-1].kernels}"
    return found.id, f"kernel {release} (generation {found.id})"


def _mode(item: Import) -> str:
    nested = {"EPT_MISCONFIG", "EPT_VIOLATION", "NPF"} & set(item.entry.get("reasons", {}))
    faults = {"EXCEPTION_NMI", "EXCP_PF"} & set(item.entry.get("reasons", {}))
    return "shadow" if faults and not nested else "ept"


def _machine(item: Import, fit: Fit, evidence: Folders) -> str:
    """The recording's machine if other rows let its costs be fitted, else one not yet measured."""
    rows = [row for row in load([Path(folder) for folder in evidence]).own if row.source_id == f"import-{item.id[:8]}"]
    for row in rows:
        place = f"{row.machine}/{row.state}"
        try:
            fit.locate(place)
        except InvalidInput:
            continue
        return place
    return POPULATION


def _place(scenario: Scenario) -> str:
    return "a machine not yet measured" if scenario.machine == POPULATION else scenario.machine


def derived_scenario(evidence: Folders = ()) -> Iterator[Table]:
    """The scenario that each folder describes, value by value, and what it can't tell."""
    import pandas as pd

    folders = [Path(folder) for folder in evidence if (Path(folder) / "imports").is_dir()]
    for folder in folders:
        try:
            found = derive(folder)
        except InvalidInput as error:
            said = [problem.line() for problem in error.problems]
            yield table(pd.DataFrame({"what keeps a scenario from being derived": said}), f"Scenario of {folder.name}")
            continue
        yield from _derived(found, folder.name)
    if not folders:
        yield nothing("The scenario that your evidence describes")


def _derived(found: Derivation, name: str) -> Iterator[Table]:
    import pandas as pd

    rows: list[tuple[object, ...]] = [
        (symbol, _value(item.value, item.low, item.high), item.bound or MISSING, item.source, item.rule)
        for symbol, item in found.derived.items()
    ]
    columns = ["symbol", "value", "bound", "file", "rule"]
    remark = f"; {'; '.join(found.warnings)}" if found.warnings else ""
    frame = pd.DataFrame(rows or [("nothing", *[MISSING] * 4)], columns=columns)
    yield table(frame, f"Derived from {name}, 95 % intervals{remark}")
    gaps = [(item.symbol, item.default, item.range, item.meaning) for item in found.missing]
    columns = ["symbol", "taken unless set", "varied over", "meaning"]
    yield table(pd.DataFrame(gaps, columns=columns), f"What {name} can't tell")


def _value(value: float | str, low: float | None, high: float | None) -> str:
    if isinstance(value, str):
        return value
    if low is not None and high is not None:
        return quantity_text(value, low, high)
    return estimate_text(value, low, high)
