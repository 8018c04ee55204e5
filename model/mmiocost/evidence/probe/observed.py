"""Cells of a run as observations in the schema of data/observations.csv.

A cell whose path is known is fitted; one that has none is kept and says why not. Machine, kernel and clock come from
:func:`importers.rows.complete`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .guest_tables import LEVELS, SMALL_PAGE
from .seen import INTERPRETED, Seen

_WIDTH = 2 * 1.96  # of a 95 % interval, in standard errors

_FLAT = "flat32"

# Operation: quantity, who serves it.
# fmt: off
_MMIO = {
    "mmio_store_any": ("mmio.write_eventfd_wildcard", "kernel"),
    "mmio_store_match": ("mmio.write_eventfd_datamatch", "kernel"),
    "mmio_store_len0": ("mmio.write_eventfd_zero_length", "kernel"),
    "mmio_store_user": ("mmio.write_userspace", "userspace"),
    "mmio_load_user": ("mmio.read_userspace", "userspace"),
    "mmio_load_ioapic": ("mmio.read_kernel", "kernel"),
}
_PORTS = {
    "pio_out_any": ("pio.write_eventfd_wildcard", "kernel"),
    "pio_out_match": ("pio.write_eventfd_datamatch", "kernel"),
    "pio_out_user": ("pio.write_userspace", "userspace"),
    "pio_in_user": ("pio.read_userspace_unassigned", "userspace"),
}
# fmt: on
_NO_PATH = {
    "guest_pf": ("guest.fault_round_trip", "contains the guest's handler and its return, which are no events"),
}


def observations(cells: Sequence[Mapping[str, Any]], saw: Seen, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Observations of a run, to be completed with what they have in common."""
    release = str(facts.get("release", ""))
    floor = facts.get("ioctl_floor_ns")
    found = [
        {**row, **_state(release, saw, str(row["mode"]), int(row["cpl"])), **_common(facts, saw)}
        for row in (*_accesses(cells, saw), *_differences(cells, saw), *_parts(cells, saw), *_others(cells))
    ]
    for row in found:
        if row.get("served_by") == "userspace" and floor:
            row["note"] = f"includes {floor:.0f} ns of the Python side of the ioctl"
    return found


def _state(release: str, saw: Seen, mode: str, cpl: int) -> dict[str, str]:
    """The state of the machine: interpreted modes and the directly run guest cost differently."""
    if any(saw.runs(name, level) == INTERPRETED for name in LEVELS for level in (0, 3)):
        suffix = "emulated" if saw.runs(mode, cpl) == INTERPRETED else f"cpl{cpl}"
        return {"state": f"{release or 'unknown-kernel'}-{suffix}"}
    return {}


def _common(facts: Mapping[str, Any], saw: Seen) -> dict[str, Any]:
    return {
        "microarchitecture": facts.get("microarchitecture", ""), "virt_level": "L2" if facts.get("is_guest") else "L1",
        "ept": int(saw.tdp), "locator": "mmiocost measure",
    }  # fmt: skip


def _row(cell: Mapping[str, Any], quantity: str, divisor: float = 1.0, **more: Any) -> dict[str, Any]:
    """A cell as a row; its value is divided by ``divisor``."""
    low, high = cell["low"], cell["high"]
    spread = (high - low) / _WIDTH / divisor if low is not None and high is not None and high > low else None
    return {
        "quantity": quantity, "value": cell["value"] / divisor, "unit": "ns", "n_runs": cell["repeats"],
        "spread": spread, "spread_kind": "sem" if spread is not None else "", "mode": cell["mode"], "cpl": cell["cpl"],
        "slots": cell["slots"] or None, "guest_levels": cell["guest_levels"], "event": cell["probe"], **more,
    }  # fmt: skip


def _fit_or_not(cell: Mapping[str, Any], why_not: str) -> dict[str, Any]:
    if not why_not and cell["value"] <= 0:
        why_not = "not above 0: lost in the noise of this run"
    return {"use": "excluded", "use_why": why_not} if why_not else {"use": "fit", "use_why": "measured by the probe"}


def _accesses(cells: Iterable[Mapping[str, Any]], saw: Seen) -> Iterator[dict[str, Any]]:
    """Accesses less the empty loop, one row each, with 4 KiB guest pages."""
    for cell in cells:
        if cell["of"] != "difference" or cell["minus"] != "loop" or cell["guest_page_size"] != SMALL_PAGE:
            continue
        probe = cell["probe"]
        if probe in _MMIO:
            quantity, served = _MMIO[probe]
            shortcut = "none" if saw.caching is False else "spte" if saw.caching else ""
            use = _fit_or_not(cell, _why_no_mmio_path(cell, saw))
            yield _row(cell, quantity, served_by=served, mmio_shortcut=shortcut, **use)
        elif probe in _PORTS or probe == "cpuid":
            quantity, served, why_not = _port_path(cell, saw)
            yield _row(cell, quantity, served_by=served, **_fit_or_not(cell, why_not))
        elif probe in _NO_PATH:
            quantity, why_not = _NO_PATH[probe]
            yield _row(cell, quantity, use="excluded", use_why=why_not)


