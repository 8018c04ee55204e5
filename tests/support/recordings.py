"""Recordings for tests of what is made of them: the samples of the importers, and traces put together line by line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmiocost.evidence.importers.reading import Options
from mmiocost.evidence.importers.run import import_file

SAMPLES = Path(__file__).parents[1] / "evidence" / "importers" / "samples" / "constructed"
STALE = "ftrace_stale_generation_k66.txt"
INTEL = "perf_script_intel_plugin_k54.txt"


def imported(folder: Path, *names: str | Path, **options: Any) -> Path:
    """A folder with samples by name, or files by path, imported."""
    for name in names:
        import_file(str(name if isinstance(name, Path) else SAMPLES / name), folder, Options(**options))
    return folder


def mmio_exit(
    start: int, *, gen: int = 16, valid: bool = True, page: int = 0xFE003, tid: int = 4111, comm: str = "CPU 0/KVM"
) -> list[str]:
    """Lines of one store that the kernel serves, from ``start`` on (us), 5 us long."""
    checked = f"check_mmio_spte: spte 1 kvm_gen {gen:x} spte-gen {gen if valid else gen - 1:x} valid {int(valid)}"
    told = (
        "kvm_exit: vcpu 0 reason EPT_MISCONFIG rip 0x1 info1 0x0 info2 0x0 intr_info 0x0 error_code 0x0",
        checked,
        f"mark_mmio_spte: sptep:1 gfn {page:x} access 7 gen {gen:x}" if not valid
        else f"handle_mmio_page_fault: addr:{page << 12:x} gfn {page:x} access 7",
        f"kvm_mmio: mmio write len 4 gpa {page << 12:#x} val 0x7",
        "kvm_entry: vcpu 0, rip 0x1",
    )  # fmt: skip
    return [_line(start + step, text, tid, comm) for step, text in enumerate(told)]


def _line(microseconds: int, text: str, tid: int, comm: str) -> str:
    seconds, part = divmod(microseconds, 1_000_000)
    return f"{comm:>16}-{tid:<7} [001] d..1. {seconds:5d}.{part:06d}: {text}"


def write_trace(path: Path, lines: Iterable[str]) -> Path:
    """A file of ftrace text."""
    path.write_text("\n".join(["# tracer: nop", "#", *lines, ""]), encoding="utf-8")
    return path
