"""Pairs of a trace summarised by DuckDB: what each class of exits took, and which addresses are hot.

DuckDB reads the Parquet file and may put what it sorts on disk, so that a trace larger than memory is no problem.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...errors import MmioCostError

MEMORY = "120MB"
EXACT = 6_000_000  # pairs of whose times exact quantiles are taken, for which all must be held in memory
_CONFIG: dict[str, str | bool | int | float | list[str]] = {"memory_limit": MEMORY, "threads": 1}
_WHY = "time between two tracepoints, with tracing and without the hardware's exit and entry: no round trip"
#: Seen at least so often, a class's mean is offered as an observation.
LEAST = 2
OFTEN = 3  # searches of one page that a cached answer would have saved

_CLASSES = """
select * exclude quantiles, quantiles[1] as median, quantiles[2] as p95, quantiles[3] as p99 from (
    select class, served, slow_case, reason, count(*) as pairs, sum(duration) as total, avg(duration) as mean,
           stddev_samp(duration) / sqrt(count(*)) as standard_error, min(duration) as least, max(duration) as most,
           {quantile}(duration, [0.5, 0.95, 0.99]) as quantiles, sum(migrated)::bigint as migrated
    from read_parquet(?) group by all
) order by total desc, class, served, slow_case, reason"""
_PAGES = """
select gpa // 4096 * 4096 as page, class, served, count(*) as pairs, sum(duration) as total, avg(duration) as mean,
       count(distinct gpa) as addresses, count(*) filter (where rw = 'write') as writes
from read_parquet(?) where gpa is not null and class like 'mmio%' group by all order by pairs desc, page, class, served
limit 1000"""


def query(sql: str, parameters: Sequence[Any]) -> list[dict[str, Any]]:
    """Rows of a query, as plain values by column."""
    import duckdb

    with TemporaryDirectory() as spilled, duckdb.connect(config=_CONFIG | {"temp_directory": spilled}) as connection:
        try:
            found = connection.execute(sql, list(parameters))
        except duckdb.OutOfMemoryException as error:
            raise MmioCostError(f"the pairs are too many to summarise in {MEMORY}: {error}") from error
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def summarise(pairs: Path) -> dict[str, list[dict[str, Any]]]:
    """Tables ``classes`` and ``pages`` of a file of pairs; times in its own unit. Empty where there are no pairs."""
    if not pairs.is_file():
        return {"classes": [], "pages": []}
    import pyarrow.parquet as pq

    exact = pq.read_metadata(pairs).num_rows <= EXACT
    classes = _CLASSES.format(quantile="quantile_cont" if exact else "approx_quantile")
    return {"classes": query(classes, [str(pairs)]), "pages": query(_PAGES, [str(pairs)])}


def searched(pages: Sequence[dict[str, Any]]) -> str:
    """What to ask a user of whose accesses none was cached: the page that was searched for most often, if often."""
    times = Counter[int]()
    for row in pages:
        if row["class"] == "mmio_slow":
            times[row["page"]] += row["pairs"]
    page, most = max(times.items(), key=lambda item: (item[1], -item[0]), default=(0, 0))
    if most < OFTEN:
        return ""
    return f"page 0x{page:x} was searched {most} times: is mmio_caching off? Pass --mmio-caching"


def observations(classes: Sequence[dict[str, Any]], time_unit: str, resolution: int) -> list[dict[str, Any]]:
    """One observation of the handler's time for each class of exits, in ns; none where times are ticks.

    The mean's error holds the clock's steps too: resolution²/6 a pair.
    """
    if time_unit != "ns":
        return []
    return [_observation(row, resolution) for row in classes if row["pairs"] >= LEAST]


def _observation(row: dict[str, Any], resolution: int) -> dict[str, Any]:
    by_steps = resolution**2 / 6 / row["pairs"]
    named = "/".join(filter(None, (row["class"], row["served"], row["slow_case"])))
    return {
        "quantity": "handler.time_exit_to_entry", "value": row["mean"], "unit": "ns",
        "spread": ((row["standard_error"] or 0.0) ** 2 + by_steps) ** 0.5, "spread_kind": "sem",
        "n_runs": row["pairs"], "event": row["reason"], "variant": named, "use": "excluded", "use_why": _WHY,
        "served_by": {"user": "userspace", "kernel": "kernel"}.get(row["served"], ""),
    }  # fmt: skip