def _why_not_directly(cell: Mapping[str, Any], saw: Seen) -> str:
    mode, cpl = str(cell["mode"]), int(cell["cpl"])
    how = saw.runs(mode, cpl)
    if how == INTERPRETED:
        return "the guest is interpreted instruction by instruction here, so the loop around the access is emulated too"
    if how is None and not saw.isa:
        return "no counters were read: whether the guest runs directly can't be told"
    if cpl == 0 and mode != "real":
        return "the same path as at CPL 3, which is fitted"
    return "real mode is served in part by an emulator for other reasons" if mode == "real" else ""


def _why_no_mmio_path(cell: Mapping[str, Any], saw: Seen) -> str:
    why_not = _why_not_directly(cell, saw)
    if not why_not and cell["probe"] == "mmio_store_len0" and not (saw.tdp and saw.caching and saw.isa == "vmx"):
        why_not = "no EPT misconfiguration here: length 0 is served as any other ioeventfd, not by the fast MMIO bus"
    if not why_not and not saw.tdp and not LEVELS[str(cell["mode"])]:
        why_not = "shadow paging with guest paging off has no column in the evidence"
    return why_not


def _port_path(cell: Mapping[str, Any], saw: Seen) -> tuple[str, str, str]:
    """Quantity, who serves it and why it is not fitted (empty: it is), of a port or CPUID."""
    probe, mode, cpl = str(cell["probe"]), str(cell["mode"]), int(cell["cpl"])
    quantity, served = _PORTS.get(probe, ("exit.cpuid", "kernel"))
    why_not = _why_not_directly(cell, saw)
    if why_not:
        return quantity, served, why_not
    emulated = saw.emulated(probe, mode, cpl)
    if emulated is None and not saw.isa:
        return quantity, served, "no counters were read: whether KVM's emulator serves it can't be told"
    if emulated:
        if probe == "pio_out_any" and cell["guest_levels"] == LEVELS["long"]:
            return "pio.write_eventfd_emulated", served, ""
        return quantity, served, "KVM's emulator serves it on this host, which the path does not have"
    exits = saw.exits(probe, mode, cpl)
    if probe == "cpuid" and exits is not None and exits < 0.5:
        return quantity, served, "no exit is counted: KVM does not see the instruction"
    return quantity, served, ""


def _differences(cells: Iterable[Mapping[str, Any]], saw: Seen) -> Iterator[dict[str, Any]]:
    """User space less ioeventfd, where the guest is interpreted: all else of the access cancels."""
    for cell in cells:
        pair = cell["of"] == "difference" and (cell["probe"], cell["minus"]) == ("mmio_store_user", "mmio_store_any")
        setting = (cell["mode"], cell["cpl"], cell["guest_page_size"])
        if pair and setting == ("long", 0, SMALL_PAGE) and saw.runs("long", 0) == INTERPRETED:
            use = _fit_or_not(cell, "")
            yield _row(cell, "userspace.minus_eventfd", served_by="userspace", guest_levels=None, **use)


def _parts(cells: Iterable[Mapping[str, Any]], saw: Seen) -> Iterator[dict[str, Any]]:
    """One page-table level read, and one interpreted instruction without paging."""
    for cell in cells:
        if cell["of"] == "guest page-table level read":
            use = _fit_or_not(
                cell, "" if cell["low"] is None or cell["low"] > 0 else "can't be told from 0 in this run"
            )
            yield _row(cell, "walk.level_read", slots=1, guest_levels=None, **use)
        elif cell["probe"] == "loop" and (cell["of"], cell["mode"], cell["cpl"]) == ("time", _FLAT, 0):
            turn = saw.slope("loop", _FLAT, 0, "insn_emulation")
            if turn and cell["experiment"] == "paths":
                yield _row(cell, "emul.instruction", turn, guest_levels=None, **_fit_or_not(cell, ""))


def _others(cells: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Memslot updates and first touches: no path predicts them, the quantity says why."""
    for cell in cells:
        experiment = cell["experiment"]
        if experiment == "slot_update" and cell["operation"] == "delete":
            yield _row(cell, "slot.update_time", event="", variant="delete and create, the host's ioctl")
        elif experiment == "ram_touch" and cell["step"] in ("1 first touch", "3 after slot move"):
            yield _row(cell, "memory.first_touch", event="", variant=f"{cell['operation']}, {cell['step'][2:]}")
        elif experiment == "generation_bump" and cell["step"] == "first":
            yield _row(cell, "slot.bump_next_accesses", variant=f"four stores after {cell['operation']}")
