"""The catalogue of the evidence: every file with its checksum, every source, every row with an id to link to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..evidence import Evidence, Observation, Source, load
from ..evidence.package import open_package
from . import html
from .anchors import anchor
from .numbers import quantity_text

_RELATIVE = "rel_sem_percent"


def evidence_body(extra: Sequence[Path]) -> str:
    """The page as trusted HTML; ids are ``resource-…``, ``source-…``, ``row-…``, ``quantity-…``, ``prior-…``,
    ``assumption-…``.

    Raises InvalidInput for damaged evidence.
    """
    from .pages import render

    evidence = load(extra)
    by_source: dict[str, list[Observation]] = {}
    for row in evidence.observations:
        by_source.setdefault(row.source_id, []).append(row)
    return render(
        "reference/evidence.html.j2",
        hash=evidence.hash,
        resources=_resources(),
        sources=[_source(item, by_source.get(item.id, [])) for item in evidence.sources.values()],
        quantities=[{"anchor": anchor("quantity", name), "item": q} for name, q in evidence.quantities.items()],
        priors=_priors(evidence),
        assumptions=_assumptions(evidence),
        count=len(evidence.observations),
    )


def _resources() -> list[dict[str, Any]]:
    package = open_package()
    return [_resource(name, described) for name, described in package.resources.items()]


def _resource(name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    sources = [{"id": item["id"], "anchor": anchor("source", item["id"])} for item in described["sources"]]
    return {
        "anchor": anchor("resource", name),
        "name": name,
        "path": described["path"],
        "title": described["title"],
        "size": quantity_text(described["bytes"], unit="B"),
        "hash": described["hash"],
        "sources": sources,
    }


def _source(item: Source, rows: Sequence[Observation]) -> dict[str, Any]:
    return {
        "anchor": anchor("source", item.id),
        "item": item,
        "link": item.path if html.is_link(item.path) else "",
        "rows": [_row(row, item) for row in rows],
    }


def _row(row: Observation, source: Source) -> dict[str, Any]:
    value = quantity_text(row.value, unit=row.unit)
    where = f"{source.title}, {source.author}, {source.date}, {source.path}, {row.locator}"
    return {
        "anchor": anchor("row", row.id),
        "quantity": anchor("quantity", row.quantity),
        "item": row,
        "value": value,
        "spread": _spread(row),
        "cite": f"{row.id}, {row.quantity} = {value} on {row.machine} ({row.state}), measured in: {where}",
    }


def _spread(row: Observation) -> str:
    if row.spread is None:
        return ""
    return f"{quantity_text(row.spread, unit='%' if row.spread_kind == _RELATIVE else row.unit)} ({row.spread_kind})"


def _priors(evidence: Evidence) -> list[dict[str, Any]]:
    return [
        {
            "anchor": anchor("prior", name),
            "item": prior,
            "median": quantity_text(prior.median, unit=prior.unit),
            "width": quantity_text(prior.log_sd),
        }
        for name, prior in evidence.priors.items()
    ]


def _assumptions(evidence: Evidence) -> list[dict[str, Any]]:
    return [
        {"anchor": anchor("assumption", name), "item": item, "value": quantity_text(item.value, unit=item.unit)}
        for name, item in evidence.assumptions.items()
    ]
