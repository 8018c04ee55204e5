"""kvm-unit-tests' ``vmexit``: TSC cycles of a round trip, seen from inside the guest.

Its ``mmio-*-eventfd`` and ``portio-*-eventfd`` lines on QEMU's pci-testdev are the most direct evidence of fast MMIO
that a user can record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..reading import Account, Line, Options, Reading
from .values import whole

FORMAT = "vmexit"
_LINE = re.compile(r"( {2}(?:ipi|eoi) )?([a-z][\w+-]{1,40}(?::[\w-]{1,20})?) (-?\d{1,12}|\(skipped\))\s*", re.ASCII)
_OLD_NAMES = {"ipi+halt": "ipi_halt", "ple-round-robin": "ple_round_robin"}
_KNOWN = {
    "cpuid", "vmcall", "mov_from_cr8", "mov_to_cr8", "inl_from_pmtimer", "inl_from_qemu", "inl_from_kernel",
    "outl_to_kernel", "mov_dr", "tscdeadline_immed", "tscdeadline", "self_ipi_sti_nop", "ipi", "ipi_halt",
    "ple_round_robin", "wr_kernel_gs_base", "wr_tsx_ctrl_msr", "wr_ibrs_msr", "wr_ibpb_msr", "wr_tsc_adjust_msr",
    "rd_tsc_adjust_msr", "toggle_cr0_wp", "toggle_cr4_pge", "wbinvd", "invd", "ipi+halt", "ple-round-robin",
}  # fmt: skip
_DEVICE = re.compile(r"(?:mmio|portio)-\w+-eventfd:[\w-]+")
#: Lines that are costs of a path, with the quantity that they measure.
QUANTITIES = {
    "vmcall": "exit.hypercall", "cpuid": "exit.cpuid", "inl_from_kernel": "pio.read_kernel",
    "outl_to_kernel": "pio.write_kernel", "inl_from_qemu": "pio.read_userspace_unassigned",
    "inl_from_pmtimer": "pio.read_pmtimer", "mmio-no-eventfd:pci-mem": "mmio.write_userspace",
    "mmio-wildcard-eventfd:pci-mem": "mmio.write_eventfd_wildcard",
    "mmio-datamatch-eventfd:pci-mem": "mmio.write_eventfd_datamatch",
    "portio-no-eventfd:pci-io": "pio.write_userspace", "portio-wildcard-eventfd:pci-io": "pio.write_eventfd_wildcard",
    "portio-datamatch-eventfd:pci-io": "pio.write_eventfd_datamatch", "tscdeadline": "exit.tscdeadline",
    "tscdeadline_immed": "exit.tscdeadline_immed",
}  # fmt: skip
_CHATTER = re.compile(
    r"enabling apic|paging enabled|cr\d = [0-9a-f]+|smp: waiting for \d+ APs?|PM timer port is [0-9a-f]+"
    r"|pci-testdev at .*|(?:PASS|FAIL|SKIP)\b.*|BUILD_HEAD=.*|qemu.*|timeout .*|.*/qemu.*|x2apic .*|enabling .*"
)


def fits(head: str) -> bool:
    """Whether at least two lines are results of known tests."""
    names = (match[2] for line in head.splitlines() if (match := _LINE.fullmatch(line)) is not None)
    return sum(name in _KNOWN or _DEVICE.fullmatch(name) is not None for name in names) >= 2


def read(lines: Iterator[Line], account: Account, options: Options) -> Reading:
    """Rows ``name``, ``cycles``, ``valid``: skipped tests and overflown counters have no valid value."""
    rows: list[dict[str, Any]] = []
    for line in lines:
        match = _LINE.fullmatch(line.text)
        if match is not None and _is_result(match):
            rows.append(_row(match, line, account))
        elif line.text.strip() and _CHATTER.fullmatch(line.text.strip()) is None:
            account.skip(line.number, "unrecognised" if line.ended else "incomplete")
    account.rows = len(rows)
    facts = {"clock_hz": options.clock_hz} if options.clock_hz else {}
    return Reading(
        FORMAT, account, {"vmexit": rows}, [_observation(row, options) for row in rows if _is_cost(row)], facts
    )


def _is_result(match: re.Match[str]) -> bool:
    return bool(match[1]) or match[3] == "(skipped)" or match[2] in _KNOWN or ":" in match[2] or "_" in match[2]


def _row(match: re.Match[str], line: Line, account: Account) -> dict[str, Any]:
    name = (match[1] or "").strip()
    name = f"{name} {match[2]}".strip()
    cycles = None if match[3] == "(skipped)" else whole(match[3])
    valid = cycles is not None and 0 < cycles < 1 << 31
    if cycles is not None and not valid:
        account.warn(f"{_OLD_NAMES.get(name, name)} overflowed its counter: the value is no cost", line.number)
    return {"name": _OLD_NAMES.get(name, name), "printed": name, "cycles": cycles, "valid": valid, "line": line.number}


def _is_cost(row: dict[str, Any]) -> bool:
    return row["valid"] and row["name"] in QUANTITIES


def _observation(row: dict[str, Any], options: Options) -> dict[str, Any]:
    fitted = not row["name"].startswith("tscdeadline")
    return {
        "quantity": QUANTITIES[row["name"]], "value": row["cycles"], "unit": "cycle", "spread": 0.5,
        "spread_kind": "rounding_half", "n_runs": 1, "use": "fit" if fitted else "excluded",
        "use_why": "" if fitted else "no path of the model is a timer's deadline", "locator": f"line {row['line']}",
        **_served(row["name"], options),
    }  # fmt: skip


def _served(name: str, options: Options) -> dict[str, Any]:
    """Columns of a store by the pci-testdev's or the old tests' device."""
    if not name.startswith("mmio-"):
        return {}
    shortcut = "none" if options.mmio_caching is False else "spte"
    return {"mmio_shortcut": shortcut, "served_by": "userspace" if name.startswith("mmio-no-") else "kernel"}
