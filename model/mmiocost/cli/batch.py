"""``batch``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MmioCostError
from .options import Commands, add_command, evidence_option, positive
from .output import envelope, print_json

if TYPE_CHECKING:
    from ..reporting.batch import Batch

_TIMEOUT_S = 1800
_NAMED = 6  # scenarios that are named one by one


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "batch", batch)
    parser.add_argument("grid", type=Path, metavar="GRID.yaml", help="base, notebooks, over, scenarios")
    out = "folder of notebooks, pages, table and ledger; or s3://, gs://, abs:// for the executed notebooks"
    parser.add_argument("--out", required=True, metavar="DIR", help=out)
    parser.add_argument("--jobs", type=positive, metavar="N", help="notebooks at once; default: one a processor")
    limit = f"a notebook that runs longer has failed; default: {_TIMEOUT_S}"
    parser.add_argument("--timeout", type=positive, default=_TIMEOUT_S, metavar="SECONDS", help=limit)
    cluster = "run on the workers of a dask.distributed scheduler, such as tcp://host:8786"
    parser.add_argument("--scheduler", metavar="ADDRESS", help=cluster)
    evidence_option(parser)


def batch(
    grid: Path, out: str, jobs: int | None, timeout: int, scheduler: str | None, evidence: list[Path], json: bool
) -> int:
    """Run every scenario of a grid through notebooks, and sum the results up in a table and an index page. A rerun
    does what is missing or changed; Ctrl-C keeps what is done."""
    from ..evidence import evidence_hash
    from ..reporting.batch import PRELOAD
    from ..reporting.batch import batch as run

    progress = _Progress()
    where: dict[str, Any] = {}
    if scheduler is not None:
        from ..execution.cluster import cluster

        where["workers"] = cluster(scheduler, PRELOAD)
    try:
        found = run(
            grid, out, jobs=jobs, timeout=timeout, evidence=evidence, on_plan=progress.plan,
            on_progress=progress.step, **where,
        )  # fmt: skip
    except KeyboardInterrupt:
        progress.close()
        print(
            f"{progress.done} of {progress.total} scenarios are done; the same command does the rest", file=sys.stderr
        )
        raise
    progress.close()
    if json:
        print_json({**_document(found), **envelope(evidence_hash(evidence))})
    else:
        print(_text(found))
    return MmioCostError.exit_status if found.failed else 0


class _Progress:
    """What a person sees on standard error while a batch runs: why, how far, what failed."""

    def __init__(self) -> None:
        self.total = self.done = 0
        self._bar: Any = None

    def plan(self, reasons: Mapping[str, str]) -> None:
        """Say why scenarios are run, then start the bar if standard error is a terminal."""
        from tqdm import tqdm

        again = {name: reason for name, reason in reasons.items() if reason}
        self.total = len(reasons)
        _say(f"{len(reasons)} scenarios: {len(reasons) - len(again)} done already, {len(again)} to run")
        for reason, count in Counter(again.values()).items():
            names = [name for name in again if again[name] == reason]
            more = f" and {count - _NAMED} more" if count > _NAMED else ""
            _say(f"  {reason}: {count if reason == 'new' else ', '.join(names[:_NAMED]) + more}")
        self._bar = tqdm(total=len(again), unit="notebook", disable=None, file=sys.stderr)

    def step(self, run: Any) -> None:
        """One scenario has ended."""
        self.done += run.status != "failed"
        if run.status != "unchanged":
            self._bar.update(1)
        if run.error is not None:
            self._bar.clear()
            _say(f"  {run.name}: FAILED in {_where(run.error)}: {run.error.ename}: {run.error.evalue}")

    def close(self) -> None:
        """End the bar."""
        if self._bar is not None:
            self._bar.close()


def _where(error: Any) -> str:
    return f"cell {error.number}" if error.number else "its kernel"


def _document(found: Batch) -> dict[str, Any]:
    failed = [
        {"name": run.name, "cell": run.error.number, "ename": run.error.ename, "evalue": run.error.evalue}
        for run in found.failed
        if run.error is not None
    ]
    ran = {row.run.name: row.run.reason for row in found.rows if row.run.reason}
    return {
        "total": len(found.rows), "done": found.count("executed"), "cached": found.count("unchanged"), "failed": failed,
        "ran": ran, "index": found.index, "table": found.table,
    }  # fmt: skip


def _text(found: Batch) -> str:
    counts = {"run now": found.count("executed"), "done before": found.count("unchanged"), "failed": len(found.failed)}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    lines = [f"{len(found.rows)} scenarios: {told}"]
    for run in found.failed:
        assert run.error is not None
        lines.append(f"  {run.name}: {_where(run.error)}: {run.error.ename}: {run.error.evalue}")
    return "\n".join([*lines, f"All values: {found.table}", f"The page: {found.index}"])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
