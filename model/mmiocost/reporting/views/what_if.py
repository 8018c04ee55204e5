"""What if: maps of the winning design, for any scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...fitting.parameters import INDICATORS
from ...vocabulary import MIX_SYMBOLS, generation
from ...whatif import maps
from ...whatif.scenario import Scenario, scenario_of
from .. import charts_maps
from ..display import Figure, figure
from ..numbers import percent, quantity_text, shown_unit
from .frames import mixed

if TYPE_CHECKING:
    import pandas as pd

Folders = Sequence[str]
Document = Mapping[str, Any]  # a scenario in the form of a scenario file
FAST_MMIO, BYPASS = ("before", "after"), ("no-bypass", "bypass")
LABELS = {"before": "before the series", "after": "fast MMIO",
          "no-bypass": "bypass_guest_pf=0", "bypass": "bypass_guest_pf=1"}  # fmt: skip
X_TILES, Y_TILES = 48, 32
_IN_TABLE = 6  # of so many values along each axis one is in the table behind a map
_OF_EITHER_MODE = ("slots", "ram_slot", *INDICATORS)


@dataclass(frozen=True)
class _Side:
    """An axis as it is shown: the values of the map times ``factor``, under a name and a title."""

    name: str
    title: str
    log: bool
    factor: float = 1.0


def slots_against_updates(scenario: Document, evidence: Folders = ()) -> Figure:
    """Where fast MMIO pays off over slots and the memslot updates that spoil its entries."""
    asked = asked_scenario(scenario)
    spoiling = "generation_rate" if generation(asked.after).since("v311") else "zapping_rate"
    x, y = maps.axis("slots", (1, 512), X_TILES, log=True), maps.axis(spoiling, (1.0, 1e6), Y_TILES, log=True)
    found = maps.winning_map(x, y, FAST_MMIO, asked, evidence=folders(evidence))
    pages = asked.mix.get("mmio_pages", _default("mmio_pages"))
    each = asked.mix.get("mmio_rate", _default("mmio_rate")) / pages
    see = (
        f"{_areas(found)} Updates matter only where they come about as often as a page's accesses do, here"
        f" {quantity_text(each, unit='1/s')}: below that almost every access finds its entry, and the slots decide."
    )
    sides = _Side("slots", "Slots", True), _Side(spoiling, _title(spoiling), True)
    return _figure(found, sides, f"Where fast MMIO pays off: slots against updates, {about(asked)}", see)


def slots_against_cold_searches(scenario: Document, evidence: Folders = ()) -> Figure:
    """Where fast MMIO pays off over slots and the share of first searches that run out of the cache."""
    asked = asked_scenario(scenario)
    x, y = maps.axis("slots", (1, 512), X_TILES, log=True), maps.axis("cold_search_fraction", (0.0, 1.0), Y_TILES)
    found = maps.winning_map(x, y, FAST_MMIO, asked, evidence=folders(evidence))
    see = (
        f"{_areas(found)} A search that finds its entries out of the cache is the dearest that a hit saves: the more"
        f" of them run cold, the fewer slots suffice."
    )
    sides = _Side("slots", "Slots", True), _Side("cold_search_fraction", "Share of first searches that run cold", False)
    return _figure(found, sides, f"Where fast MMIO pays off: slots against cold searches, {about(asked)}", see)


def faults_against_fills(scenario: Document, evidence: Folders = ()) -> Figure:
    """Where bypass_guest_pf regresses over the share of true faults and the shadow pages filled per fault."""
    asked = under_shadow_paging(asked_scenario(scenario))
    faults = asked.mix.get("fault_rate", _default("fault_rate")) or _default("fault_rate")
    x = maps.axis("true_fault_fraction", (0.0, 1.0), X_TILES)
    y = maps.axis("fill_rate", (1e-3 * faults, faults), Y_TILES, log=True)
    found = maps.winning_map(x, y, BYPASS, mixed(asked, fault_rate=faults), evidence=folders(evidence))
    see = (
        f"{_areas(found)} The switch loses at the left, where few faults are the guest's own and the check of all"
        f" others decides, and at the top, where shadow pages are filled nearly as often as faults come."
    )
    sides = (
        _Side("true_fault_fraction", "Share of faults that are the guest's own", False),
        _Side("fills_per_fault", "Shadow pages filled per fault", True, 1 / faults),
    )
    return _figure(found, sides, "Where bypass_guest_pf regresses, shadow paging", see)


def asked_scenario(document: Document) -> Scenario:
    """The scenario of a notebook's parameter. Raises InvalidInput with all that is wrong with it."""
    return scenario_of(document, "scenario")


