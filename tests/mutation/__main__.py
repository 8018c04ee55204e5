"""Put every fault into either side and count how many the other side notices: ``make mutate``."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from .drawn import ALL_PATHS, points
from .judge import Verdict, disagreements, judge, prepare
from .result import RESULT, Verdicts, complaints, read, survivors, table, why_not_current, write
from .rooms import faults_of, modules

_MEMORY = 4 << 30  # bytes of address space for a worker: a fault may make a list that never ends


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and keep the result. Status 0: all faults are noticed or explained; 1: see standard error."""
    parser = argparse.ArgumentParser(prog="make mutate", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="worker processes (default 2)")
    parser.add_argument("--only", metavar="MODULE", action="append", choices=modules(), help="try these, keep nothing")
    parser.add_argument(
        "--explain", action="store_true", help="try nothing, only write the reasons into the kept result"
    )
    chosen = parser.parse_args(arguments)
    if chosen.explain:
        return _explain()
    if parted := disagreements():
        print("the two sides differ without any fault:", *parted, sep="\n", file=sys.stderr)
        return 1
    print(f"{sum(len(points(path)) for path in ALL_PATHS)} scenarios, both sides agree", file=sys.stderr)
    verdicts = _judged(chosen.only or modules(), chosen.jobs)
    print(table(verdicts))
    for fault, _ in survivors(verdicts):
        print(f"{fault.module}:{fault.line}: {fault.original!r} -> {fault.mutated!r}")
    if chosen.only:
        return 0
    write(verdicts, datetime.now(UTC).isoformat(timespec="seconds"))
    return _complain(verdicts)


def _complain(verdicts: Verdicts) -> int:
    found = complaints(verdicts)
    print(*found, f"wrote {RESULT.name}", sep="\n", file=sys.stderr)
    return 1 if found else 0


def _explain() -> int:
    kept = read()
    if changed := why_not_current(kept):
        print(changed, file=sys.stderr)
        return 1
    write(kept["verdicts"], kept["made"])
    return _complain(kept["verdicts"])


def _judged(chosen: Iterable[str], jobs: int) -> Verdicts:
    """Verdicts by module. Progress goes to standard error."""
    tasks = [(module, fault.number) for module in chosen for fault in faults_of(module)]
    prepare()
    found: dict[str, tuple[Verdict, ...]] = dict.fromkeys(chosen, ())
    with multiprocessing.Pool(jobs, initializer=_begin) as pool:
        for number, (module, verdict) in enumerate(pool.imap(_one, tasks, chunksize=4), start=1):
            found[module] += (verdict,)
            if number % 100 == 0 or number == len(tasks):
                print(f"{number}/{len(tasks)} faults", file=sys.stderr, flush=True)
    return found


def _begin() -> None:
    try:
        import resource
    except ImportError:  # no such limit on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _one(task: tuple[str, int]) -> tuple[str, Verdict]:
    module, number = task
    return module, judge(faults_of(module)[number])


if __name__ == "__main__":
    sys.exit(main())
