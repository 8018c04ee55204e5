"""``measure``: the live probe on this host's /dev/kvm."""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .options import Commands, add_command
from .output import envelope, in_columns, print_json, quantity_text

if TYPE_CHECKING:
    from ..evidence.probe.kept import Measured

INTERRUPTED = 130  # what a shell shows for a process that Ctrl-C ends


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "measure", measure)
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder of evidence; made if missing")
    parser.add_argument("--quick", action="store_true", help="about 20 seconds, fewer guest modes and slot counts")
    seconds = "seconds that the probe may take; default: 120, with --quick 20"
    parser.add_argument("--budget", type=_seconds, metavar="SECONDS", help=seconds)
    parser.add_argument("--machine", metavar="NAME", help="name of the machine; default: its CPU model")


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 2 <= found <= 3600:
        raise argparse.ArgumentTypeError(f"{text} must be a number of seconds from 2 to 3600")
    return found


def measure(to: Path, quick: bool, budget: float | None, machine: str | None, json: bool) -> int:
    """Measure this host by a tiny VM on /dev/kvm: MMIO, ports, CPUID and page faults, timed and counted, into a folder
    of evidence. Ctrl-C keeps what was measured."""
    from ..evidence import evidence_hash
    from ..evidence.probe import measuring

    seconds = budget or (measuring.QUICK_S if quick else measuring.FULL_S)
    with _Progress(seconds) as progress:
        found = measuring.measure(to, quick, budget, machine, progress.show)
    for line in found.run.refused:
        print(f"not measured: {line}", file=sys.stderr)
    if json:
        about = envelope(evidence_hash([to]) if found.observations else None)
        print_json({**_document(found), **about})
    elif found.file is not None:
        print(_text(found, to))
    if found.run.unavailable:
        return 1
    return INTERRUPTED if found.run.interrupted else 0


class _Progress:
    """A bar of seconds on standard error, where that is a terminal."""

    def __init__(self, seconds: float) -> None:
        from tqdm import tqdm

        self._start, self._seconds = time.monotonic(), seconds
        self._left = [seconds]
        form = "{desc} {percentage:3.0f}%|{bar}| at most {postfix[0]:.0f} s left"
        shown: Any = {"bar_format": form, "postfix": self._left}  # a list is left as it is, for the format
        self._bar = tqdm(total=seconds, disable=None, leave=False, **shown)

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, experiment: str) -> None:
        """Go on to now, and say what is measured."""
        if self._bar.disable:
            return
        spent = min(time.monotonic() - self._start, self._seconds)
        self._left[0] = self._seconds - spent
        self._bar.set_description_str(experiment.replace("_", " "), refresh=False)
        self._bar.update(spent - self._bar.n)


def _document(found: Measured) -> dict[str, Any]:
    return {
        "probes": found.probes, "file": found.file, "microbenchmarks": found.run.benchmarks, "saw": found.saw,
        "refused": found.run.refused, "repeats": found.run.repeats, "observations": found.observations,
        "interrupted": found.run.interrupted, "host": found.run.facts,
    }  # fmt: skip


def _text(found: Measured, to: Path) -> str:
    lines = [*found.saw]
    chosen = [cell for cell in found.probes if cell["of"] == "difference" and cell["minus"] == "loop"]
    if chosen:
        rows = [(cell["probe"], f"{cell['mode']} CPL {cell['cpl']}", f"{cell['guest_page_size']} B pages", _shown(cell))
                for cell in sorted(chosen, key=_order)]  # fmt: skip
        lines += ["", in_columns([("less the empty loop", "guest", "", "median and 95 % interval"), *rows]), ""]
    if found.run.interrupted:
        lines.append("interrupted: what was measured by then is kept")
    lines.append(f"{found.file}: {found.observations} observations; fit them with --evidence {to}")
    return "\n".join(lines)


def _order(cell: dict[str, Any]) -> tuple[str, int, int, str]:
    return cell["mode"], -cell["cpl"], cell["guest_page_size"], cell["probe"]


def _shown(cell: dict[str, Any]) -> str:
    text = quantity_text(cell["value"], cell["low"], cell["high"], cell["unit"])
    return text if cell["low"] is not None else f"{text} ({cell['repeats']} repeats, too few for an interval)"
