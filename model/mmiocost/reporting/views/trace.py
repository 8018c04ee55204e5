"""The user's own recordings: where exits go, which addresses are hot, how rates run, how long the tails are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...evidence.importers.folder import Import
from ...whatif.from_evidence.asking import table as rows_of
from .. import charts_trace as charts
from ..display import Figure, Table, figure, table
from ..numbers import percent, quantity_text
from .trace_files import LABEL, mean_text, nothing, pairs_asked, quantiles_of, traces, unit_of

if TYPE_CHECKING:
    import pandas as pd

Folders = Sequence[str]
_NAMED = 6  # classes with a line of their own
_PAGES = 15
_LEAST_BINS, _BINS, _IN_A_BIN = 10, 60, 20  # parts of the recording, and exits in one of them
_QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999)
_SPAN = "select min(start) as begin, max(start) - min(start) as span, count(*) as exits from read_parquet(?)"
_ACCESSES = """select count(*) as accesses, count(distinct gpa // 4096) as pages from read_parquet(?)
 where class like 'mmio%' and gpa is not null"""
_MEDIAN = _QUANTILES.index(0.5)


def exit_classes(evidence: Folders = ()) -> Iterator[Figure | Table]:
    """Where the exits go: each class's share of their number and of their time, and how long one takes."""
    for item in traces(evidence):
        sql = f"""select {LABEL} as class, count(*) as exits, sum(duration) as total, avg(duration) as mean,
 stddev_samp(duration) / sqrt(count(*)) as error, {quantiles_of(item, (0.5, 0.95, 0.99))} as quantiles,
 max(duration) as most from read_parquet(?) group by 1 order by total desc, 1"""
        rows = pairs_asked(item, sql)
        yield _class_figure(item, rows)
        yield _class_table(item, rows)
    if not traces(evidence):
        yield nothing("Where the exits go")


def _class_figure(item: Import, rows: list[dict[str, Any]]) -> Figure:
    import pandas as pd

    exits, total = sum(row["exits"] for row in rows), sum(row["total"] for row in rows) or 1
    found = [
        (row["class"], kind, 100 * part)
        for row in rows[:_PAGES]
        for kind, part in (("of all exits", row["exits"] / exits), ("of their time", row["total"] / total))
    ]
    often, long = max(rows, key=lambda row: row["exits"]), rows[0]
    see = (
        f"{often['class']} is most frequent with {percent(round(often['exits'] / exits, 3))} of {exits} exits;"
        f" {long['class']} takes most time, {percent(round(long['total'] / total, 3))} of it."
    )
    said = f"Share of the number and of the time of exits by class: {', '.join(row['class'] for row in rows[:_PAGES])}."
    chart = charts.share_bars(pd.DataFrame(found, columns=["class", "kind", "share"]), name="class", group="kind",
                              said=said)  # fmt: skip
    return figure(chart, title=f"Where the exits go: {item.entry['file']}", see=see)


def _class_table(item: Import, rows: list[dict[str, Any]]) -> Table:
    import pandas as pd

    unit, scale = unit_of(item)
    shown = [
        (
            row["class"], row["exits"], mean_text(row, item),
            *(quantity_text(value / scale, unit=unit) for value in (*row["quantiles"], row["most"])),
        )
        for row in rows
    ]  # fmt: skip
    columns = ["class", "exits", "mean time in the handler", "median", "95 % within", "99 % within", "longest"]
    caption = f"Time from exit to entry by class, {item.entry['file']}; means with 95 % intervals"
    return table(pd.DataFrame(shown, columns=columns), caption)


def hot_pages(evidence: Folders = ()) -> Iterator[Figure | Table]:
    """The guest-physical pages of MMIO accesses, the most used first."""
    found = False
    for item in traces(evidence):
        rows = rows_of(item, "pages")
        if rows:
            found = True
            yield from _pages(item, rows)
    if not found:
        yield nothing("Hot MMIO addresses")


def _pages(item: Import, rows: list[dict[str, Any]]) -> Iterator[Figure | Table]:
    import pandas as pd

    by_page: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_page.setdefault(row["page"], []).append(row)
    ordered = sorted(by_page.items(), key=lambda page: -_sum(page[1], "pairs"))
    counted = pairs_asked(item, _ACCESSES)[0]
    total = counted["accesses"]
    bars: dict[tuple[str, str], int] = {}
    for page, own in ordered[:_PAGES]:
        for row in own:
            key = (f"{page:#x}", row["class"])
            bars[key] = bars.get(key, 0) + row["pairs"]
    first = ordered[0]
    see = (
        f"Of {counted['pages']} pages with accesses {first[0]:#x} takes"
        f" {percent(round(_sum(first[1], 'pairs') / total, 3))} of {total} accesses."
    )
    frame = pd.DataFrame([(*key, number) for key, number in bars.items()], columns=["page", "class", "accesses"])
    said = f"MMIO accesses by guest-physical page and class, {len(ordered[:_PAGES])} pages."
    chart = charts.stacked_bars(frame, name="page", group="class", value="accesses", said=said)
    yield figure(chart, title=f"Hot MMIO pages: {item.entry['file']}", see=see)
    yield _page_table(item, ordered[:_PAGES], total)


def _page_table(item: Import, pages: Sequence[tuple[int, list[dict[str, Any]]]], total: int) -> Table:
    import pandas as pd

    unit, scale = unit_of(item)
    shown, covered = [], 0
    for page, own in pages:
        accesses = _sum(own, "pairs")
        covered += accesses
        user = sum(row["pairs"] for row in own if row["served"] == "user")
        shown.append(
            (
                f"{page:#x}", accesses, percent(round(accesses / total, 3)), percent(round(covered / total, 3)),
                percent(round(_sum(own, "writes") / accesses, 3)), percent(round(user / accesses, 3)),
                quantity_text(_sum(own, "total") / accesses / scale, unit=unit),
            )
        )  # fmt: skip
    columns = ["page", "accesses", "share", "with those above", "stores", "served in user space", "mean time"]
    return table(pd.DataFrame(shown, columns=columns), f"MMIO pages by accesses, {item.entry['file']}")


def _sum(rows: Sequence[dict[str, Any]], name: str) -> int:
    return int(sum(row[name] for row in rows))


def time_lines(evidence: Folders = ()) -> Iterator[Figure | Table]:
    """Exits a second over the recording, by class."""
    for item in traces(evidence):
        yield _time_line(item)
    if not traces(evidence):
        yield nothing("Rates over the recording")


def _time_line(item: Import) -> Figure:
    import pandas as pd

    ends = pairs_asked(item, _SPAN)[0]
    begin, span = int(ends["begin"]), max(1, int(ends["span"]))
    bins = max(_LEAST_BINS, min(_BINS, ends["exits"] // _IN_A_BIN))
    place = f"least({bins - 1}, floor((start - {begin})::double * {bins} / {span}))::int"
    sql = f"select {LABEL} as class, {place} as bin, count(*) as exits from read_parquet(?) group by 1, 2"
    counted = {(row["class"], row["bin"]): row["exits"] for row in pairs_asked(item, sql)}
    sums: dict[str, int] = {}
    for (name, _), exits in counted.items():
        sums[name] = sums.get(name, 0) + exits
    named = sorted(sums, key=lambda name: (-sums[name], name))[:_NAMED]
    clocked = item.entry.get("time_unit") == "ns"
    width, per = (span / bins / 1e6, span / bins / 1e9) if clocked else (span / bins, span / bins)
    rows = [(number * width, name, counted.get((name, number), 0) / per) for name in named for number in range(bins)]
    frame = pd.DataFrame(rows, columns=["time", "class", "rate"])
    steady = max(named, key=lambda name: sums[name])
    parts = [counted.get((steady, number), 0) for number in range(bins)]
    see = (
        f"{steady}, the most frequent, has {min(parts)} to {max(parts)} exits in each of {bins} equal parts of the"
        f" recording; a share or rate of the whole means little where this swings."
    )
    units = ("ms", "1/s") if clocked else ("ticks", "1/tick")
    said = f"Exits over the time of the recording by class: {', '.join(named)}."
    chart = charts.rate_lines(frame, group="class", time_unit=units[0], rate_unit=units[1], said=said)
    return figure(chart, title=f"Rates over the recording: {item.entry['file']}", see=see)


def handler_tails(evidence: Folders = ()) -> Iterator[Figure | Table]:
    """How many exits of a class take how long, with the tail on logarithmic axes."""
    for item in traces(evidence):
        yield _tail(item)
    if not traces(evidence):
        yield nothing("Distribution of the time in the handler")


def _tail(item: Import) -> Figure:
    import pandas as pd

    sql = f"""select {LABEL} as class, count(*) as exits, {quantiles_of(item, _QUANTILES)} as quantiles,
 max(duration) as most from read_parquet(?) group by 1 order by exits desc, 1 limit {_NAMED}"""
    found = pairs_asked(item, sql)
    unit, scale = unit_of(item)
    least = float(item.entry["facts"].get("time_resolution", 1)) / 2  # a time of no step has no place on a log axis
    rows = []
    for row in found:
        points = [(value, 1 - p) for p, value in zip(_QUANTILES, row["quantiles"], strict=True)
                  if 1 - p > 1 / row["exits"]]  # fmt: skip
        points.append((row["most"], 1 / row["exits"]))
        rows += [(max(value, least) / scale, row["class"], 100 * share) for value, share in points]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=["duration", "class", "longer"])
    spread = {row["class"]: row["most"] / max(row["quantiles"][_MEDIAN], least) for row in found}
    widest = max(spread, key=lambda name: spread[name])
    see = (
        f"{widest} spreads most: its longest takes {quantity_text(round(spread[widest], 1))} times its median; what"
        f" makes a tail is the host's other work or the tracing rather than the path."
    )
    said = f"Share of exits that take a time or longer, by class: {', '.join(row['class'] for row in found)}."
    chart = charts.tails(frame, group="class", unit=unit, said=said)
    return figure(chart, title=f"How long the handler takes: {item.entry['file']}", see=see)
