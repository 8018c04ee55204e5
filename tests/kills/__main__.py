"""Kill batches at random moments, a hundred times and more, and keep the result: ``make validate``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from .rounds import play

RESULT = Path(__file__).with_name("result.json")
FORMAT = 1


def main() -> int:
    """Status 1 if anything was wrong. The seed is printed first, so that a fault can be looked for again."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=120)
    parser.add_argument("--seed", type=int, default=None, help="default: the clock")
    chosen = parser.parse_args()
    seed = chosen.seed if chosen.seed is not None else time.time_ns() % 2**32
    print(f"seed {seed}", file=sys.stderr, flush=True)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mmiocost-kills-") as folder:
        outcome = play(Path(folder), chosen.kills, seed)
    document = {
        "format": FORMAT, "made": datetime.now(UTC).isoformat(timespec="seconds"), "seed": seed,
        "kills": dict(sorted(outcome.kills.items())), "compared": outcome.compared, "wrong": outcome.wrong,
        "seconds": round(time.monotonic() - begin),
    }  # fmt: skip
    print(json.dumps(document, indent=1))
    RESULT.write_text(json.dumps(document, indent=1) + "\n")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
