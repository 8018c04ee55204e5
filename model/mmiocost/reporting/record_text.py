"""The body of a decision record: Markdown in the form of MADR 4, every number with its interval and unit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ..evidence import Source
from ..whatif.breakeven import BreakEven
from ..whatif.decision import BYPASS, FAST, HOSTS, UNIFIED
from ..whatif.next_measurement import Plan
from ..whatif.options import BOUND, Option, Outcome
from ..whatif.ranges import symbol_unit
from .html import is_link
from .numbers import estimate_text, percent, quantity_text

TITLE = "# Decision records"
TITLES = {
    FAST: "Cache that a gfn is MMIO",
    BYPASS: "bypass_guest_pf beside MMIO sptes",
    UNIFIED: "One loop for page faults and MMIO, or two paths",
}
_CONTEXT = {
    FAST: "A guest's access to emulated MMIO exits, and KVM 3.0 searches the memslots each time to learn that the gfn"
    " is in none of them. An MMIO spte remembers it, until an update of the memslots makes the entry stale. Shall it?",
    BYPASS: "With bypass_guest_pf=1 entries not yet filled trap by a reserved bit, so that true guest faults stay in"
    " the guest. MMIO sptes use the same bit, and each exiting fault must be told apart. The series of 2011 raised the"
    " question which of the two to keep under shadow paging.",
    UNIFIED: "In 2011 Avi Kivity proposed one loop that walks, finds out what the access is, and re-fetches, in place"
    " of a page fault path with an MMIO path beside it. Does one loop cost less than two paths?",
}
_UNIT_OF = {"cycle": "cycles per access", "cycle/s": "cycles per second of guest time"}
_JUDGEMENT = {
    FAST: (
        "complexity: a generation or a zap must make stale entries invalid, or a guest reaches a freed slot",
        "code size and what maintenance costs: one more kind of spte in every walk",
    ),
    BYPASS: (
        "complexity: two meanings of one reserved bit, and a check in the hottest exit",
        "a switch at run time: code, tests and an administrator who knows the workload; one switch also tears down"
        " every shadow page",
        "how long shadow paging will matter at all",
    ),
    UNIFIED: (
        "complexity: one path to read and to prove right, against two that are each simpler",
        "code size, and the risk of rewriting a path that works",
        "contention between virtual CPUs beyond the retries that are counted",
    ),
}
_SURE = 0.95
#: Options by the designs of a break-even; any other design is the path of a hit.
_NAMES = {"before": "before", "after": "after", "no-bypass": "drop", "bypass": "keep both", "unified": "unified loop"}


def body(found: Outcome, following: Plan, sources: Mapping[str, Source], replaces: str, number: int) -> str:
    """The Markdown body of the record of an outcome; ``replaces`` names the file that it supersedes."""
    return "\n".join([*_lines(found, following, sources, replaces, number), ""])


def _lines(found: Outcome, following: Plan, sources: Mapping[str, Source], replaces: str, number: int) -> Iterator[str]:
    yield from (f"# {number}. {TITLES[found.question]}", "", "## Context and Problem Statement", "")
    yield from (_CONTEXT[found.question], "")
    yield from _scenario(found)
    yield from ("## Decision Drivers", "")
    yield f"* the expected cost in {_UNIT_OF[found.unit]}, over the draws of the costs and of the open facts"
    yield from (f"* {line} (judgement: weighed by the reader, not by the model)" for line in _JUDGEMENT[found.question])
    yield from ("", "## Considered Options", "")
    yield from (f"* {item.name}: {item.meaning}" for item in found.options)
    yield from ("", "## Decision Outcome", "")
    yield from _outcome(found)
    yield from ("## Pros and Cons of the Options", "")
    yield from _options(found)
    yield from ("## More Information", "", "### What would turn it over", "")
    yield from (f"* {line}" for item in found.turns for line in _turn(item, found))
    if not found.turns:
        yield "* no symbol of the scenario has a break-even to report"
    elif found.open_facts:
        yield from ("", "Here what is not known has its default, not its range.")
    yield from ("", "### Next measurement", "")
    yield from _next(following)
    yield from ("", "### Evidence", "")
    yield from (_source(name, sources.get(name)) for name in found.sources)
    if found.prior_bounded:
        listed = ", ".join(f"`{name}`" for name in found.prior_bounded)
        yield from ("", f"Narrowed by no row for this machine, so bounded by their priors only: {listed}.")
    yield from ("", "`mmiocost evidence show ID` shows the rows of a source, `mmiocost fit` the costs that they give.")
    if replaces:
        yield from ("", f"Supersedes [{replaces}]({replaces}).")


def _scenario(found: Outcome) -> Iterator[str]:
    asked = found.scenario
    compared = f"mode {asked.mode}, {asked.before} against {asked.after}"
    yield f"Scenario: {plain(asked.name)}, machine {plain(asked.machine)}, {compared}. {plain(asked.about)}".rstrip()
    yield ""
    values = {**asked.counts, **asked.mix}
    if values:
        yield from ("| symbol | value | where it is from |", "| --- | --- | --- |")
        for name, value in values.items():
            text = quantity_text(value, unit=symbol_unit(name))
            yield f"| `{name}` | {text} | {plain(asked.sources.get(name, 'set by whoever asked'))} |"
        yield ""
    if found.open_facts:
        listed = ", ".join(f"`{name}`" for name in found.open_facts)
        yield from (f"Not known, and taken as spread over their ranges: {listed}.", "")


def _outcome(found: Outcome) -> Iterator[str]:
    chosen = next(item for item in found.options if item.name == found.choice)
    sure = (
        "" if found.probability >= _SURE else " **The evidence does not decide it:** this is the better bet, no more."
    )
    yield f"Chosen option: **{chosen.name}** ({chosen.meaning}), because its expected cost is the lowest.{sure}"
    yield ""
    yield f"* Probability that it is the cheapest: {percent(round(found.probability, 3))} of the draws."
    regret = quantity_text(found.expected_regret, found.regret_low, found.regret_high, found.unit)
    per = "" if found.unit == "cycle/s" else " per access"
    share = "" if found.transaction_share is None else f", {percent(found.transaction_share)} of a transaction"
    yield f"* Expected regret: {regret}{per}{share}; the interval is what the size of the sample leaves."
    yield ""


def _options(found: Outcome) -> Iterator[str]:
    """The options as a table: means, since a decision goes by them, with the interval of the draws."""
    first, wide = found.options[0].name, False
    relative = found.unit == "cycle/s"
    columns = ["option", f"cost beside '{first}'"] if relative else ["option", "cost", f"more than '{first}'"]
    columns += ["cheapest in", "expected regret"]
    yield f"| {' | '.join(columns)} |"
    yield f"| {' | '.join('---' for _ in columns)} |"
    for item in found.options:
        wide = wide or not (item.against_low <= item.against <= item.against_high)
        costs = [] if relative else [quantity_text(item.cost, item.low, item.high, found.unit)]
        more = quantity_text(item.against, item.against_low, item.against_high, found.unit)
        cells = (*costs, more, *_chance(item, found.unit))
        yield f"| {item.name} | {' | '.join(cells)} |"
    yield ""
    yield f"Mean and, in brackets, 95 % of the draws, in {_UNIT_OF[found.unit]}."
    if wide:
        yield "A mean beyond its brackets comes from few draws of very high cost, which a decision by means counts."
    if any(item.name == BOUND for item in found.options):
        yield f"A cost of less than 0 is a saving beside '{first}', which stands for 0. '{BOUND}' is what a switch"
        yield "could do at best, so it is not chosen here."
    yield ""


def _chance(item: Option, unit: str) -> tuple[str, str]:
    if item.probability is None or item.regret is None:
        return "a bound", "a bound"
    return percent(round(item.probability, 3)), quantity_text(float(f"{item.regret:.2g}"), unit=unit)


def _turn(item: BreakEven, found: Outcome) -> Iterator[str]:
    """Each break-even in a symbol, and where the scenario stands, or why there is none."""
    first, second = (_NAMES.get(design, "two paths") for design in item.between)
    here = {**found.scenario.counts, **found.scenario.mix}.get(item.variable)
    stands = "" if here is None else f"; the scenario has {quantity_text(here, unit=item.unit)}"
    for at in item.crossings:
        value = estimate_text(at.value, at.low, at.high, item.unit)
        below, above = (first, second) if at.cheaper_below == item.between[0] else (second, first)
        yield f"`{item.variable}` = {value}: below it '{below}' is cheaper, above '{above}'{stands}"
    if not item.crossings:
        said = {"always": f"'{second}' is cheaper than '{first}' throughout",
                "never": f"'{second}' is nowhere cheaper than '{first}'"}.get(
            item.verdict, f"the evidence cannot tell where '{first}' and '{second}' cost the same")  # fmt: skip
        yield f"`{item.variable}` from {quantity_text(item.range[0])} to {quantity_text(item.range[1])}: {said}{stands}"


def _next(found: Plan) -> Iterator[str]:
    worth = [item for item in found.candidates if item.expected_narrowing > 0][:3]
    if not worth:
        yield "No measurement is expected to change this decision."
    for item in worth:
        taken = quantity_text(item.expected_narrowing, item.narrowing_low, item.narrowing_high, found.unit)
        yield f"1. {item.measurement} on {HOSTS[item.machine]}, which takes {taken} off the expected regret."
        yield f"   {item.meaning}. `{item.recipe}`" if "`" not in item.recipe else f"   {item.meaning}. {item.recipe}"


def _source(name: str, source: Source | None) -> str:
    if source is None:
        return f"* {plain(name)}"
    said = ", ".join(plain(text) for text in (source.title, source.author, source.date) if text)
    where = f"<{source.path}>" if is_link(source.path) and ">" not in source.path else plain(source.path)
    return f"* {plain(name)}: {said}. {where}".rstrip()


def plain(text: str) -> str:
    """A text that a stranger may have written, on one line and without a meaning in Markdown."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return re.sub(r"([\\`*_\[\]<>|#~$&])", r"\\\1", " ".join(shown.split()))


def index_text(rows: Sequence[tuple[str, str, str, str]]) -> str:
    """The README of a folder of records from (file, title, status, date) rows."""
    lines = [TITLE, "", "| record | status | date |", "| --- | --- | --- |"]
    lines += [f"| [{plain(title)}]({file}) | {plain(status)} | {plain(date)} |" for file, title, status, date in rows]
    again = "`mmiocost decide --check FILE` derives one again and says whether it still holds."
    return "\n".join([*lines, "", again, ""])