def folders(evidence: Folders) -> list[Path]:
    """The folders of a notebook's parameter."""
    return [Path(folder) for folder in evidence]


def under_shadow_paging(scenario: Scenario) -> Scenario:
    """The scenario itself, or under shadow paging with its rates; levels of other modes do not carry over."""
    if scenario.mode == "shadow":
        return scenario
    kept = {name: value for name, value in scenario.counts.items() if name in _OF_EITHER_MODE}
    return replace(scenario, mode="shadow", counts=kept)


def about(scenario: Scenario) -> str:
    """Mode and kernel of a scenario, for a title."""
    kernels = generation(scenario.after).kernels.partition(",")[0]
    mode = {"ept": "EPT", "shadow": "shadow paging", "nonpaging": "guest paging off"}[scenario.mode]
    return f"{mode}, kernel {kernels}"


def _title(variable: str) -> str:
    words = {"generation_rate": "Memslot updates", "zapping_rate": "Memslot updates that zap shadow pages"}
    return f"{words[variable]} (1/s)"


def _default(variable: str) -> float:
    return next(float(item.default or 0) for item in MIX_SYMBOLS if item.name == variable)


def _areas(found: maps.WinningMap) -> str:
    areas = {LABELS.get(name, name): percent(round(share, 3)) for name, share in found.areas().items()}
    first, second = (LABELS[name] for name in found.designs)
    return (
        f"Sure winners: {second} on {areas[second]} of the map, {first} on {areas[first]}; on {areas[maps.UNDECIDED]}"
        f" fewer than {percent(maps.SURE)} of the draws agree, so that the evidence cannot tell."
    )


def _figure(found: maps.WinningMap, sides: tuple[_Side, _Side], title: str, see: str) -> Figure:
    second, unit = LABELS[found.designs[1]], shown_unit(found.unit)
    frame = _tiles(found, sides)
    x, y = sides
    chart = charts_maps.winning_tiles(
        frame, x=x.name, y=y.name, x_title=x.title, y_title=y.title, second=second, unit=unit, x_log=x.log, y_log=y.log
    )
    steps = np.arange(found.winners.size).reshape(found.winners.shape)
    few = frame.iloc[steps[::_IN_TABLE, ::_IN_TABLE].ravel()].drop(columns=list(charts_maps.EDGES))
    few = few.rename(columns={"probability": f"draws in which {second} is cheaper", "saving": f"saving ({unit})"})
    told = f"{see} The table holds {len(few)} of {len(frame)} points; mmiocost map writes them all."
    return figure(chart, title=title, see=told, data=few)


def _tiles(found: maps.WinningMap, sides: tuple[_Side, _Side]) -> pd.DataFrame:
    """A row a point with the edges of its tile."""
    import pandas as pd

    rows = found.rows()
    x, y = (axis.values * side.factor for axis, side in zip((found.x, found.y), sides, strict=True))
    edges = [_edges(values, side.log) for values, side in zip((x, y), sides, strict=True)]
    left, bottom = np.meshgrid(edges[0][:-1], edges[1][:-1], indexing="ij")
    right, top = np.meshgrid(edges[0][1:], edges[1][1:], indexing="ij")
    across, up = np.meshgrid(x, y, indexing="ij")
    columns = {sides[0].name: across, sides[1].name: up, "left": left, "right": right, "bottom": bottom, "top": top}
    second = found.designs[1]
    return pd.DataFrame({
        **{name: values.ravel() for name, values in columns.items()},
        "winner": [LABELS.get(name, name) for name in rows["winner"]],
        "probability": rows[f"share_{second}"],
        "saving": rows[f"saving_{second}"],
    })  # fmt: skip


def _edges(values: np.ndarray, log: bool) -> np.ndarray:
    """Edges of the tiles around ascending values, half way between them; the outer ones at the values themselves."""
    inner = np.sqrt(values[1:] * values[:-1]) if log else (values[1:] + values[:-1]) / 2
    return np.concatenate([values[:1], inner, values[-1:]])
